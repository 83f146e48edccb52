"""Masks the sensitive values of a plan before anything shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from reconciler.core.plan import Plan
from reconciler.core.values.model import ABSENT, Body, Change, FieldChange, Json, Unit

SENSITIVE: Final = "(sensitive)"


def masked(plan: Plan) -> Plan:
    """The plan with every sensitive value replaced; the same object where there is none. It can only be shown."""
    if not any(field.sensitive for change in plan.changes for field in change.fields):
        return plan
    return replace(plan, changes=tuple(_mask(change) for change in plan.changes))


def _mask(change: Change) -> Change:
    hidden = {field.path[0] for field in change.fields if field.sensitive}
    if not hidden:
        return change
    fields: list[FieldChange] = []
    for field in change.fields:
        shown = _mask_field(field, change.units) if field.sensitive else field
        if shown not in fields:
            fields.append(shown)
    return replace(change, fields=tuple(fields), patch=_mask_patch(change.patch, hidden))


def _mask_field(field: FieldChange, units: tuple[Unit, ...]) -> FieldChange:
    """One entry for each unit: a path inside it may be made of values (entries of a set are named by themselves)."""
    unit = max((u for u in units if field.path[: len(u)] == u), key=len, default=field.path[:1])
    return FieldChange(unit, _mask_value(field.before), _mask_value(field.after), field.reason, sensitive=True)


def _mask_value(value: Json) -> Json:
    return ABSENT if value is ABSENT else SENSITIVE


def _mask_patch(patch: Body | None, hidden: set[str | int]) -> Body | None:
    if patch is None:
        return None
    return {name: SENSITIVE if name in hidden else value for name, value in patch.items()}
