"""A change as policies see it, and what their verdict does to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.values.model import ABSENT, Action, Address, Block, Blocker, Change, FieldChange, Manifest, Reason
from reconciler.diagnostics import Code, Diagnostic, Severity, Source
from reconciler.formats.policy_input import CHANGE_FIELDS, change_class, change_document, refused, softened

HERE = Source("a.yaml", 1, 1)
ADDRESS = Address("assistant", "hr/a")
FIELDS = (
    FieldChange(("temperature",), ABSENT, 1, Reason.EDITED),
    FieldChange(("metadata", "team"), "a", ABSENT, Reason.REMOVED),
    FieldChange(("name",), None, "b", Reason.CHANGED),
)
CHANGE = Change(ADDRESS, Action.UPDATE, "asst_1", (Reason.EDITED, Reason.REMOVED), HERE, FIELDS)
NOOP = Change(ADDRESS, Action.NOOP, "asst_1")


def said(summary: str, severity: Severity = Severity.ERROR) -> Diagnostic:
    return Diagnostic(severity, Code.POLICY, summary)


def test_a_change_as_a_document() -> None:
    document = change_document(CHANGE, "production", Manifest(ADDRESS, {"model": "x"}, HERE))
    assert document == {
        "address": "assistant/hr/a",
        "kind": "assistant",
        "key": "hr/a",
        "target": "production",
        "action": "update",
        "reasons": ["edited", "removed"],
        "fields": [
            {"path": ["temperature"], "after": 1, "reason": "edited", "class": "behaviour"},
            {"path": ["metadata", "team"], "before": "a", "reason": "removed", "class": "data"},
            {"path": ["name"], "before": None, "after": "b", "reason": "changed", "class": "cosmetic"},
        ],
        "desired": {"model": "x"},
    }
    assert set(document) == CHANGE_FIELDS
    assert set(change_document(CHANGE, "production", None)) == CHANGE_FIELDS - {"desired"}


def test_a_field_of_no_known_class_changes_behaviour() -> None:
    assert change_class(("a field of tomorrow", "x")) == change_class(()) == "behaviour"


def test_an_error_blocks_and_a_warning_does_not() -> None:
    assert refused(CHANGE, [said("p: no")]).blocked == Block(Blocker.POLICY, "p: no")
    assert refused(CHANGE, [said("p: no", Severity.WARNING)]) == CHANGE
    assert refused(CHANGE, []) == CHANGE


@pytest.mark.parametrize(
    ("count", "hint"), [(2, "0; 1"), (3, "0; 1; 2"), (4, "0; 1; 2; and 1 more"), (9, "0; 1; 2; and 6 more")]
)
def test_the_hint_of_a_block_stays_short(count: int, hint: str) -> None:
    assert refused(CHANGE, [said(str(number)) for number in range(count)]).blocked == Block(Blocker.POLICY, hint)


def test_what_is_blocked_already_or_needs_nothing_stays_as_it_is() -> None:
    held = replace(CHANGE, blocked=Block(Blocker.CONFLICT, "both changed"))
    assert refused(held, [said("p: no")]) == held
    assert refused(NOOP, [said("p: no")]) == NOOP


def test_what_is_said_of_a_resource_that_needs_nothing_is_a_warning() -> None:
    assert softened(NOOP, [said("p: no")]) == [said("p: no", Severity.WARNING)]
    assert softened(CHANGE, [said("p: no")]) == [said("p: no")]
