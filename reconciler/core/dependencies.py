"""What has to come before what, and what cannot come at all because something else does not.

A change that refers to an object needs its create; a delete needs the changes that end the use of its object. An object
that anything live goes on using, ours or not, is not deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Final

from reconciler.core.members import after
from reconciler.core.model import (
    Action,
    Address,
    Block,
    Blocker,
    Body,
    Change,
    Json,
    Reason,
)
from reconciler.core.pairing import Observation
from reconciler.core.semantics import FREE, Kind, Meaning
from reconciler.diagnostics import Code, Diagnostic, Severity

_NONE: Final[frozenset[Address]] = frozenset()
_Held = tuple[str, str]
"""An object that is referred to: its kind and id."""


def needed(change: Change) -> frozenset[Address]:
    """The addresses whose changes have to be done before this one."""
    return frozenset((*change.needs, *(address for _, address in change.refs)))


def levels(changes: Sequence[Change]) -> dict[Address, int]:
    """How many changes of the same kind have to come before an address, at the longest, where it is any at all."""
    needs: dict[Address, frozenset[Address]] = {}
    for change in changes:
        if change.needs or change.refs:
            same_kind = {address for address in needed(change) if address.kind == change.address.kind}
            needs[change.address] = needs.get(change.address, _NONE) | same_kind - {change.address}
    if not needs:
        return {}
    found = depths({change.address: needs.get(change.address, _NONE) for change in changes})
    return {address: depth for address, depth in found.items() if depth}


def depths(needs: Mapping[Address, Collection[Address]]) -> dict[Address, int]:
    """How many of these addresses come before each, on the longest path; those in a circle come last."""
    users: dict[Address, list[Address]] = {address: [] for address in needs}
    left = dict.fromkeys(needs, 0)
    for address, others in needs.items():
        for other in others:
            if other in users:
                users[other].append(address)
                left[address] += 1
    found = dict.fromkeys(needs, len(needs))
    ready, depth = [address for address, number in left.items() if not number], 0
    while ready:
        following: list[Address] = []
        for address in ready:
            found[address] = depth
            for user in users[address]:
                left[user] -= 1
                if not left[user]:
                    following.append(user)
        ready, depth = following, depth + 1
    return found


def without_broken(changes: Sequence[Change]) -> list[Change]:
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
            block = Block(
                Blocker.DEPENDENCY, f"it refers to {address}, which does not exist and is not made by this plan"
            )
            result[place] = replace(result[place], blocked=block)


def without_used(changes: Sequence[Change], observed: Sequence[Observation]) -> list[Change]:
    """Block deletes of what is still used afterwards; the others come after the changes that end the use.

    What stays because of that goes on using what it uses, so this is repeated until nothing more is blocked.
    """
    before, after = list(changes), _without_used(changes, observed)
    while after != before:
        before, after = after, _without_used(after, observed)
    return after


def _without_used(changes: Sequence[Change], observed: Sequence[Observation]) -> list[Change]:
    deletes = {(c.address.kind, c.id or "") for c in changes if c.action is Action.DELETE and c.is_due}
    if not deletes:
        return list(changes)
    ended: dict[_Held, list[Address]] = {}
    users: dict[_Held, str] = {}
    by_object = {(c.address.kind, c.id): c for c in changes if c.id is not None and c.is_due}
    made = {c.address for c in changes if c.action is Action.CREATE and c.is_due}
    for observation in observed:
        kind = observation.kind
        for live in observation.objects:
            change = by_object.get((kind.name, live.id))
            remaining = _after(kind, live.body, change)
            still = set(_references(kind, remaining))
            for held in deletes & set(_references(kind, live.body)):
                if held not in still and change is not None:
                    ended.setdefault(held, []).append(change.address)
                else:
                    user = f"{kind.name} {live.id}"
                    users[held] = min(user, users.get(held, user))
    return [_guarded(change, users, ended, made) for change in changes]


def _guarded(
    change: Change, users: Mapping[_Held, str], ended: Mapping[_Held, list[Address]], made: Set[Address]
) -> Change:
    held = (change.address.kind, change.id or "")
    if change.action is not Action.DELETE or not change.is_due:
        return change
    if user := users.get(held):
        return replace(change, blocked=Block(Blocker.IN_USE, f"{user} still uses it: take it out there first"))
    needs = set(ended.get(held, ())) - {change.address}
    if Reason.REPLACED in change.reasons and change.address in made:
        needs.add(change.address)  # what takes its place is there first
    return replace(change, needs=tuple(sorted(needs)))


def without_kept(changes: Sequence[Change]) -> tuple[list[Change], list[Diagnostic]]:
    """Leave out deletes of what is superseded while something goes on using it, and say so; nobody asked for them."""
    held = {c.address for c in changes if c.action is Action.CREATE and not c.is_due}
    left: list[Change] = []
    said: list[Diagnostic] = []
    for change in changes:
        if Reason.REPLACED not in change.reasons or (change.is_due and change.address not in held):
            left.append(change)
        elif change.blocked and change.blocked.by is Blocker.IN_USE:
            summary = f"{change.id} has been replaced and stays for now: {change.blocked.hint}"
            said.append(Diagnostic(Severity.INFO, Code.STILL_USED, summary, address=str(change.address)))
    return left, said


def _after(kind: Kind, body: Body, change: Change | None) -> Body:
    if change is None:
        return body
    patch = change.patch or {}
    ways = {name: after(kind, name, patch[name], body.get(name)) for name in kind.members if name in patch}
    return {} if change.action is Action.DELETE else {**body, **patch, **ways}


def referring(kind: Kind) -> frozenset[str]:
    """The fields of a kind that can hold the id of an object."""
    return frozenset(name for name, meaning in kind.fields.items() if _refers(meaning))


def usable(kind: Kind) -> frozenset[str]:
    """The kinds whose objects one of this kind can use."""
    return frozenset(ref for meaning in kind.fields.values() for ref in _refs(meaning))


def _refers(meaning: Meaning) -> bool:
    return next(_refs(meaning), None) is not None


def _refs(meaning: Meaning) -> Iterator[str]:
    if meaning.ref is not None:
        yield meaning.ref
    for inner in (*meaning.properties.values(), meaning.items, meaning.entries):
        if inner is not None:
            yield from _refs(inner)


def _references(kind: Kind, body: Body) -> Iterator[_Held]:
    for name, value in body.items():
        yield from _held(kind.fields.get(name, FREE), value)


def _held(meaning: Meaning, value: Json) -> Iterator[_Held]:
    if isinstance(value, str):
        if meaning.ref:
            yield meaning.ref, value
    elif isinstance(value, list):
        for entry in value:
            yield from _held(meaning.items or FREE, entry)
    elif isinstance(value, dict):
        for name, entry in value.items():
            yield from _held(meaning.properties.get(name) or meaning.entries or FREE, entry)
