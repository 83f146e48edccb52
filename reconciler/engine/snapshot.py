"""Reads a target: whole lists, completed by recent creates in the journal of this machine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeAlias

from reconciler.core.matching.index import Observation, index, mark_of, mark_text
from reconciler.core.matching.match import is_expired
from reconciler.core.values.marks import Mark, Signing, checked
from reconciler.core.values.model import Body, Json, LiveObject, Manifest
from reconciler.core.values.semantics import Kind
from reconciler.drivers.base import Driver, IncompleteList, NoSuchApi, NotFound
from reconciler.drivers.provider import MembersStyle
from reconciler.engine.compact import Compactor
from reconciler.engine.members import MemberKeys, keys_of, with_entries
from reconciler.engine.state.journal import CreateAttempt, Journal


@dataclass(frozen=True, slots=True)
class KindOnTarget:
    """A kind, the field of its objects that tells when they were made, and how its collections are spoken to.

    `signing` gives what marks are signed with, once the remote was asked for its account; None where no key is set.
    """

    kind: Kind
    created_field: str | None = None
    members: Mapping[str, MembersStyle] = field(default_factory=dict)
    signing: Callable[[], Signing | None] = lambda: None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was read, and the creates of an earlier run that may still come to light.

    Reading began at `read_at`, in seconds of the monotonic clock; None where nobody noted it.
    """

    observed: tuple[Observation, ...]
    unsettled: tuple[CreateAttempt, ...] = ()
    read_at: float | None = None


def observe(
    driver: Driver,
    kinds: Iterable[KindOnTarget],
    journal: Journal,
    optional: Collection[str] = (),
    compactor: Compactor | None = None,
) -> Snapshot:
    """Read every object of every kind. Raises RemoteError when a list cannot be read to its end.

    A kind named in `optional` is left out where the remote does not serve it at all. With a `compactor`, only the
    headers of objects that need nothing are kept.

    A list may lag behind writes. An object that this machine made a moment ago and the list does not show is read by
    its id; a create that was interrupted is reported as unsettled until the target's `settle_seconds` have passed.
    """
    recent = journal.recent()
    observed: list[Observation] = []
    unsettled: list[CreateAttempt] = []
    for on_target in kinds:
        kind = on_target.kind.name
        try:
            bodies = {body["id"]: _seen(on_target, body, compactor) for body in driver.list(kind)}
        except NoSuchApi:
            if kind in optional:
                continue
            raise
        requests = driver.take_request_count().requests
        found = list(bodies.values())
        shown = _nonces(on_target.kind, found) if recent else frozenset()
        for attempt in (a for a in recent if a.kind == kind and a.id not in bodies and journal.is_here(a)):
            made = _read_made(driver, attempt)
            if made is not None:
                found.append(live_object(on_target, made))
            elif attempt.nonce not in shown:
                unsettled.append(attempt)
        if compactor is not None:
            found = _whole(driver, on_target, found, compactor)
        observed.append(Observation(on_target.kind, tuple(found), requests + driver.take_request_count().requests))
    return Snapshot(tuple(observed), tuple(unsettled))


def _seen(on_target: KindOnTarget, body: Body, compactor: Compactor | None) -> LiveObject:
    live = live_object(on_target, body)
    return live if compactor is None else compactor.compact(on_target.kind, live)


def _whole(
    driver: Driver, on_target: KindOnTarget, found: Sequence[LiveObject], compactor: Compactor
) -> list[LiveObject]:
    """The objects, those read once more that are needed whole. Raises IncompleteList where one is not there."""
    again = compactor.learn(Observation(on_target.kind, tuple(found), 0))
    kept = {live.id: live for live in found} if again else {}
    for id in again:
        try:
            kept[id] = live_object(on_target, driver.read(on_target.kind.name, id))
        except NotFound as error:
            summary = f"the list shows {id}, which cannot be read: {error}"
            raise IncompleteList(summary, hint="run it again: it was deleted meanwhile") from None
    return list(kept.values()) if again else list(found)


Wanted: TypeAlias = Callable[[Kind, str, LiveObject], bool]
"""Whether the members of an object's field are to be read."""


def with_members(
    driver: Driver,
    kinds: Iterable[KindOnTarget],
    observed: Sequence[Observation],
    owner: str,
    wanted: Wanted,
    manifests: Iterable[Manifest],
) -> tuple[Observation, ...]:
    """What was observed, with the members of those collections that are wanted: kind, field and object are asked about.

    Members that are ours are entries of a map, by the keys that the manifests give them. Raises RemoteError.
    """
    styles = {on_target.kind.name: on_target.members for on_target in kinds}
    named = {style.of for each in observed for style in styles[each.kind.name].values()}
    named_kinds = (each for each in observed if each.kind.name in named)
    keys = {each.kind.name: keys_of(index(each.kind, each.objects, owner), manifests) for each in named_kinds}
    result: list[Observation] = []
    for observation in observed:
        objects, kind = list(observation.objects), observation.kind
        for name, style in styles[kind.name].items():
            for place, live in enumerate(objects):
                if not is_expired(kind, live) and wanted(kind, name, live):
                    objects[place] = with_entries(driver, live, name, style, keys.get(style.of, MemberKeys()))
        result.append(
            replace(
                observation,
                objects=tuple(objects),
                requests=observation.requests + driver.take_request_count().requests,
            )
        )
    return tuple(result)


def live_object(on_target: KindOnTarget, body: Body) -> LiveObject:
    """A body as the remote showed it, with its id and time of creation taken out, and what its mark is worth."""
    created = body.get(on_target.created_field) if on_target.created_field else None
    live = LiveObject(on_target.kind.name, str(body["id"]), body, _moment(created))
    signing = on_target.signing()
    return replace(live, mark=checked(mark_text(on_target.kind, live), signing)) if signing else live


def _moment(created: Json) -> float:
    """Unix seconds, also where they are written as RFC 3339 does; 0 where nothing of the kind is there."""
    if isinstance(created, str):
        try:
            moment = datetime.fromisoformat(created)
        except ValueError:
            return 0.0
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    return float(created) if isinstance(created, int | float) and not isinstance(created, bool) else 0.0


def _read_made(driver: Driver, attempt: CreateAttempt) -> Body | None:
    if attempt.id is None:
        return None
    try:
        return driver.read(attempt.kind, attempt.id)
    except NotFound:
        return None


def _nonces(kind: Kind, found: Iterable[LiveObject]) -> frozenset[str]:
    """The nonces of the objects that are there: a create that has one of them happened."""
    marks = (mark_of(kind, live) for live in found)
    return frozenset(mark.nonce for mark in marks if isinstance(mark, Mark))
