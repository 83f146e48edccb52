"""The text of a plan: as in the golden files, and safe whatever is in it."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.plan import Plan, ReadCount
from reconciler.core.values.model import ABSENT, Action, Address, Change, FieldChange, Path, Reason, is_key
from reconciler.diagnostics import Code, Diagnostic, Severity, Source
from reconciler.formats.outcome import Outcome
from reconciler.formats.parse_plan import plan_from_document
from reconciler.formats.plan_document import plan_document
from reconciler.render.json import plan_json
from reconciler.render.terminal import outcome_text, plan_text
from reconciler.render.terminal.diagnostic_lines import diagnostics
from reconciler.render.view.field_view import path_text, short_value
from reconciler.render.view.mask import masked
from reconciler.render.view.plan_view import plan_view
from tests.unit.core.plans import outcomes, plans, unhurried

UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
SGR = re.compile(r"\x1b\[[0-9;]*m")
Golden = Callable[[str, str], None]


def test_one_of_everything(rich_plan: Plan, golden: Golden) -> None:
    golden("rich.color.txt", plan_text.render(plan_view(rich_plan), color=True))
    golden("rich.narrow.txt", plan_text.render(plan_view(rich_plan), width=80))
    golden("rich.json", plan_json(rich_plan))
    golden("rich.diagnostics.txt", diagnostics(rich_plan.diagnostics))


def test_colour_changes_only_colour(rich_plan: Plan) -> None:
    plain, color = (plan_text.render(plan_view(rich_plan), color=color) for color in (False, True))
    without_marks = re.sub(r"\[([+-])(.*?)\1\]", r"\2", plain)
    assert SGR.sub("", color) == without_marks


@pytest.mark.parametrize(
    ("unmanaged", "line"),
    [(10, "No changes. 40 managed, all match the files."), (3, "No changes. 40 match the files, of 47 managed.")],
)
def test_no_changes(make_plan: Callable[..., Plan], unmanaged: int, line: str) -> None:
    assert plan_text.render(plan_view(make_plan(unmanaged=unmanaged))).splitlines()[1:] == [line]


def test_what_is_kept_as_it_is_live_is_not_said_to_be_as_in_the_files(make_plan: Callable[..., Plan]) -> None:
    kept = [Diagnostic(Severity.INFO, Code.KEPT, f"{unit} stays", address="assistant/a") for unit in ("name", "model")]
    shown = plan_text.render(plan_view(make_plan(diagnostics=tuple(kept))))
    assert "No changes. 39 match the files, 1 with a manual change kept, of 47 managed." in shown


def test_an_incomplete_plan_says_so(make_plan: Callable[..., Plan]) -> None:
    assert "cannot be applied" in plan_text.render(plan_view(make_plan(complete=False)))


def test_a_saved_plan_looks_as_it_did(rich_plan: Plan) -> None:
    readable = [change for change in rich_plan.changes if is_key(change.address.key)]  # another key is refused
    secret_free = masked(replace(rich_plan, changes=tuple(readable)))
    document = plan_document(secret_free)
    again = plan_view(plan_from_document(document), unchanged=document["summary"]["noop"])
    assert plan_text.render(again) == plan_text.render(plan_view(secret_free))


def test_no_secret_is_shown(rich_plan: Plan) -> None:
    assert "canary" not in plan_text.render(plan_view(rich_plan))
    shown = plan_json(rich_plan)
    assert "canary-old" not in shown
    assert "canary-new" not in shown
    assert "canary-entry" not in shown
    assert json.loads(shown)["masked"] is True
    with pytest.raises(ValueError, match="masked"):
        plan_from_document(json.loads(shown))


def test_a_plan_without_secrets_prints_what_is_saved(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan()
    assert masked(plan) is plan
    assert json.loads(plan_json(plan)) == plan_document(plan)


@unhurried
@given(plans, st.booleans(), st.integers(1, 200))
def test_no_text_reaches_the_terminal_raw(plan: Plan, color: bool, width: int) -> None:
    shown = plan_text.render(plan_view(plan), color, width)
    shown = SGR.sub("", shown) if color else shown
    assert not UNSAFE.search(shown)
    assert not re.search(r"(?m)^\s*::", shown)
    shown.encode("utf-8")


@unhurried
@given(plans, st.lists(outcomes, max_size=3))
def test_nor_do_diagnostics_and_outcomes(plan: Plan, done: list[Outcome]) -> None:
    shown = diagnostics(plan.diagnostics) + outcome_text.render(done)
    assert not UNSAFE.search(shown)
    assert not re.search(r"(?m)^\s*::", shown)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (("metadata", "team"), "metadata.team"),
        (("tools", "function:search", "function", "description"), "tools.function:search.function.description"),
        (("metadata", "odd key"), 'metadata."odd key"'),
        (("metadata", 'a"b\\'), 'metadata."a\\"b\\\\"'),
        (("metadata", "a.b"), 'metadata."a.b"'),
        (("stop", 0), "stop.0"),
        (("metadata", "0"), 'metadata."0"'),
        (("metadata", ""), 'metadata.""'),
        (("metadata", "\x1b[m"), 'metadata."\\x1b[m"'),
    ],
)
def test_paths(path: Path, shown: str) -> None:
    assert path_text(path) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (ABSENT, "(not set)"),
        (None, "null"),
        (True, "true"),
        (0.7, "0.7"),
        ("gpt-4", '"gpt-4"'),
        ("one\ntwo words\n", "2 lines, 3 words"),
        ([1, 2], "[1, 2]"),
        ({"a": "x" * 80}, "1 entry"),
        (["x" * 80, 2], "2 entries"),
    ],
)
def test_short_values(value: object, shown: str) -> None:
    assert short_value(value) == shown


@pytest.mark.parametrize(
    ("source", "place"),
    [
        (Source("prompts/a.md", 5, 1), "prompts/a.md:6"),  # the text begins with line 5 of its file
        (Source("a.yaml", 5, 15), "a.yaml:5"),  # inside YAML: where the value begins
        (None, ""),
    ],
)
def test_the_place_of_a_changed_line(make_plan: Callable[..., Plan], source: Source | None, place: str) -> None:
    field = FieldChange(("instructions",), "a\nb\nc", "a\nB\nc", Reason.EDITED, source)
    change = Change(Address("assistant", "a"), Action.UPDATE, source=Source("a.yaml", 1, 1), fields=(field,))
    assert str(plan_view(make_plan(change)).changes[0].fields[0].place or "") == place


def test_several_kinds_are_counted_together(make_plan: Callable[..., Plan]) -> None:
    view = plan_view(make_plan(read={"a": ReadCount(5, 1), "b": ReadCount(7, 1)}, unmanaged=2))
    assert view.managed == 10
