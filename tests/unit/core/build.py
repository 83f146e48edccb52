"""What tests of the core are made of: two kinds, and short ways to write manifests, live objects and plans."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reconciler.core.fingerprint import fingerprint
from reconciler.core.last_applied import NO_BASE, UNKNOWN, Base, BaseSource, digest_of
from reconciler.core.matching.index import Observation
from reconciler.core.plan import Plan, Scope, TargetIdentity, make_plan
from reconciler.core.references import with_ids_filled_in
from reconciler.core.values import marks
from reconciler.core.values.model import Action, Address, Body, Change, Json, LiveObject, Manifest, OnRemove, Unit
from reconciler.core.values.semantics import Kind, Meaning, units
from reconciler.diagnostics import Source
from reconciler.engine.compact import Compactor
from reconciler.formats.dialect import compile_schema
from reconciler.formats.outcome import Outcome, Result

SCHEMAS = Path(__file__).parents[3] / "schemas"
SCHEMA: dict[str, Any] = json.loads((SCHEMAS / "assistant.schema.json").read_text(encoding="utf-8"))
COUPLED = (("model", "temperature", "top_p", "reasoning_effort"),)
ASSISTANT = Kind("assistant", compile_schema(SCHEMA), "metadata", "name", "unknown", COUPLED)

WIDGET_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "readOnly": True},
        "size": {"type": ["integer", "null"], "default": None, "x-immutable": True, "x-on-remove": None},
        "title": {"type": "string"},
        "secret": {"type": "string", "writeOnly": True},
        "token": {"type": ["string", "null"], "default": None, "x-sensitive": True, "x-on-remove": None},
        "steps": {
            "type": "array",
            "x-list": "ordered",
            "default": [],
            "x-on-remove": [],
            "items": {"type": "object", "additionalProperties": False, "properties": {"do": {"type": "string"}}},
        },
        "paint": {
            "type": ["object", "null"],
            "additionalProperties": False,
            "default": {},
            "x-on-remove": None,
            "properties": {"color": {"type": "string", "default": "white"}, "coats": {"type": "integer"}},
        },
        "extras": {"type": ["object", "null"], "default": {}, "x-on-remove": None, "additionalProperties": {}},
        "labels": {
            "type": ["object", "null"],
            "additionalProperties": {"type": "string"},
            "default": {},
            "x-map": "granular",
        },
    },
}
WIDGET = Kind("widget", compile_schema(WIDGET_SCHEMA), "labels", nested="replace", max_entries=4)

OWNER = "acme"
TARGET = TargetIdentity("test", "test", "http://test.invalid")
SOURCE = Source("a.yaml", 1, 1)


def manifest(key: str, body: Body, kind: Kind = ASSISTANT, **block: Any) -> Manifest:
    """A manifest; `block` is what its `reconciler:` block says."""
    for name in ("ignore", "initial"):
        block[name] = frozenset(block.get(name, ()))
    return Manifest(Address(kind.name, key), body, SOURCE, **block)


def bare(id: str, body: Body, kind: Kind = ASSISTANT, created: float = 0) -> LiveObject:
    """An object without a mark."""
    return LiveObject(kind.name, id, {"id": id, **body}, created)


def with_mark(id: str, text: Json, body: Body, kind: Kind = ASSISTANT, created: float = 0) -> LiveObject:
    """An object that has `text` in the mark's place."""
    carrier = {**(body.get(kind.mark_field) or {}), "reconciler": text}
    return bare(id, {**body, kind.mark_field: carrier}, kind, created)


def nonce_of(id: str) -> str:
    """A nonce that no other object has."""
    return "".join(letter for letter in f"n{id.removeprefix('o')}" if letter.isalnum() and letter.isascii())[:16]


def marked(
    id: str,
    key: str,
    body: Body,
    kind: Kind = ASSISTANT,
    *,
    managed: Iterable[Unit] | None = None,
    nonce: str | None = None,
    owner: str = OWNER,
    protect: bool = False,
    on_remove: OnRemove | None = None,
    created: float = 0,
    last: Body | None = None,
) -> LiveObject:
    """An object that we made; all of its units are managed unless `managed` names them.

    Its mark keeps digests where `last` gives what was last applied.
    """
    chosen = list(units(kind, body) if managed is None else managed)
    mark = marks.Mark(owner, key, nonce or nonce_of(id), protect, on_remove, marks.codes(chosen))
    if last is not None:
        known = units(kind, last)
        digests = {marks.code(unit): digest_of(kind, unit, known.get(unit)) for unit in chosen}
        mark = marks.with_digests(mark, digests, kind.max_mark)
    return with_mark(id, marks.write(mark), body, kind, created)


def plan(
    manifests: Iterable[Manifest] = (), objects: Iterable[LiveObject] = (), kind: Kind = ASSISTANT, **scope: Any
) -> Plan:
    """The plan of one kind; `base` gives what was last applied, or `source` where to ask; the rest is the scope."""
    base: Base = scope.pop("base", UNKNOWN)
    source: BaseSource = scope.pop("source", Always(base=base))
    return made_plan(Scope(OWNER, **scope), list(manifests), [Observation(kind, tuple(objects), 1)], source)


def made_plan(
    scope: Scope, files: Sequence[Manifest], observed: Sequence[Observation], source: BaseSource = NO_BASE
) -> Plan:
    """A plan; it has to be the same where objects that agree with their manifests are not kept whole."""
    found = make_plan(TARGET, scope, "sha256:0", files, observed, source)
    kinds = {each.kind.name: each.kind for each in observed}
    known = [replace(each, fingerprint=fingerprint(kinds[each.address.kind], each)) for each in files]
    compactor = Compactor(known, OWNER, digests=scope.digests)
    lean = [kept(each, compactor) for each in observed]
    assert make_plan(TARGET, scope, "sha256:0", known, lean, source) == found
    return found


def kept(observation: Observation, compactor: Compactor) -> Observation:
    """What is kept of a kind that was read."""
    seen = tuple(compactor.compact(observation.kind, live) for live in observation.objects)
    again = compactor.learn(replace(observation, objects=seen))
    chosen = [whole if whole.id in again else live for whole, live in zip(observation.objects, seen, strict=True)]
    return replace(observation, objects=tuple(chosen))


def the_change(found: Plan) -> Change:
    """The only change of a plan."""
    [change] = found.changes
    return change


def actions(found: Plan) -> list[tuple[str, str, str | None, bool]]:
    """What a plan does: action, key, id, and whether it is blocked."""
    return [(c.action.value, c.address.key, c.id, c.blocked is not None) for c in found.changes]


@dataclass(frozen=True)
class Always(BaseSource):
    """The same base for every object."""

    base: Base = UNKNOWN

    def of(self, kind: Kind, address: Address, mark: marks.Mark | None) -> Base:
        return self.base


def remembered(body: Body, kind: Kind = ASSISTANT, *, certain: bool = False) -> Base:
    """A base that remembers a whole body: as reading an earlier commit does, or as a mark does."""
    known = units(kind, body)
    return (
        Base({marks.code(unit): digest_of(kind, unit, known[unit]) for unit in known})
        if certain
        else Base(managed=known)
    )


def sent_to(live: Body, patch: Body, kind: Kind, merging: bool = False) -> Body:
    """A body after a request: fields are replaced; `merging` remotes merge the objects whose every part has a default.

    (An object with a part that has none is a tagged value, like `response_format`: that is never merged.) Maps owned
    entry by entry are replaced or merged as the kind says.
    """
    after = dict(live)
    for name, value in patch.items():
        meaning = kind.fields[name]
        if meaning.granular and kind.maps != "whole" and isinstance(value, dict):
            entries = {**(live.get(name) or {}), **value}
            after[name] = {key: entry for key, entry in entries.items() if kind.maps == "merge" or entry is not None}
        else:
            merged = merging and name != kind.mark_field
            after[name] = _merged(meaning, live.get(name), value) if merged else value
    return after


def _merged(meaning: Meaning, live: Json, value: Json) -> Json:
    parts = meaning.properties
    options = parts and all(part.default is not None for part in parts.values())
    if not (options and isinstance(live, dict) and isinstance(value, dict)):
        return value
    found = {**live, **value}
    for name in live.keys() & value.keys() & parts.keys():
        found[name] = _merged(parts[name], live[name], value[name])
    return found


def applied(found: Plan, objects: Iterable[LiveObject], kind: Kind, merging: bool = False) -> list[LiveObject]:
    """The objects after an apply of all that is not blocked, by a remote that keeps what it is sent."""
    world = {live.id: live for live in objects}
    for change in found.changes:
        if not change.blocked and change.action is not Action.NOOP:
            carry_out(change, world, kind, merging)
    return list(world.values())


def carry_out(change: Change, world: dict[str, LiveObject], kind: Kind, merging: bool = False) -> str:
    """Do one change to the objects by id; the id of the object it is about."""
    if change.action is Action.DELETE:
        return world.pop(str(change.id)).id
    id = created_id(change, world) if change.action is Action.CREATE else str(change.id)
    live = world.get(id, LiveObject(kind.name, id, {"id": id}, 1e9))
    body = sent_to(live.body, change.patch or {}, kind, merging and id in world)
    if text := body[kind.mark_field].get("reconciler", ""):
        body[kind.mark_field] = {**body[kind.mark_field], "reconciler": marks.draw(text, "d" + nonce_of(id))}
    world[id] = replace(live, body=body)
    return id


def applied_to(
    found: Plan, observed: Sequence[Observation], merging: bool = False, failing: Container[int] = ()
) -> list[Observation]:
    """What there is to observe after an apply in which the changes in some places of the plan fail.

    What needs something that was not done is not done either.
    """
    kinds = {each.kind.name: each.kind for each in observed}
    worlds = {each.kind.name: {live.id: live for live in each.objects} for each in observed}
    ids: dict[Address, str] = {}
    done: set[int] = set()
    for place, planned in enumerate(found.changes):
        change, name = with_ids_filled_in(planned, ids), planned.address.kind
        if change.is_due and place not in failing and not change.refs and done.issuperset(change.needs):
            ids[change.address] = carry_out(change, worlds[name], kinds[name], merging)
            done.add(planned.number)
    return [replace(each, objects=tuple(worlds[each.kind.name].values())) for each in observed]


def created_id(change: Change, taken: Container[str]) -> str:
    """The id of the object a create makes."""
    id = f"new_{change.address.key}"
    while id in taken:
        id += "2"
    return id


def outcomes(found: Plan, before: Iterable[LiveObject], after: Iterable[LiveObject]) -> list[Outcome]:
    """What an apply tells that made `after` out of `before`."""
    taken, now = {live.id for live in before}, {live.id: live.body for live in after}
    told = []
    for change in found.changes:
        if change.is_due:
            id = change.id if change.action is not Action.CREATE else created_id(change, taken)
            taken.add(str(id))
            told.append(
                Outcome(change.address, change.action, Result.DONE, id, after=now.get(str(id)), number=change.number)
            )
    return told
