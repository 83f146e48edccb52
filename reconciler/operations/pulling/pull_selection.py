"""Which live objects `pull` takes, and why it leaves others alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from reconciler.core.decide import decide_update
from reconciler.core.ownership import Ownership
from reconciler.core.values.managed_units import managed_units
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import Json, LiveObject, Manifest


@dataclass(frozen=True, slots=True)
class SelectedObject:
    """A live object that gets a manifest; `mark` is ours where it has one and its manifest is gone."""

    ownership: Ownership
    live: LiveObject
    mark: Mark | None = None


@dataclass(slots=True)
class Selection:
    """What is to be done with the live objects.

    `written` have their manifest already, not yet their mark: an earlier pull was interrupted, or a person wrote it.
    `left` are the ids that are left alone, and why.
    """

    chosen: list[SelectedObject] = field(default_factory=list)
    written: list[tuple[Ownership, Manifest, LiveObject]] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)
    matched: set[str] = field(default_factory=set)


def select(ownerships: Sequence[Ownership], wishes: Sequence[str]) -> Selection:
    """Sort the live objects: all of them, or those whose id or name is wished for (`*` and `?` stand for others)."""
    selection = Selection()
    for ownership in ownerships:
        by_age = sorted(ownership.found.by_id.values(), key=lambda live: (live.created, live.id))
        wished = {live.id: _wishes_for(ownership, live, wishes) for live in by_age}
        selection.matched.update(wish for found in wished.values() for wish in found)
        if ownership.kind.immutable:
            why = (
                f"a {ownership.kind.name} cannot be managed later, and its content cannot be read: write a "
                "manifest with its `source`"
            )
            selection.left += [(id, why) for id, found in wished.items() if found]
            continue
        objects = [live for live in by_age if wished[live.id] or not wishes]
        reasons = dict(_reasons(ownership, named=bool(wishes)))
        marks = {each.live.id: each.mark for each in ownership.found.managed.values()}
        free = [live for live in objects if live.id not in reasons]
        selection.left += [(live.id, reasons[live.id]) for live in objects if reasons.get(live.id)]
        pairs = ownership.matched.pairs.values()
        waiting = [p.manifest for p in pairs if p.live is None and not (p.manifest.id or p.manifest.moved_from)]
        _pair(ownership, waiting, [live for live in free if live.id not in marks], selection)
        found = {manifest.address for _, manifest, _ in selection.written}
        orphans = [SelectedObject(ownership, live, marks[live.id]) for live in free if live.id in marks]
        _bring_back(ownership, [each for each in waiting if each.address not in found], orphans, selection)
    return selection


def _wishes_for(ownership: Ownership, live: LiveObject, wishes: Sequence[str]) -> list[str]:
    name = _name(ownership, live.body)
    return [each for each in wishes if each in (live.id, name) or (name is not None and fnmatchcase(name, each))]


def _reasons(ownership: Ownership, *, named: bool) -> Iterator[tuple[str, str]]:
    """Why an object is not imported; an empty reason is not reported."""
    found, matched = ownership.found, ownership.matched
    kind = ownership.kind.name
    for key, pair in matched.pairs.items():
        if pair.live is None:
            continue
        address, mark = f"{kind}/{key}", found.marked.get(pair.live.id)
        if mark is None:
            yield pair.live.id, f"is bound by {address}: `apply` adopts it"
        elif mark.mark.key == key:
            yield pair.live.id, f"is managed already, as {address}" if named else ""
        else:
            former = f"a manifest has moved_from: {mark.mark.key}"
            yield pair.live.id, f"becomes another address with the next apply: {former}"
    for key, several in found.duplicates.items():
        yield from ((e.live.id, f"is a duplicate of {kind}/{key}: `apply` keeps the older one") for e in several)
    yield from ((clone.live.id, f"is a copy of {first.live.id}, mark included") for first, clone in found.clones)
    yield from ((each.live.id, f"is managed by {each.mark.owner}") for each in found.foreign)
    yield from ((live.id, "was written by a newer reconciler") for live, _ in found.newer)
    yield from ((live.id, "has a mark that cannot be read") for live in found.damaged)


def _bring_back(
    ownership: Ownership, waiting: Sequence[Manifest], orphans: Sequence[SelectedObject], selection: Selection
) -> None:
    """Objects of ours without a manifest; not where one that waits for its object looks like theirs, renamed."""
    for chosen in orphans:
        name = _name(ownership, chosen.live.body)
        alike = [m for m in waiting if _name(ownership, m.body) == name and (name or _says(ownership, m, chosen.live))]
        if alike and chosen.mark:
            hint = f"if it was renamed, write `reconciler: {{moved_from: {chosen.mark.key}}}` there"
            selection.left.append((chosen.live.id, f"looks like {alike[0].address}; {hint}"))
        else:
            selection.chosen.append(chosen)


def _pair(
    ownership: Ownership, waiting: Sequence[Manifest], objects: Sequence[LiveObject], selection: Selection
) -> None:
    """Tell the objects that have their manifest already from those that need one.

    A manifest that has no object yet, and the same name and content, was written by a pull that did not get to the
    mark: it is adopted. Files hold no id for that: they would keep it forever, and it is not theirs to say which object
    they are. The same name and other content could be anything, so that object is left alone.
    """
    by_name: dict[str | None, list[Manifest]] = {}
    for manifest in sorted(waiting, key=lambda each: -len(managed_units(ownership.kind, each))):
        by_name.setdefault(_name(ownership, manifest.body), []).append(manifest)
    rest = []
    for live in objects:
        namesakes = by_name.get(_name(ownership, live.body), [])
        match = next((each for each in namesakes if _says(ownership, each, live)), None)
        if match is None:
            rest.append(live)
        else:
            namesakes.remove(match)
            selection.written.append((ownership, match, live))
    for live in rest:
        name = _name(ownership, live.body)
        if name is not None and (same := [m for m in by_name.get(name, ()) if not m.same_name_allowed]):
            hint = f"to manage it: `reconciler adopt {same[0].address} {live.id}`"
            selection.left.append((live.id, f"has the name of {same[0].address}, whose manifest differs; {hint}"))
        else:
            selection.chosen.append(SelectedObject(ownership, live))


def _says(ownership: Ownership, manifest: Manifest, live: LiveObject) -> bool:
    """Whether a manifest would change nothing of an object."""
    return not decide_update(ownership.kind, manifest, live.body, None).writes


def _name(ownership: Ownership, body: Mapping[str, Json]) -> str | None:
    """The name people see; None where there is none."""
    name = body.get(ownership.kind.name_field or "")
    return name if isinstance(name, str) and name else None
