"""The witness of a simulation: what every run has read, what others changed since, and the laws of each write.

What others changed after its plan read it, a run may overwrite, or delete, only within the documented window: the time
between its last read of the object and its request, at most `FRESH_SECONDS`. The same is true of an object that others
began to use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.core.values.semantics import Kind, meaning_of, same, units
from tests.simulation.scheduler import Process

FRESH_SECONDS = 5.0
"""How old a read may be when the request goes out that relies on it: the default of `fresh_seconds`."""
MARK = ("metadata", "reconciler")
Unit = tuple[str, ...]
Body = dict[str, Any]


class Violation(AssertionError):
    """A law was broken."""


@dataclass(frozen=True)
class Read:
    """What a run saw of an object: the state after so many commits; the answer was there `at` that time."""

    commits: int
    at: float


@dataclass(eq=False)
class Run:
    """One run of `apply` as the remote sees it: on which machine, for whom, what its files name, when it began.

    Runs of the same `round` are at once. `read` has every read of an object, by its id, and of a list, by its kind;
    `planned` what its plan knows of each object; `asked` when the write of an object came first. `shared` says that
    those at once on its machine know of each other's creates, as the workers of a fleet do.
    """

    process: Process
    machine: str
    owner: str
    keys: frozenset[str]
    began: float
    round: int
    shared: bool = False
    sent: list[tuple[str, str, Any]] = field(default_factory=list)
    deleted: list[tuple[str, Made]] = field(default_factory=list)
    read: dict[str, list[Read]] = field(default_factory=dict)
    planned: dict[str, int] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.process.name

    def plans(self) -> None:
        """A plan is made of what was read last."""
        self.planned = {id: reads[-1].commits for id, reads in self.read.items()}


@dataclass(frozen=True)
class Made:
    """A live object of an owner."""

    owner: str
    key: str
    nonce: str
    by: Run
    at: float


@dataclass(frozen=True)
class Edit:
    """A commit that changed units of an object, which looked as `before` until then."""

    commits: int
    by: object
    units: frozenset[Unit]
    before: Body


@dataclass
class Witness:
    """Sees every commit. `holder` gives every object as it is now; `fresh` says that the last law is held.

    `kinds` are by the last part of their path.
    """

    clock: Callable[[], float]
    lag: float
    kinds: Mapping[str, Kind]
    holder: Callable[[], Mapping[str, tuple[Kind, Body]]]
    fresh: bool = False
    runs: list[Run] = field(default_factory=list)
    live: dict[str, Made] = field(default_factory=dict)
    edits: dict[str, list[Edit]] = field(default_factory=dict)
    commits: int = 0

    def saw(self, run: Run, ids: Iterable[str], commits: int) -> None:
        """An answer that shows these objects has arrived."""
        for id in ids:
            run.read.setdefault(id, []).append(Read(commits, self.clock()))
            run.asked.pop(id, None)

    def arrives(self, run: Run, id: str) -> None:
        """A write of an object arrives; repeats of it are sent on what was known when it came first."""
        run.asked.setdefault(id, self.clock())

    def made(self, run: Run, body: Body) -> None:
        """Nobody makes a second object of an address that its own machine has made, or that it could have seen."""
        self.commits += 1
        owner, key, nonce = mark_of(body)
        for id, other in self.live.items():
            if (other.owner, other.key) != (owner, key):
                continue
            before = other.by.round < run.round or run.shared
            own = other.by is run or (other.by.machine == run.machine and before)
            if own or other.at + self.lag < run.began:
                raise Violation(f"{run.name} doubled {key}: {id} was there already")
        if owner != run.owner:
            raise Violation(f"{run.name} made {body['id']} for {owner}")
        self.live[body["id"]] = Made(owner, key, nonce, run, self.clock())

    def changed(self, by: Run | str, id: str, kind: Kind, before: Body, after: Body) -> None:
        """An object was changed by a run, or by somebody's hand: nobody overwrites what it has not read."""
        self.commits += 1
        changed = frozenset(differing(kind, before, after))
        if isinstance(by, Run):
            self._is_its_own(by, id, "changed")
            excused = self._excused(by, id)
            for edit, left in self._still(by, id, kind, before):
                if lost := {unit for unit in changed & left if excused.get(unit, 0) < edit.commits}:
                    raise Violation(f"{by.name} overwrote {names(lost)} of {id}, which {edit.by} had changed meanwhile")
        if changed:
            who = by.name if isinstance(by, Run) else by
            self.edits.setdefault(id, []).append(Edit(self.commits, who, changed, before))

    def gone(self, run: Run, id: str, kind: Kind, before: Body) -> None:
        """Nobody deletes what was never ours, the last object of an address that everybody wants, or what is kept."""
        self.commits += 1
        if id not in self.live:
            raise Violation(f"{run.name} deleted {id}, which was not ours")
        self._is_its_own(run, id, "deleted")
        self._may_go(run, id, kind, before)
        made = self.live.pop(id)
        run.deleted.append((id, made))
        together = [each for each in self.runs if each.round == run.round and each.owner == run.owner]
        others = (other for other in self.live.values() if other.owner == made.owner)
        if all(made.key in each.keys for each in together) and not any(other.key == made.key for other in others):
            raise Violation(f"{run.name} deleted the last object of {made.key}")

    def _is_its_own(self, run: Run, id: str, verb: str) -> None:
        made = self.live.get(id)
        if made is None or made.owner != run.owner:
            whose = made.owner if made else "nobody here"
            raise Violation(f"{run.name} {verb} {id}, which is of {whose}")

    def _may_go(self, run: Run, id: str, kind: Kind, before: Body) -> None:
        for edit, left in self._still(run, id, kind, before):
            raise Violation(f"{run.name} deleted {id}, of which {edit.by} had changed {names(left)} meanwhile")
        if is_protected(before) and not self._unknown(run, id):
            raise Violation(f"{run.name} deleted {id}, which it had seen protected")
        for user, (its, body) in self.holder().items():
            if user == id or id not in referred(body):
                continue
            began = [e for e in self.edits.get(user, ()) if REFERENCE in e.units and id not in referred(e.before)][-1:]
            if not any(edit in began for edit in self._unknown(run, user)):
                raise Violation(f"{run.name} deleted {id}, which it had seen {its.name} {user} use")
            if any(edit in began for edit in self._missed(run, user, id, its.name)):
                raise Violation(f"{run.name} deleted {id}, which {its.name} {user} had begun to use meanwhile")

    def _still(self, run: Run, id: str, kind: Kind, now: Body) -> Iterator[tuple[Edit, frozenset[Unit]]]:
        """What a run missed of an object, and which units of it are not as the plan was compared with again.

        The run's own writes count, too: where an answer was lost, an object that somebody changed back looks as if
        nothing had been written.
        """
        since = [edit for edit in self.edits.get(id, ()) if edit.commits > self._known(run, id)]
        apart = frozenset(differing(kind, since[0].before, now)) if since else frozenset()
        back = frozenset(unit for edit in since for unit in edit.units) - apart
        for edit in self._missed(run, id, id):
            back |= edit.units - frozenset(differing(kind, edit.before, now))
            if left := edit.units - back:
                yield edit, left

    def _excused(self, run: Run, id: str) -> dict[Unit, int]:
        """The last change of each unit of an object that a run need not know: it overwrites that, not what was before.

        A map that is sent whole has the entries of others as they were read.
        """
        missed = [*self._missed(run, id, id)]
        return {unit: each.commits for each in self._unknown(run, id) if each not in missed for unit in each.units}

    def _missed(self, run: Run, id: str, written: str, listed: str = "") -> Iterator[Edit]:
        """What others changed of an object, unknown to the run's plan, though it should have read it again.

        `written` is the object that the request is about; a list of the kind `listed` is a read as well.
        """
        arrived = run.asked.get(written, self.clock())
        reads = [*run.read.get(id, ()), *run.read.get(listed, ())]
        fresh = [read.commits for read in reads if arrived - read.at <= FRESH_SECONDS]
        for edit in self._unknown(run, id) if self.fresh else ():
            if not any(commits < edit.commits for commits in fresh):
                yield edit

    def _unknown(self, run: Run, id: str) -> list[Edit]:
        """What others changed of an object after a run's plan read it, or, where it did not, after the run did."""
        return [e for e in self.edits.get(id, ()) if e.by != run.name and e.commits > self._known(run, id)]

    def _known(self, run: Run, id: str) -> int:
        """After how many commits a run's plan read an object, or, where it did not, the run did."""
        last = [read.commits for read in run.read.get(id, ())][-1:]
        return run.planned.get(id, *last) if last else 0


REFERENCE = ("tool_resources",)


def differing(kind: Kind, before: Body, after: Body) -> Iterator[Unit]:
    """The units that two states of an object differ in."""
    one, two = units(kind, before), units(kind, after)
    for unit in {**one, **two}:
        if not same(meaning_of(kind, unit), one.get(unit), two.get(unit)):
            yield unit
    if mark_text(before) != mark_text(after):
        yield MARK


def referred(body: Body) -> list[str]:
    """The ids of the vector stores that an object uses."""
    search = (body.get("tool_resources") or {}).get("file_search") or {}
    return list(search.get("vector_store_ids") or ())


def mark_text(body: Body) -> str:
    """The mark of an object; empty where it has none."""
    return str((body.get(MARK[0]) or {}).get(MARK[1]) or "")


def mark_of(body: Body) -> tuple[str, str, str]:
    """Owner, key and nonce of an object of ours."""
    words = mark_text(body).split(" ")
    return words[1], words[2], words[3]


def is_protected(body: Body) -> bool:
    """Whether the mark says that the object is never deleted."""
    return "p" in mark_text(body).split(" ")[4]


def protected(text: str, yes: bool) -> str:
    """The text of a mark with the flag for protection set, or taken out."""
    words = text.split(" ")
    flags = words[4].replace("p", "").replace("-", "")
    words[4] = ("p" if yes else "") + flags or "-"
    return " ".join(words)


def names(changed: Iterable[Unit]) -> str:
    """Units as messages write them."""
    return ", ".join(sorted(".".join(unit) for unit in changed))
