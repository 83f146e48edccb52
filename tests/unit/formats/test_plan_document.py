"""A plan goes into its document and comes back; a document that is not what was written is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.core.plan import Plan, ReadCount, TargetIdentity
from reconciler.core.values.model import ABSENT, Action, Address, Block, Blocker, Change, FieldChange, Reason
from reconciler.diagnostics import Code, Diagnostic, Severity
from reconciler.formats.outcome import Outcome, Result
from reconciler.formats.parse_plan import plan_from_document
from reconciler.formats.plan_document import (
    diagnostics_document,
    digest_of,
    document_text,
    outcomes_document,
    plan_document,
    summarise,
)
from tests.unit.core.plans import outcomes, plans, saved_plans, unhurried

SCHEMA = json.loads((Path(__file__).parents[3] / "schemas" / "plan.schema.json").read_text(encoding="utf-8"))


def plan_of(*changes: Change, **more: Any) -> Plan:
    target = TargetIdentity("production", "portkey", "https://api.portkey.ai/v1")
    return Plan(target, "acme", "sha256:0", changes, {"assistant": ReadCount(5, 1)}, **more)


def change(key: str, action: Action, *reasons: Reason, blocked: Blocker | None = None) -> Change:
    block = Block(blocked, "do this") if blocked else None
    return Change(Address("assistant", key), action, "asst_1", reasons, blocked=block)


UPDATE = Change(
    Address("assistant", "a/b"),
    Action.UPDATE,
    "asst_1",
    (Reason.EDITED,),
    fields=(
        FieldChange(("temperature",), 0.2, None, Reason.EDITED),
        FieldChange(("metadata", "team"), ABSENT, "people", Reason.NEW),
        FieldChange(("tools", 0), "x", ABSENT, Reason.REMOVED),
    ),
    units=(("metadata", "team"), ("temperature",), ("tools",)),
    patch={"temperature": None, "metadata": {"team": "people"}, "tools": []},
    expects={("temperature",): "sha256:1", ("metadata", "reconciler"): "sha256:2"},
    number=7,
)


@unhurried
@given(saved_plans)
def test_a_plan_comes_back_from_the_text_of_its_document(plan: Plan) -> None:
    assert plan_from_document(json.loads(document_text(plan_document(plan)))) == plan


@unhurried
@given(plans)
def test_documents_of_plans_are_as_the_schema_says(plan: Plan) -> None:
    Draft202012Validator(SCHEMA).validate(plan_document(plan))


@unhurried
@given(plans, st.lists(outcomes, max_size=3))
def test_documents_of_outcomes_are_as_the_schema_says(plan: Plan, done: list[Outcome]) -> None:
    document = outcomes_document(plan, done, plan.diagnostics)
    Draft202012Validator(SCHEMA).validate(document)
    assert sum(count for name, count in document["totals"].items() if name != "requests") == len(done)


@unhurried
@given(plans)
def test_the_text_is_printable_ascii(plan: Plan) -> None:
    assert all(" " <= character <= "~" or character == "\n" for character in document_text(plan_document(plan)))


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_no_value_is_told_from_null() -> None:
    fields = plan_document(plan_of(UPDATE))["changes"][0]["fields"]
    assert fields[0] == {"path": ["temperature"], "before": 0.2, "after": None, "reason": "edited"}
    assert fields[1] == {"path": ["metadata", "team"], "after": "people", "reason": "new"}
    assert fields[2] == {"path": ["tools", 0], "before": "x", "reason": "removed"}


def test_no_ops_are_counted_and_not_listed() -> None:
    document = plan_document(plan_of(change("same", Action.NOOP), change("other", Action.NOOP), UPDATE))
    assert [c["address"] for c in document["changes"]] == ["assistant/a/b"]
    assert document["summary"]["noop"] == 2


def test_a_blocked_change_counts_as_blocked_only_and_is_listed_in_both_places() -> None:
    plan = plan_of(
        change("a", Action.DELETE, Reason.ORPHAN, blocked=Blocker.GUARD),
        change("b", Action.UPDATE, Reason.DRIFTED, Reason.CONFLICT, blocked=Blocker.IMMUTABLE),
        change("c", Action.UPDATE, Reason.DRIFTED),
        unmanaged=3,
    )
    assert {name: count for name, count in summarise(plan).items() if count} == {
        "update": 1, "blocked": 2, "drifted": 2, "conflict": 1, "unmanaged": 3,
    }  # fmt: skip
    document = plan_document(plan)
    assert len(document["changes"]) == 3
    assert document["blocked"][0] == {"address": "assistant/a", "action": "delete", "by": "guard", "hint": "do this"}
    assert plan_from_document(document) == plan


@pytest.mark.parametrize(
    ("plan", "applyable"),
    [
        (plan_of(), False),
        (plan_of(change("a", Action.NOOP)), False),
        (plan_of(change("a", Action.DELETE, blocked=Blocker.GUARD)), False),
        (plan_of(UPDATE), True),
        (plan_of(UPDATE, change("a", Action.DELETE, blocked=Blocker.GUARD)), True),
        (plan_of(UPDATE, complete=False), False),
    ],
)
def test_applyable_takes_something_unblocked_and_a_whole_read(plan: Plan, applyable: bool) -> None:
    assert plan_document(plan)["applyable"] is applyable


def test_unknown_keys_reasons_and_blockers_are_tolerated() -> None:
    document = plan_document(plan_of(UPDATE, change("a", Action.DELETE, blocked=Blocker.GUARD)))
    document["invented"] = {"by": "a later version"}
    document["changes"][0]["invented"] = 1
    document["changes"][0]["reasons"] = ["foretold"]
    document["changes"][0]["fields"][0]["reason"] = "foretold"
    document["changes"][1]["blocked"]["by"] = "weekday"
    document["digest"] = digest_of(document)
    plan = plan_from_document(document)
    assert [str(reason) for reason in plan.changes[0].reasons] == ["foretold"]
    assert plan.changes[1].blocked is not None
    assert plan_document(plan)["changes"][0]["reasons"] == ["foretold"]


def resealed(edit: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """A document edited by somebody who knows how its digest is made."""
    document = json.loads(document_text(plan_document(plan_of(UPDATE))))
    edit(document)
    return document | {"digest": digest_of(document)}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "the document should be a map"),
        ({}, "kind is missing"),
        (resealed(lambda d: d.update(kind="apply")), "kind 'apply', not a plan"),
        (resealed(lambda d: d.update(format_version="1")), "it has format '1': this version reads '2'"),
        (resealed(lambda d: d.update(format_version="3")), "it has format '3': this version reads '2'"),
        (resealed(lambda d: d.pop("format_version")), "format_version is missing"),
        (resealed(lambda d: d.update(format_version=1)), "format_version should be text"),
        (resealed(lambda d: d.update(masked=True)), "sensitive values are masked"),
        (resealed(lambda d: d.pop("owner")), "owner is missing"),
        (resealed(lambda d: d.update(complete="yes")), "complete should be true or false"),
        (resealed(lambda d: d["target"].pop("url")), "url is missing"),
        (resealed(lambda d: d["summary"].update(unmanaged=True)), "unmanaged should be a number"),
        (resealed(lambda d: d["read"].update(assistant=4)), "objects should be a map"),
        (resealed(lambda d: d["changes"].append(4)), r"changes\[1\]: what holds action should be a map"),
        (resealed(lambda d: d["changes"][0].update(action="explode")), r"changes\[0\]: action 'explode' is not known"),
        (resealed(lambda d: d["changes"][0].update(address="nowhere")), "not an address"),
        (resealed(lambda d: d["changes"][0].update(address="assistant/../../x")), r"no resource can have .*\.\./x"),
        (resealed(lambda d: d["changes"][0].update(units=[[]])), "a unit should have a name"),
        (resealed(lambda d: d["changes"][0].update(patch=[])), "patch should be a map"),
        (resealed(lambda d: d["changes"][0].pop("number")), r"changes\[0\]: number is missing"),
        (resealed(lambda d: d["changes"][0].update(needs=["1"])), "the number of a change should be a number"),
        (resealed(lambda d: d["changes"][0].update(replaces=[1])), "an id should be text"),
        (resealed(lambda d: d["changes"][0].update(removal="whim")), "'whim' is not a valid Removal"),
        (resealed(lambda d: d["changes"][0].update(expects={})), "expects should be a list"),
        (resealed(lambda d: d["changes"][0]["expects"][0].update(unit=[1])), "a step of a unit should be text"),
        (resealed(lambda d: d["changes"][0]["fields"][1].update(path=[True])), r"fields\[1\]: path\[0\]: a step"),
        (plan_document(plan_of(UPDATE)) | {"owner": "mallory"}, "edited or damaged"),
    ],
)
def test_what_is_wrong_with_a_document_is_said(document: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan_from_document(document)


def test_a_masked_document_is_never_applyable() -> None:
    assert plan_document(plan_of(UPDATE), masked=True)["applyable"] is False


def test_totals_of_an_apply() -> None:
    done = Outcome(Address("assistant", "a"), Action.UPDATE, Result.DONE, "asst_1", 2, "req_1")
    document = outcomes_document(plan_of(UPDATE), [done, replace(done, result=Result.FAILED, requests=3)])
    assert document["kind"] == "apply"
    assert document["totals"] == {
        "done": 1, "already-applied": 0, "failed": 1, "skipped": 0, "unknown": 0, "requests": 5,
    }  # fmt: skip
    assert document["outcomes"][0]["request_id"] == "req_1"


@pytest.mark.parametrize(("severity", "ok"), [(Severity.ERROR, False), (Severity.WARNING, True), (Severity.INFO, True)])
def test_problems_alone_say_whether_one_of_them_stops_a_command(severity: Severity, ok: bool) -> None:
    document = diagnostics_document([Diagnostic(severity, Code.EMPTY_FILE, "the file is empty")])
    assert (document["kind"], document["ok"]) == ("diagnostics", ok)
    assert document["diagnostics"] == [{"severity": severity, "code": "RC0107", "summary": "the file is empty"}]
    assert diagnostics_document([])["ok"] is True
