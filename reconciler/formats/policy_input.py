"""A change as policies see it, and the effect of a violated policy on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from reconciler.core.values.model import ABSENT, Action, Block, Blocker, Change, FieldChange, Json, Manifest, Path
from reconciler.diagnostics import Diagnostic, Severity

BEHAVIOUR: Final = "behaviour"
CLASSES: Final[Mapping[str, str]] = {
    "name": "cosmetic",
    "description": "cosmetic",
    "metadata": "data",
    "tool_resources": "data",
    "file_ids": "data",
    "files": "data",
    "source": "data",
    "expires_after": "data",
}
"""What a change of a field means to a reviewer, by the field's name; of all others it is the behaviour that changes."""

CHANGE_FIELDS: Final = frozenset({"address", "kind", "key", "target", "action", "reasons", "fields", "desired"})
"""What the document of a change can hold."""

_MOST_HINTED: Final = 3


def change_class(path: Path) -> str:
    """The class of a change at this place: `behaviour`, `data` or `cosmetic`."""
    return CLASSES.get(str(path[0]), BEHAVIOUR) if path else BEHAVIOUR


def change_document(change: Change, target: str, manifest: Manifest | None) -> dict[str, Json]:
    """The JSON that a policy over changes describes; without `desired` where no manifest is behind the change."""
    return {
        "address": str(change.address),
        "kind": change.address.kind,
        "key": change.address.key,
        "target": target,
        "action": change.action.value,
        "reasons": [str(reason) for reason in change.reasons],
        "fields": [_field(field) for field in change.fields],
        **({} if manifest is None else {"desired": dict(manifest.body)}),
    }


def _field(field: FieldChange) -> dict[str, Json]:
    return {
        "path": list(field.path),
        **({} if field.before is ABSENT else {"before": field.before}),
        **({} if field.after is ABSENT else {"after": field.after}),
        "reason": str(field.reason),
        "class": change_class(field.path),
    }


def refused(change: Change, found: Sequence[Diagnostic]) -> Change:
    """The change, blocked where a policy says error; what is blocked already, or needs nothing, stays as it is."""
    errors = [each.summary for each in found if each.severity is Severity.ERROR]
    if not errors or change.blocked or change.action is Action.NOOP:
        return change
    more = f"; and {len(errors) - _MOST_HINTED} more" if len(errors) > _MOST_HINTED else ""
    return replace(change, blocked=Block(Blocker.POLICY, "; ".join(errors[:_MOST_HINTED]) + more))


def softened(change: Change, found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """What policies say of a change, as a warning where it needs nothing: a plan stops only what it would do."""
    if change.action is not Action.NOOP:
        return list(found)
    return [replace(each, severity=Severity.WARNING) for each in found]
