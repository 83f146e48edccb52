"""Checks a change again right before its request: an object that was read a while ago is read once more.

A snapshot has an age. An update or delete whose object was read more than `fresh_seconds` ago is sent only after the
object was read again and passed the same rules, and the same check, as when the plan was made. What remains is the time
between that read and the request that follows it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from reconciler.core.references import ObjectRef, references, usable
from reconciler.core.rules.change_rules import refusal
from reconciler.core.rules.world import World
from reconciler.core.values.model import Action, Body, Change, LiveObject
from reconciler.core.values.semantics import Kind
from reconciler.core.verify import AlreadyApplied, Ready, Stale, check_live
from reconciler.drivers.base import Driver, NoSuchApi, NotFound
from reconciler.drivers.provider import MembersStyle
from reconciler.engine.members import known_keys, unmanaged_members_field, with_entries
from reconciler.engine.snapshot import KindOnTarget, live_object


@dataclass(frozen=True, slots=True)
class Step:
    """One change that is ready: what is sent (None for a delete) and the object as it was (None for a create)."""

    change: Change
    kind: Kind
    patch: Body | None
    prior: Body | None


class NotAdmitted(Exception):
    """A change that must not be sent now: it is stale, or there is nothing left to send."""

    def __init__(self, verdict: AlreadyApplied | Stale) -> None:
        super().__init__(verdict.why if isinstance(verdict, Stale) else "it is done already")
        self.verdict = verdict


@dataclass
class Admission:
    """What was read of a target, at `read_at` on `clock`, and how to read it again.

    Where `users_known` is False, a delete reads all that may use its object.
    """

    driver: Driver
    kinds: Sequence[KindOnTarget]
    world: World
    read_at: float
    fresh_seconds: float
    clock: Callable[[], float]
    users_known: bool = True
    _lists: dict[str, _List] = field(default_factory=dict)
    _written: set[ObjectRef] = field(default_factory=set)
    _deleted: set[ObjectRef] = field(default_factory=set)
    _used: dict[ObjectRef, set[ObjectRef]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def on_target(self, kind: str) -> KindOnTarget:
        """A kind by its name, as it is spoken to."""
        return next(each for each in self.kinds if each.kind.name == kind)

    def is_old(self, read_at: float) -> bool:
        """Whether what was read then has to be read again."""
        return self.clock() - read_at > self.fresh_seconds

    def judge(self, step: Step, live: LiveObject) -> Step:
        """The step for the object as it is now. Raises NotAdmitted."""
        change = step.change
        world = replace(self.world, fresh={(live.kind, live.id): live})
        verdict = check_live(change, step.kind, live)
        if isinstance(verdict, AlreadyApplied):
            raise NotAdmitted(verdict)
        if block := refusal(change, world):
            raise NotAdmitted(Stale(f"{live.id} can no longer be changed: {block.hint}"))
        if isinstance(verdict, Ready):
            return replace(step, patch=verdict.patch, prior=live.body)
        raise NotAdmitted(verdict)

    def read(self, step: Step) -> LiveObject:
        """The object of a step as it is right now. Raises RemoteError.

        The members of its collections are read again where the step is about them; else they are those it had.
        """
        kind, prior, change = step.kind, step.prior or {}, step.change
        on_target = self.on_target(kind.name)
        live = live_object(on_target, self.driver.read(kind.name, change.id or ""))
        for name, style in on_target.members.items():
            if name not in prior:
                continue
            if change.action is Action.DELETE or any(unit[0] == name for unit in change.units):
                live = with_entries(self.driver, live, name, style, known_keys(prior[name], style))
            else:
                kept = {each: prior[each] for each in (name, unmanaged_members_field(name)) if each in prior}
                live = replace(live, body=live.body | kept)
        return live

    def check_no_new_members(self, step: Step, live: LiveObject) -> None:
        """See that nothing was put into an object that is about to be deleted. Raises NotAdmitted."""
        prior = step.prior or {}
        on_target = self.on_target(step.kind.name)
        for name, style in on_target.members.items():
            before, now = (_members(body, name, style) for body in (prior, live.body))
            if name in prior and now - before:
                raise NotAdmitted(Stale(f"{len(now - before)} {name} were added to {live.id} since the plan was made"))

    def note_list(self, kind: str, objects: Sequence[LiveObject]) -> None:
        """Take note of a list that somebody else has just read."""
        self._lists[kind] = _List(self.world.found[kind].kind, tuple(objects), self.clock())

    def note_deleted(self, kind: str, id: str) -> None:
        """Take note of what this run has deleted: it uses nothing any more, whatever lists show."""
        self._deleted.add((kind, id))

    def note_written(self, kind: str, id: str, body: Body) -> None:
        """Take note of what this run has written: lists may lag behind."""
        self._written.add((kind, id))
        for held in references(self.world.found[kind].kind, body):
            self._used.setdefault(held, set()).add((kind, id))

    def check_unused(self, held: ObjectRef, *, again: bool = True) -> None:
        """See that nothing live uses an object that is about to be deleted: `again` reads lists that are old.

        Raises NotAdmitted and RemoteError.
        """
        for on_target in self.kinds:
            kind = on_target.kind
            if held[0] not in usable(kind):
                continue
            listed = self._list_now(on_target) if again else self._lists.get(kind.name)
            users = {user for user in self._used.get(held, ()) if user[0] == kind.name}
            users |= listed.users.get(held, set()) if listed else set()
            for name, id in sorted(users - {held}):
                if self._uses(kind, id, held):
                    raise NotAdmitted(Stale(f"{name} {id} uses {held[1]} by now"))

    def _uses(self, kind: Kind, id: str, held: ObjectRef) -> bool:
        """Whether an object that was seen to use another still does: what this run has written is read to know."""
        if (kind.name, id) not in self._written:
            return (kind.name, id) not in self._deleted
        try:
            return held in references(kind, self.driver.read(kind.name, id))
        except NotFound:
            return False

    def _list_now(self, on_target: KindOnTarget) -> _List:
        """The objects of a kind as they are now: one list serves all deletes of a moment."""
        name = on_target.kind.name
        with self._lock:
            listed = self._lists.get(name)
            if listed is None or self.is_old(listed.read_at):
                read_at = self.clock()
                try:
                    objects = tuple(live_object(on_target, body) for body in self.driver.list(name))
                except NoSuchApi:
                    objects = ()
                listed = self._lists[name] = _List(on_target.kind, objects, read_at)
            return listed


def _members(body: Body, name: str, style: MembersStyle) -> set[str]:
    """The ids of all that is in a collection of an object."""
    return {entry[style.id_field] for entry in (body.get(name) or {}).values()} | {
        *body.get(unmanaged_members_field(name), ())
    }


@dataclass
class _List:
    """The objects of a kind as they were at `read_at`."""

    kind: Kind
    objects: tuple[LiveObject, ...]
    read_at: float

    @cached_property
    def users(self) -> Mapping[ObjectRef, set[ObjectRef]]:
        """Which of them use each object that is used."""
        found: dict[ObjectRef, set[ObjectRef]] = {}
        for live in self.objects:
            for held in references(self.kind, live.body):
                found.setdefault(held, set()).add((live.kind, live.id))
        return found


class Ticket:
    """One update or delete on its way; asked right before each time its request goes out."""

    def __init__(self, admission: Admission, step: Step, *, always: bool = False) -> None:
        self.step = step
        self._admission = admission
        self._read_at = float("-inf") if always else admission.read_at

    def renew(self) -> bool:
        """Read and judge again what is old; whether it was. Raises NotAdmitted and RemoteError."""
        is_old = self._admission.is_old(self._read_at)
        if not is_old and self.step.change.action is Action.DELETE:
            self._admission.check_unused((self.step.kind.name, self.step.change.id or ""), again=False)
            is_old = self._admission.is_old(self._read_at)  # to ask may have taken long
        if is_old:
            self.read_again()
        return is_old

    def renew_only(self) -> None:
        """The same where nothing is sent that could change."""
        self.renew()

    def read_again(self) -> None:
        """Read and judge the object as it is now. Raises NotAdmitted and RemoteError."""
        read_at = self._admission.clock()
        change = self.step.change
        try:
            live = self._admission.read(self.step)
        except NotFound:
            if change.action is Action.DELETE:
                raise NotAdmitted(AlreadyApplied(change.id)) from None
            raise
        if change.action is Action.DELETE:
            self._admission.check_no_new_members(self.step, live)
        self.step = self._admission.judge(self.step, live)
        if change.action is Action.DELETE:
            self._admission.check_unused((change.address.kind, change.id or ""))
        self._read_at = read_at
