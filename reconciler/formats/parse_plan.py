"""Reads plans from JSON documents: the other half of `plan_document`.

Readers tolerate keys and reasons they do not know, and refuse a document that was edited, is newer than they are, or
asks for something they cannot carry out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar, cast

from reconciler.core.decide import DEFAULT_POLICY, ConflictPolicy, OnDrift, Resolve
from reconciler.core.plan import Plan, ReadCount, TargetIdentity
from reconciler.core.values.model import (
    ABSENT,
    Action,
    Address,
    Block,
    Blocker,
    Change,
    FieldChange,
    Json,
    Path,
    Reason,
    Removal,
    Unit,
    is_key,
)
from reconciler.diagnostics import Code, Diagnostic, Severity, Source
from reconciler.formats.plan_document import FORMAT_VERSION, digest_of

_T = TypeVar("_T")
_Enum = TypeVar("_Enum", bound=StrEnum)
_NAMES: Final[Mapping[type, str]] = {str: "text", bool: "true or false", int: "a number", list: "a list", dict: "a map"}


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
        against=_text(document, "against"),
        sealed="sealed" in document and _get(document, "sealed", bool),
        rollback="rollback" in document and _get(document, "rollback", bool),
        policy=_read_policy(_get(document, "policy", dict)) if "policy" in document else DEFAULT_POLICY,
    )


def _check_head(document: Mapping[str, Json]) -> None:
    if (kind := _get(document, "kind", str)) != "plan":
        raise ValueError(f"it is a document of kind {kind[:40]!r}, not a plan")
    if (version := _get(document, "format_version", str)) != FORMAT_VERSION:
        raise ValueError(f"it has format {version[:40]!r}: this version reads {FORMAT_VERSION!r}")
    if document.get("masked"):
        raise ValueError("its sensitive values are masked: it can be shown, but not applied")
    if _get(document, "digest", str) != digest_of(document):
        raise ValueError("its digest does not match its content: it was edited or damaged")


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
    """Read every entry of a list; an error names the index of the entry."""
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
        address=_address(_get(record, "address", str)),
        action=Action(action),
        id=_text(record, "id"),
        reasons=tuple(_each(record, "reasons", _reason)),
        source=_read_source(record),
        fields=tuple(_each(record, "fields", _read_field)),
        units=tuple(_each(record, "units", _read_unit)),
        patch=_get(record, "patch", dict) if "patch" in record else None,
        expects=_read_digests(record, "expects"),
        blocked=Block(_open(Blocker, _get(block, "by", str)), _get(block, "hint", str)) if block is not None else None,
        seals=_read_digests(record, "seals"),
        refs=tuple(_each(record, "refs", _read_ref)) if "refs" in record else (),
        needs=tuple(_each(record, "needs", _number)) if "needs" in record else (),
        number=_get(record, "number", int),
        removal=Removal(_get(record, "removal", str)) if "removal" in record else None,
        replaces=tuple(_each(record, "replaces", _id)) if "replaces" in record else (),
        same_name_allowed=record.get("same_name") == "allow",
        former_owner=_text(record, "former_owner"),
    )


def _read_policy(record: Json) -> ConflictPolicy:
    resolve = _text(record, "resolve")
    return ConflictPolicy(OnDrift(_get(record, "on_drift", str)), None if resolve is None else Resolve(resolve))


def _read_digests(record: Mapping[str, Json], name: str) -> dict[Unit, str]:
    return dict(_each(record, name, _read_digest)) if name in record else {}


def _read_digest(record: Json) -> tuple[Unit, str]:
    unit = _get(record, "unit", list)
    return tuple(_typed(step, str, "a step of a unit") for step in unit), _get(record, "digest", str)


def _number(value: Json) -> int:
    return _typed(value, int, "the number of a change")


def _id(value: Json) -> str:
    return _typed(value, str, "an id")


def _read_ref(record: Json) -> tuple[Path, Address]:
    return tuple(_each(record, "path", _step)), _address(_get(record, "address", str))


def _address(text: str) -> Address:
    address = Address.parse(text)
    if not is_key(address.key):
        raise ValueError(f"no resource can have the address {text[:160]!r}")
    return address


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
