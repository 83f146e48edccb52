"""A plan, and what became of it, as JSON documents: `schemas/plan.schema.json` in code.

    plan -> plan_document -> text -> plan_from_document -> the same plan

No-ops are counted and not listed; everything else comes back as it was. Readers tolerate keys and reasons they do not
know, and refuse a document that was edited, is newer than they are, or asks for something they cannot carry out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar, cast

from reconciler.core.codes import Code
from reconciler.core.model import (
    ABSENT,
    Action,
    Address,
    Block,
    Blocker,
    Change,
    Diagnostic,
    FieldChange,
    Json,
    Outcome,
    Plan,
    ReadCount,
    Reason,
    Result,
    Severity,
    Source,
    TargetIdentity,
)

FORMAT_VERSION: Final = "1"

_T = TypeVar("_T")
_Enum = TypeVar("_Enum", bound=StrEnum)
_NAMES: Final[Mapping[type, str]] = {str: "text", bool: "true or false", int: "a number", list: "a list", dict: "a map"}


def summarise(plan: Plan) -> dict[str, int]:
    """How many changes there are of each sort; a blocked change counts as blocked and not under its action."""
    free = [change.action for change in plan.changes if change.blocked is None]
    counts = {action.value: free.count(action) for action in Action}
    return counts | {
        "blocked": len(plan.changes) - len(free),
        "drifted": sum(Reason.DRIFTED in change.reasons for change in plan.changes),
        "conflict": sum(Reason.CONFLICT in change.reasons for change in plan.changes),
        "unmanaged": plan.unmanaged,
    }


def plan_document(plan: Plan, *, masked: bool = False) -> dict[str, Json]:
    """The JSON document of a plan. `masked` says that values in it were replaced for display: it cannot be applied."""
    changes = [change for change in plan.changes if change.action is not Action.NOOP]
    document = _head(plan, "plan") | {
        "applyable": plan.complete and not masked and any(change.is_due for change in changes),
        **({"masked": True} if masked else {}),
        "read": {kind: {"objects": c.objects, "requests": c.requests} for kind, c in sorted(plan.read.items())},
        "summary": summarise(plan),
        "changes": [_change(change) for change in changes],
        "blocked": _blocked(plan),
        "diagnostics": [_diagnostic(diagnostic) for diagnostic in plan.diagnostics],
    }
    return document | {"digest": digest_of(document)}


def outcomes_document(
    plan: Plan, outcomes: Sequence[Outcome], diagnostics: Sequence[Diagnostic] = ()
) -> dict[str, Json]:
    """The JSON document of an apply: what happened to each change, and totals."""
    results = [outcome.result for outcome in outcomes]
    totals = {result.value: results.count(result) for result in Result}
    return _head(plan, "apply") | {
        "outcomes": [_outcome(outcome) for outcome in outcomes],
        "totals": totals | {"requests": sum(outcome.requests for outcome in outcomes)},
        "blocked": _blocked(plan),
        "diagnostics": [_diagnostic(diagnostic) for diagnostic in diagnostics],
    }


def document_text(document: Mapping[str, Json]) -> str:
    """The document as ASCII text: whatever it quotes, no control character reaches a terminal or a log."""
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def digest_of(document: Mapping[str, Json]) -> str:
    """`sha256:…` over everything in a document but its digest."""
    rest = {name: value for name, value in document.items() if name != "digest"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _head(plan: Plan, kind: str) -> dict[str, Json]:
    target = plan.target
    where = {"name": target.name, "provider": target.provider, "url": target.url}
    return {
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "target": where if target.account is None else where | {"account": target.account},
        "owner": plan.owner,
        "config_digest": plan.config_digest,
        "complete": plan.complete,
    }


def _present(**values: Json) -> dict[str, Json]:
    """The values that say something: neither None nor empty text."""
    return {name: value for name, value in values.items() if value is not None and value != ""}


def _source(source: Source | None) -> dict[str, Json] | None:
    return source._asdict() if source else None


def _change(change: Change) -> dict[str, Json]:
    block = change.blocked
    return {
        "address": str(change.address),
        "action": change.action.value,
        **({} if change.id is None else {"id": change.id}),
        "reasons": [str(reason) for reason in change.reasons],
        **_present(source=_source(change.source)),
        "fields": [_field(field) for field in change.fields],
        "units": [list(unit) for unit in change.units],
        **({} if change.patch is None else {"patch": change.patch}),
        **({} if change.precondition is None else {"precondition": change.precondition}),
        **({} if block is None else {"blocked": {"by": str(block.by), "hint": block.hint}}),
    }


def _field(field: FieldChange) -> dict[str, Json]:
    return {
        "path": list(field.path),
        **({} if field.before is ABSENT else {"before": field.before}),
        **({} if field.after is ABSENT else {"after": field.after}),
        "reason": str(field.reason),
        **_present(source=_source(field.source), sensitive=field.sensitive or None),
    }


def _blocked(plan: Plan) -> list[Json]:
    return [
        {"address": str(c.address), "action": c.action.value, "by": str(c.blocked.by), "hint": c.blocked.hint}
        for c in plan.changes
        if c.blocked is not None
    ]


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Json]:
    d = diagnostic
    head = {"severity": str(d.severity), "code": str(d.code), "summary": d.summary}
    return head | _present(detail=d.detail, hint=d.hint, source=_source(d.source), address=d.address)


def _outcome(outcome: Outcome) -> dict[str, Json]:
    return {
        "address": str(outcome.address),
        "action": outcome.action.value,
        "outcome": outcome.result.value,
        **_present(id=outcome.id),
        "requests": outcome.requests,
        **_present(request_id=outcome.request_id, error=_diagnostic(outcome.error) if outcome.error else None),
        "findings": [_diagnostic(finding) for finding in outcome.findings],
    }


def plan_from_document(document: Json) -> Plan:
    """The plan a document holds, less its no-ops. Raises ValueError, saying what is wrong and where."""
    document = _typed(document, dict, "the document")
    _check_head(document)
    target = _get(document, "target", dict)
    read = _get(document, "read", dict)
    return Plan(
        target=TargetIdentity(
            _get(target, "name", str), _get(target, "provider", str), _get(target, "url", str), _text(target, "account")
        ),
        owner=_get(document, "owner", str),
        config_digest=_get(document, "config_digest", str),
        changes=tuple(_each(document, "changes", _read_change)),
        read={kind: ReadCount(_get(read[kind], "objects", int), _get(read[kind], "requests", int)) for kind in read},
        unmanaged=_get(_get(document, "summary", dict), "unmanaged", int),
        diagnostics=tuple(_each(document, "diagnostics", _read_diagnostic)),
        complete=_get(document, "complete", bool),
    )


def _check_head(document: Mapping[str, Json]) -> None:
    if (kind := _get(document, "kind", str)) != "plan":
        raise ValueError(f"it is a document of kind {kind[:40]!r}, not a plan")
    if (version := _get(document, "format_version", str)) != FORMAT_VERSION:
        raise ValueError(f"it has format {version[:40]!r}: this version reads {FORMAT_VERSION!r}, a newer one wrote it")
    if document.get("masked"):
        raise ValueError("its sensitive values are masked, so that it can be shown and not applied")
    if _get(document, "digest", str) != digest_of(document):
        raise ValueError("its digest does not fit its content: it was edited or damaged")


def _typed(value: Json, wanted: type[_T], name: str) -> _T:
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise ValueError(f"{name} should be {_NAMES[wanted]}")
    return value


def _get(record: Json, name: str, wanted: type[_T]) -> _T:
    if name not in _typed(record, dict, "what holds " + name):
        raise ValueError(f"{name} is missing")
    return _typed(record[name], wanted, name)


def _text(record: Mapping[str, Json], name: str) -> str | None:
    return _typed(record[name], str, name) if name in record else None


def _each(record: Mapping[str, Json], name: str, read: Callable[[Any], _T]) -> list[_T]:
    """Read every entry of a list; an error is told with its place."""
    found = []
    for index, entry in enumerate(_get(record, name, list)):
        try:
            found.append(read(entry))
        except ValueError as error:
            raise ValueError(f"{name}[{index}]: {error}") from None
    return found


def _open(enum: type[_Enum], text: str) -> _Enum:
    """A member of an open enumeration; a value this version does not know stays the text it is."""
    try:
        return enum(text)
    except ValueError:
        return cast(_Enum, text)


def _reason(text: Json) -> Reason:
    return _open(Reason, _typed(text, str, "a reason"))


def _step(step: Json) -> str | int:
    return step if isinstance(step, str) else _typed(step, int, "a step of a path that is no text")


def _read_source(record: Mapping[str, Json]) -> Source | None:
    if "source" not in record:
        return None
    source = _get(record, "source", dict)
    return Source(_get(source, "file", str), _get(source, "line", int), _get(source, "column", int))


def _read_change(record: Json) -> Change:
    action = _get(record, "action", str)
    if action not in set(Action):
        raise ValueError(f"action {action[:40]!r} is not known to this version")
    block = _get(record, "blocked", dict) if "blocked" in record else None
    return Change(
        address=Address.parse(_get(record, "address", str)),
        action=Action(action),
        id=_text(record, "id"),
        reasons=tuple(_each(record, "reasons", _reason)),
        source=_read_source(record),
        fields=tuple(_each(record, "fields", _read_field)),
        units=tuple(_each(record, "units", _read_unit)),
        patch=_get(record, "patch", dict) if "patch" in record else None,
        precondition=_text(record, "precondition"),
        blocked=Block(_open(Blocker, _get(block, "by", str)), _get(block, "hint", str)) if block is not None else None,
    )


def _read_unit(unit: Json) -> tuple[str, ...]:
    if not unit:
        raise ValueError("a unit should have a name")
    return tuple(_typed(step, str, "a step of a unit") for step in _typed(unit, list, "a unit"))


def _read_field(record: Json) -> FieldChange:
    return FieldChange(
        path=tuple(_each(record, "path", _step)),
        before=record.get("before", ABSENT),
        after=record.get("after", ABSENT),
        reason=_reason(_get(record, "reason", str)),
        source=_read_source(record),
        sensitive="sensitive" in record and _get(record, "sensitive", bool),
    )


def _read_diagnostic(record: Json) -> Diagnostic:
    return Diagnostic(
        severity=_open(Severity, _get(record, "severity", str)),
        code=_open(Code, _get(record, "code", str)),
        summary=_get(record, "summary", str),
        detail=_text(record, "detail") or "",
        hint=_text(record, "hint") or "",
        source=_read_source(record),
        address=_text(record, "address"),
    )
