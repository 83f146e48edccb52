"""References between resources, and the order of changes that follows from them.

A manifest says where it refers to what (`Manifest.refs`). While the other resource does not exist yet, a placeholder
stands in the value's place, and the change says where (`Change.refs`): apply puts the id there once it is known. A
change that refers to an object needs its create; a delete needs the changes that end the use of its object. An object
that anything live goes on using, ours or not, is not deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

from reconciler.core.matching.index import Observation
from reconciler.core.values.model import Action, Address, Block, Blocker, Body, Change, Json, Manifest, Path, Removal
from reconciler.core.values.semantics import FREE, Kind, Meaning

_Node = TypeVar("_Node", bound=Any)
ObjectRef: TypeAlias = tuple[str, str]
"""An object that is referred to: its kind and id."""


def placeholder(address: Address) -> str:
    """What stands for an id until it is known."""
    return f"(known after apply: {address})"


def resolved(manifest: Manifest, ids: Mapping[Address, str]) -> Manifest:
    """The manifest with the ids that are known; what it still refers to stays in its `refs`."""
    if not manifest.refs:
        return manifest
    known = {path: ids[address] for path, address in manifest.refs.items() if address in ids}
    left = {path: address for path, address in manifest.refs.items() if address not in ids}
    return replace(manifest, body=with_values(dict(manifest.body), known), refs=left)


def with_ids_filled_in(change: Change, ids: Mapping[Address, str]) -> Change:
    """The change with the ids that are known in its patch."""
    if not change.refs:
        return change
    known = {path: ids[address] for path, address in change.refs if address in ids}
    left = tuple((path, address) for path, address in change.refs if address not in ids)
    return replace(change, patch=with_values(change.patch or {}, known), refs=left)


def with_values(body: Body, values: Mapping[Path, Json]) -> Body:
    """A body with other values in some places; what is not on the way to them is shared with the original."""
    for path, value in values.items():
        body = _put(body, path, value)
    return body


def _put(container: Json, path: Path, value: Json) -> Json:
    if not path:
        return value
    copy: Json = dict(container) if isinstance(container, dict) else list(container)
    copy[path[0]] = _put(copy[path[0]], path[1:], value)
    return copy


def dependencies_of(changes: Sequence[Change]) -> dict[int, frozenset[int]]:
    """For each change that waits for others the numbers of those."""
    makers = {change.address: change.number for change in changes if change.action is Action.CREATE}
    return {
        change.number: frozenset((*change.needs, *(makers[at] for _, at in change.refs if at in makers)))
        for change in changes
        if change.needs or change.refs
    }


def levels(changes: Sequence[Change]) -> dict[int, int]:
    """How many changes of the same kind have to come before a change, at the longest, where it is any at all."""
    kinds = {change.number: change.address.kind for change in changes}
    waits = {
        number: {each for each in before if kinds.get(each) == kinds[number]} - {number}
        for number, before in dependencies_of(changes).items()
    }
    if not waits:
        return {}
    found = depths({number: waits.get(number, ()) for number in kinds})
    return {number: depth for number, depth in found.items() if depth}


def depths(needs: Mapping[_Node, Collection[_Node]]) -> dict[_Node, int]:
    """How many of these addresses come before each, on the longest path; those in a circle come last."""
    users: dict[_Node, list[_Node]] = {address: [] for address in needs}
    left = dict.fromkeys(needs, 0)
    for address, others in needs.items():
        for other in others:
            if other in users:
                users[other].append(address)
                left[address] += 1
    found = dict.fromkeys(needs, len(needs))
    ready, depth = [address for address, number in left.items() if not number], 0
    while ready:
        following: list[_Node] = []
        for address in ready:
            found[address] = depth
            for user in users[address]:
                left[user] -= 1
                if not left[user]:
                    following.append(user)
        ready, depth = following, depth + 1
    return found


def refuse_broken(changes: Sequence[Change]) -> list[Change]:
    """Block every change that refers to something which neither exists nor is made by an unblocked change."""
    result = list(changes)
    while True:
        made = {c.address for c in result if c.action is Action.CREATE and c.is_due}
        broken = {
            place: next(address for _, address in change.refs if address not in made)
            for place, change in enumerate(result)
            if change.is_due and not made.issuperset(address for _, address in change.refs)
        }
        if not broken:
            return result
        for place, address in broken.items():
            hint = f"it refers to {address}, which does not exist and is not created by this plan"
            result[place] = replace(result[place], blocked=Block(Blocker.DEPENDENCY, hint))


def refuse_used(changes: Sequence[Change], observed: Sequence[Observation]) -> list[Change]:
    """Block deletes of what is still used afterwards; the others come after the changes that end the use.

    What stays because of that goes on using what it uses, so this is repeated until nothing more is blocked.
    """
    before, now = list(changes), _refuse_used(changes, observed)
    while now != before:
        before, now = now, _refuse_used(now, observed)
    return now


def _refuse_used(changes: Sequence[Change], observed: Sequence[Observation]) -> list[Change]:
    deletes = {(c.address.kind, c.id or "") for c in changes if c.action is Action.DELETE and c.is_due}
    if not deletes:
        return list(changes)
    ended: dict[ObjectRef, set[int]] = {}
    users: dict[ObjectRef, str] = {}
    by_object = {(c.address.kind, c.id): c for c in changes if c.id is not None and c.is_due}
    for observation in observed:
        kind = observation.kind
        for live in observation.objects:
            change = by_object.get((kind.name, live.id))
            still = frozenset(references(kind, _after(kind, live.body, change)))
            for held in deletes & set(references(kind, live.body)):
                if held not in still and change is not None:
                    ended.setdefault(held, set()).add(change.number)
                else:
                    users[held] = min(users.get(held, "~"), f"{kind.name} {live.id}")
    makers = {c.address: c.number for c in changes if c.action is Action.CREATE and c.is_due}
    return [_ordered(change, users, ended, makers) for change in changes]


def _ordered(
    change: Change, users: Mapping[ObjectRef, str], ended: Mapping[ObjectRef, set[int]], makers: Mapping[Address, int]
) -> Change:
    held = (change.address.kind, change.id or "")
    if change.action is not Action.DELETE or not change.is_due:
        return change
    if user := users.get(held):
        return replace(change, blocked=Block(Blocker.IN_USE, f"{user} still uses it: remove it there first"))
    needs = set(ended.get(held, ())) - {change.number}
    if change.removal is Removal.REPLACED and change.address in makers:
        needs.add(makers[change.address])  # what takes its place is there first
    return replace(change, needs=tuple(sorted(needs)))


def _after(kind: Kind, body: Body, change: Change | None) -> Body:
    if change is None:
        return body
    patch = change.patch or {}
    maps = {name: {**(body.get(name) or {}), **patch[name]} for name in kind.managed_maps & patch.keys()}
    return {} if change.action is Action.DELETE else {**body, **patch, **maps}


def referring(kind: Kind) -> frozenset[str]:
    """The fields of a kind that can hold the id of an object."""
    return frozenset(name for name, meaning in kind.fields.items() if next(_refs(meaning), None) is not None)


def usable(kind: Kind) -> frozenset[str]:
    """The kinds whose objects one of this kind can use."""
    return frozenset(ref for meaning in kind.fields.values() for ref in _refs(meaning))


def _refs(meaning: Meaning) -> Iterator[str]:
    if meaning.ref is not None:
        yield meaning.ref
    for inner in (*meaning.properties.values(), meaning.items, meaning.entries):
        if inner is not None:
            yield from _refs(inner)


def references(kind: Kind, body: Body) -> Iterator[ObjectRef]:
    """The objects that a body refers to."""
    return (held for _, held in reference_places(kind, body))


def reference_places(kind: Kind, body: Body) -> Iterator[tuple[Path, ObjectRef]]:
    """Where a body refers to which objects."""
    for name, value in body.items():
        yield from _held(kind.fields.get(name, FREE), value, (name,))


def _held(meaning: Meaning, value: Json, path: Path) -> Iterator[tuple[Path, ObjectRef]]:
    if isinstance(value, str):
        if meaning.ref:
            yield path, (meaning.ref, value)
    elif isinstance(value, list):
        for place, entry in enumerate(value):
            yield from _held(meaning.items or FREE, entry, (*path, place))
    elif isinstance(value, dict):
        for name, entry in value.items():
            yield from _held(meaning.properties.get(name) or meaning.entries or FREE, entry, (*path, name))


def has_place(value: Json, path: Path) -> bool:
    """Whether there is a value at a path that leads through maps and lists."""
    for step in path:
        within = isinstance(value, dict) and step in value
        if not (within or (isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value))):
            return False
        value = value[step]
    return bool(path)
