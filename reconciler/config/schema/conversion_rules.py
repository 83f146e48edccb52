"""Converts a body to another provider's kind by the rules of a data file, and reports what is lost.

Rules are in `schemas/conversions/PROVIDER.yaml`, checked by `schemas/conversion.schema.json`. What no rule names stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from reconciler.config.syntax.document_builder import copied
from reconciler.core.values.model import ABSENT, Body, Json, Path


@dataclass(frozen=True, slots=True)
class DefaultValue:
    """A value to write if the field is not set and the mapping around it exists."""

    path: tuple[str, ...]
    value: Json
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ConversionCase:
    """What becomes of an object by its `type`: the entries of `lift` take its place, then `fields` are converted."""

    drop: str | None = None
    lift: str | None = None
    fields: Mapping[str, FieldRule] = field(default_factory=dict)
    set: Mapping[str, Json] = field(default_factory=dict)
    fill: tuple[DefaultValue, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What becomes of one field; `nothing` lists values that say what an absent field says."""

    to: tuple[str, ...] | None = None
    drop: str | None = None
    note: str | None = None
    nothing: tuple[Json, ...] = ()
    words: Mapping[str, Json] = field(default_factory=dict)
    cases: Mapping[str, ConversionCase] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conversion:
    """The way from one kind to another: `whole` is the case every body falls under."""

    source: str
    kind: str
    whole: ConversionCase


class ConversionNote(NamedTuple):
    """Something to know about the value at `path` of the old body: it has no counterpart, or wants a look."""

    path: Path
    text: str
    dropped: bool


class Converted(NamedTuple):
    """The new body, and what is to be known about the old one."""

    body: Body
    notes: list[ConversionNote]


def conversion_from(fields: Mapping[str, Any]) -> Conversion:
    """The typed form of a file that its schema has accepted."""
    return Conversion(fields["from"], fields["to"], _case(fields))


def converted(body: Body, conversion: Conversion) -> Converted:
    """The body as the other kind spells it; the values of it are copies."""
    notes: list[ConversionNote] = []
    return Converted(_Converter(notes).entries(body, conversion.whole, ()), notes)


def drops_whole(value: Json, rule: FieldRule) -> bool:
    """Whether the rule lets the value go as a whole, with or without a word."""
    case = case_of(value, rule)
    return value in rule.nothing or rule.drop is not None or (case is not None and case.drop is not None)


def case_of(value: Json, rule: FieldRule) -> ConversionCase | None:
    """The case that an object falls under."""
    found = value.get("type") if isinstance(value, dict) else None
    return rule.cases.get(found) if isinstance(found, str) else None


def lifted(value: Body, case: ConversionCase) -> Iterator[tuple[str, Json, Path]]:
    """Name, value and path of every entry once those of the lifted one have taken its place."""
    for name, each in value.items():
        if name == case.lift and isinstance(each, dict):
            yield from ((inner, below, (name, inner)) for inner, below in each.items())
        else:
            yield name, each, (name,)


class _Converter:
    def __init__(self, notes: list[ConversionNote]) -> None:
        self._notes = notes

    def entries(self, value: Body, case: ConversionCase, path: Path) -> Body:
        new: Body = {}
        for name, each, below in lifted(value, case):
            rule = case.fields.get(name, _AS_IT_IS)
            if (result := self._value(each, rule, (*path, *below))) is not ABSENT:
                _put(new, rule.to or (name,), result)
        new |= case.set
        for fill in case.fill:
            if _put(new, fill.path, copied(fill.value), only_inside=True) and fill.note:
                self._notes.append(ConversionNote((*path, fill.path[0]), fill.note, False))
        return new

    def _value(self, value: Json, rule: FieldRule, path: Path) -> Json:
        case = case_of(value, rule)
        if drops_whole(value, rule):
            advice = (case.drop if case else None) or rule.drop
            if advice and value is not None and value not in rule.nothing:
                self._notes.append(ConversionNote(path, advice, True))
            return ABSENT
        if rule.note:
            self._notes.append(ConversionNote(path, rule.note, False))
        if isinstance(value, list) and rule.cases:
            return self._items(value, rule, path)
        if case:
            return self.entries(value, case, path)
        return copied(rule.words.get(value, value) if isinstance(value, str) else value)

    def _items(self, value: list[Json], rule: FieldRule, path: Path) -> Json:
        each_rule = FieldRule(cases=rule.cases)
        results = [self._value(each, each_rule, (*path, index)) for index, each in enumerate(value)]
        kept = [each for each in results if each is not ABSENT]
        return kept if kept or not value else ABSENT


_AS_IT_IS = FieldRule()


def _put(body: Body, path: tuple[str, ...], value: Json, *, only_inside: bool = False) -> bool:
    """Put a value at a path; `only_inside`: only where nothing is yet, and what is around it is there."""
    around = body
    for name in path[:-1]:
        if only_inside and not isinstance(around.get(name), dict):
            return False
        around = around.setdefault(name, {})
    if only_inside and path[-1] in around:
        return False
    around[path[-1]] = value
    return True


def _case(fields: Mapping[str, Any]) -> ConversionCase:
    return ConversionCase(
        drop=fields.get("drop"),
        lift=fields.get("lift"),
        fields={name: _rule(each) for name, each in fields.get("fields", {}).items()},
        set=fields.get("set", {}),
        fill=tuple(
            DefaultValue(tuple(each["path"]), each["value"], each.get("note")) for each in fields.get("fill", ())
        ),
    )


def _rule(fields: Mapping[str, Any]) -> FieldRule:
    return FieldRule(
        to=tuple(fields["to"]) if "to" in fields else None,
        drop=fields.get("drop"),
        note=fields.get("note"),
        nothing=tuple(fields.get("nothing", ())),
        words=fields.get("words", {}),
        cases={name: _case(each) for name, each in fields.get("cases", {}).items()},
    )
