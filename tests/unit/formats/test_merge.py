"""Reports of shards: put together only where they are parts of one apply."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.plan import Plan, TargetIdentity
from reconciler.core.values.model import Action, Address, Block, Blocker, Change
from reconciler.formats.merge import merged_reports
from reconciler.formats.outcome import Outcome, Result
from reconciler.formats.plan_document import outcomes_document

BLOCKED = Change(Address("assistant", "old"), Action.DELETE, "asst_1", blocked=Block(Blocker.PROTECT, "protected"))


def report(*keys: str, result: Result = Result.DONE, digest: str = "sha256:0") -> dict[str, Any]:
    plan = Plan(TargetIdentity("t", "p", "u"), "acme", digest, (BLOCKED,), {})
    outcomes = [Outcome(Address("assistant", key), Action.CREATE, result, f"asst_{key}", 2) for key in keys]
    return outcomes_document(plan, outcomes)


def test_outcomes_are_put_together_and_counted_and_what_all_say_is_said_once() -> None:
    whole = merged_reports([report("b", result=Result.FAILED), report("a", "c")])
    assert [outcome["address"] for outcome in whole["outcomes"]] == ["assistant/a", "assistant/b", "assistant/c"]
    assert (whole["totals"]["done"], whole["totals"]["failed"], whole["totals"]["requests"]) == (2, 1, 6)
    assert len(whole["blocked"]) == 1
    assert whole["complete"] is True


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (report("b", digest="sha256:1"), "config_digest"),
        (report("a"), "in two reports"),
        ({"kind": "plan"}, "not the report of an apply"),
        ([], "not the report of an apply"),
        (report("b") | {"format_version": "9"}, "another version"),
        ({name: value for name, value in report("b").items() if name != "owner"}, "no owner"),
        (report("b") | {"outcomes": "all"}, "outcomes of report 2"),
        (report("b") | {"outcomes": [{"address": "assistant/b"}]}, "not complete"),
    ],
)
def test_what_is_no_part_of_the_same_apply_is_refused(second: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        merged_reports([report("a"), second])
