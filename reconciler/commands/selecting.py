"""Which live objects `pull` takes, and why it leaves others alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from reconciler.core.base import UnknownBase
from reconciler.core.decide import decide_update
from reconciler.core.desired import managed_units
from reconciler.core.kind_plan import KindPlanner
from reconciler.core.marks import Mark
from reconciler.core.model import Json, LiveObject, Manifest


@dataclass(frozen=True, slots=True)
class Chosen:
    """A live object that gets a manifest; `mark` is ours where it has one and its manifest is gone."""

    planner: KindPlanner
    live: LiveObject
    mark: Mark | None = None


@dataclass(slots=True)
class Selection:
    """What is to be done with the live objects.

    `written` have their manifest already, not yet their mark: an earlier pull was interrupted, or a person wrote it.
    `left` are the ids that are left alone, and why.
    """

    chosen: list[Chosen] = field(default_factory=list)
    written: list[tuple[KindPlanner, Manifest, LiveObject]] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)
    matched: set[str] = field(default_factory=set)


def select(planners: Sequence[KindPlanner], wishes: Sequence[str]) -> Selection:
    """Sort the live objects: all of them, or those whose id or name is wished for (`*` and `?` stand for others)."""
    selection = Selection()
    for planner in planners:
        by_age = sorted(planner.index.by_id.values(), key=lambda live: (live.created, live.id))
        wished = {live.id: _wishes_for(planner, live, wishes) for live in by_age}
        selection.matched.update(wish for found in wished.values() for wish in found)
        if planner.kind.fixed:
            why = f"a {planner.kind.name} cannot be managed afterwards, nor its content read: name it by its `source`"
            selection.left += [(id, why) for id, found in wished.items() if found]
            continue
        objects = [live for live in by_age if wished[live.id] or not wishes]
        reasons = dict(_reasons(planner, named=bool(wishes)))
        marks = {owned.live.id: owned.mark for owned in planner.index.ours.values()}
        free = [live for live in objects if live.id not in reasons]
        selection.left += [(live.id, reasons[live.id]) for live in objects if reasons.get(live.id)]
        ours = planner.index.ours
        waiting = [m for m in planner.manifests.values() if m.address.key not in ours and not (m.id or m.moved_from)]
        _pair(planner, waiting, [live for live in free if live.id not in marks], selection)
        found = {manifest.address for _, manifest, _ in selection.written}
        orphans = [Chosen(planner, live, marks[live.id]) for live in free if live.id in marks]
        _bring_back(planner, [each for each in waiting if each.address not in found], orphans, selection)
    return selection


def _wishes_for(planner: KindPlanner, live: LiveObject, wishes: Sequence[str]) -> list[str]:
    name = _name(planner, live.body)
    return [each for each in wishes if each in (live.id, name) or (name is not None and fnmatchcase(name, each))]


def _reasons(planner: KindPlanner, *, named: bool) -> Iterator[tuple[str, str]]:
    """Why an object is not taken; an empty reason is one that nobody has to be told."""
    found = planner.index
    kind = planner.kind.name
    moving = {each.moved_from for each in planner.manifests.values()}
    for key, owned in found.ours.items():
        if key in planner.manifests:
            yield owned.live.id, f"is managed already, as {kind}/{key}" if named else ""
        elif key in moving:
            yield owned.live.id, f"becomes another address with the next apply: a manifest says moved_from: {key}"
    for key, twins in found.twins.items():
        yield from ((twin.live.id, f"is a twin of {kind}/{key}: `apply` keeps the older one") for twin in twins)
    yield from ((copy.live.id, f"is a copy of {first.live.id}, mark included") for first, copy in found.copies)
    yield from ((owned.live.id, f"is managed by {owned.mark.owner}") for owned in found.foreign)
    yield from ((live.id, "was written by a newer reconciler") for live, _ in found.newer)
    yield from ((live.id, "has a mark that cannot be read") for live in found.damaged)
    ours = {owned.live.id for owned in found.ours.values()}
    for manifest in planner.manifests.values():
        if manifest.id is not None and manifest.id not in ours:
            yield manifest.id, f"is bound by {manifest.address}: `apply` adopts it"


def _bring_back(
    planner: KindPlanner, waiting: Sequence[Manifest], orphans: Sequence[Chosen], selection: Selection
) -> None:
    """Objects of ours without a manifest; not where one that waits for its object looks like theirs, renamed."""
    for chosen in orphans:
        name = _name(planner, chosen.live.body)
        alike = [m for m in waiting if _name(planner, m.body) == name and (name or _says(planner, m, chosen.live))]
        if alike and chosen.mark:
            hint = f"if it was renamed, write `reconciler: {{moved_from: {chosen.mark.key}}}` there"
            selection.left.append((chosen.live.id, f"looks like {alike[0].address}; {hint}"))
        else:
            selection.chosen.append(chosen)


def _pair(
    planner: KindPlanner, waiting: Sequence[Manifest], objects: Sequence[LiveObject], selection: Selection
) -> None:
    """Tell the objects that have their manifest already from those that need one.

    A manifest that has no object yet, and the same name and content, was written by a pull that did not get to the
    mark: it is adopted. Files hold no id for that: they would keep it forever, and it is not theirs to say which object
    they are. The same name and other content could be anything, so that object is left alone.
    """
    by_name: dict[str | None, list[Manifest]] = {}
    for manifest in sorted(waiting, key=lambda each: -len(managed_units(planner.kind, each))):
        by_name.setdefault(_name(planner, manifest.body), []).append(manifest)
    rest = []
    for live in objects:
        namesakes = by_name.get(_name(planner, live.body), [])
        match = next((each for each in namesakes if _says(planner, each, live)), None)
        if match is None:
            rest.append(live)
        else:
            namesakes.remove(match)
            selection.written.append((planner, match, live))
    for live in rest:
        name = _name(planner, live.body)
        if name is not None and (same := [m for m in by_name.get(name, ()) if not m.same_name_allowed]):
            hint = f"to manage it: `reconciler adopt {same[0].address} {live.id}`"
            selection.left.append((live.id, f"has the name of {same[0].address}, which says something else; {hint}"))
        else:
            selection.chosen.append(Chosen(planner, live))


def _says(planner: KindPlanner, manifest: Manifest, live: LiveObject) -> bool:
    """Whether a manifest would change nothing of an object."""
    return not decide_update(planner.kind, manifest, live.body, None, UnknownBase()).writes


def _name(planner: KindPlanner, body: Mapping[str, Json]) -> str | None:
    """The name people see; None where there is none."""
    name = body.get(planner.kind.name_field or "")
    return name if isinstance(name, str) and name else None
