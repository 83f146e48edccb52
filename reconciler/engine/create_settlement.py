"""Settles creates: finds those whose responses were lost, and removes duplicates.

No vendor has an idempotency key, so nothing here sends a create twice unless a complete list, read after the grace
period, does not show the first one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from reconciler.core.matching.index import Index, Managed, index, mark_of
from reconciler.core.values.model import Address, LiveObject
from reconciler.core.verify import verify
from reconciler.diagnostics import Code, Diagnostic, Severity
from reconciler.drivers.base import Driver, RemoteError
from reconciler.engine.admission import Admission, NotAdmitted, Step
from reconciler.engine.execute import Pending
from reconciler.engine.snapshot import KindOnTarget, live_object
from reconciler.engine.state.journal import Attempts
from reconciler.formats.outcome import Outcome, Result

MAX_CREATES = 3
FIRST_LOOK_SECONDS = 1.0


class CreateSettlement:
    """Looks again after creates. `pause(seconds)` waits and answers True when the user wants to stop.

    `replaced` are the ids of objects that others take the place of: they are still there, and do not count. With an
    `admission`, a duplicate is deleted only if nothing uses it, and nobody has changed its mark.
    """

    def __init__(
        self,
        driver: Driver,
        kinds: Sequence[KindOnTarget],
        owner: str,
        journal: Attempts,
        settle_seconds: float,
        pause: Callable[[float], bool],
        report: Callable[[Outcome], None],
        clock: Callable[[], float] = time.monotonic,
        replaced: frozenset[str] = frozenset(),
        admission: Admission | None = None,
    ) -> None:
        self._admission = admission
        self._replaced = replaced
        self._driver = driver
        self._kinds = {on_target.kind.name: on_target for on_target in kinds}
        self._owner = owner
        self._journal = journal
        self._settle_seconds = settle_seconds
        self._pause = pause
        self._report = report
        self._clock = clock
        self._looked_at = clock()

    def resolve(self, pending: list[Pending], again: Callable[[list[Step]], list[Outcome | Pending]]) -> list[Outcome]:
        """The outcome of each create whose answer was lost; `again` sends (and reports) those that did not happen."""
        settled = [_unknown(one) for one in pending if one.step.kind.marked_beside]
        for outcome in settled:
            self._report(outcome)
        pending = [one for one in pending if not one.step.kind.marked_beside]
        for attempt in range(1, MAX_CREATES + 1):
            found, missing, certain = self._wait_for(pending)
            if missing and (not certain or attempt == MAX_CREATES):
                found, missing = [*found, *map(_unknown, missing)], []
            for outcome in found:
                self._report(outcome)
            results = again([one.step for one in missing]) if missing else []
            settled += found + [result for result in results if isinstance(result, Outcome)]
            pending = [result for result in results if isinstance(result, Pending)]
            if not pending:
                break
        return settled

    def _wait_for(self, pending: list[Pending]) -> tuple[list[Outcome], list[Pending], bool]:
        """Look until all are found or the grace period is over; the last value is whether "missing" is certain."""
        deadline = self._clock() + self._settle_seconds
        found: list[Outcome] = []
        missing, delay = pending, FIRST_LOOK_SECONDS
        while True:
            last = self._clock() >= deadline
            looked = self._look(sorted({one.step.kind.name for one in missing}))
            if looked is not None:
                found += [_found(one, looked[one.step.kind.name]) for one in missing if _is_in(one, looked)]
                missing = [one for one in missing if not _is_in(one, looked)]
            if not missing or last:
                return found, missing, looked is not None
            if self._pause(min(delay, max(0.0, deadline - self._clock()))):
                return found, missing, False
            delay *= 2

    def _look(self, kinds: Iterable[str]) -> dict[str, dict[str, list[Managed]]] | None:
        """Our live objects by kind and key, oldest first; None when a list could not be read to its end."""
        try:
            return {kind: self._managed_by_key(kind) for kind in kinds}
        except RemoteError:
            return None

    def _managed_by_key(self, kind: str) -> dict[str, list[Managed]]:
        on_target = self._kinds[kind]
        seen = [live_object(on_target, body) for body in self._driver.list(kind)]
        if self._admission:
            self._admission.note_list(kind, seen)
        objects: list[LiveObject] = [live for live in seen if live.id not in self._replaced]
        found = index(on_target.kind, objects, self._owner)
        candidates = {key: self._believed(found, key) for key in found.managed}
        for original, clone in found.clones:
            if original.mark.key == clone.mark.key:
                candidates[clone.mark.key].append(clone)
        return candidates

    def _believed(self, found: Index, key: str) -> list[Managed]:
        """The objects of a key; of files, whose names anybody can choose, those that are signed or were made here."""
        several = found.candidates(key)
        if not found.kind.immutable:
            return several
        return [e for e in several if e.mark.proof.is_signature or e.mark.nonce in self._journal.nonces]

    def remove_duplicates(self, created: list[Outcome], repeated: bool) -> list[Outcome]:
        """Look once more after the creates, and take back what this run made too much.

        Where an address has several objects, the oldest stays; of the younger ones, each is deleted by whoever made it
        (its nonce was drawn here). `repeated` says that a gateway sent some creates again: then lists may still lag.
        """
        if not created or (repeated and self._pause(self._settle_seconds)):
            return created
        self._looked_at = self._clock()
        looked = self._look(sorted({outcome.address.kind for outcome in created}))
        if looked is None:
            return created
        return [self._one(outcome, looked[outcome.address.kind].get(outcome.address.key, [])) for outcome in created]

    def _one(self, outcome: Outcome, claims: list[Managed]) -> Outcome:
        if len(claims) < 2 or not self._is_there(outcome.address.kind, claims[0].live.id):
            return outcome
        findings = list(outcome.findings)
        if self._was_there(outcome.address.kind, claims[0].live.id):
            return replace(outcome, findings=(*findings, _marked_meanwhile(outcome.address, claims[0].live.id)))
        for extra in claims[1:]:
            if extra.mark.nonce in self._journal.nonces and not extra.mark.protect:
                findings.append(self._delete(outcome, extra, claims[0]))
        first = claims[0].live
        after = outcome.after if first.id == outcome.id else first.body
        return replace(outcome, id=first.id, findings=tuple(findings), after=after)

    def _was_there(self, kind: str, id: str) -> bool:
        """Whether an object was live when this run planned its create: then no other apply made it meanwhile."""
        before = self._admission.world.found.get(kind) if self._admission else None
        return before is not None and id in before.by_id

    def _is_there(self, kind: str, id: str) -> bool:
        """Whether the object that is to stay exists, whatever a list shows."""
        try:
            return bool(self._driver.read(kind, id))
        except RemoteError:  # NotFound as well
            return False

    def _delete(self, outcome: Outcome, extra: Managed, first: Managed) -> Diagnostic:
        """Delete a duplicate, unless somebody has protected it, or begun to use it, since it was made."""
        on_target, id, admission = self._kinds[outcome.address.kind], extra.live.id, self._admission

        def nobody_wants_it() -> None:
            if admission is not None:
                check_unwanted(admission, on_target, id, extra.mark, again=admission.is_old(self._looked_at))

        return delete_duplicate(self._driver, outcome.address, id, f"{first.live.id} stays", nobody_wants_it)


class DuplicateChanged(RemoteError):
    """A duplicate that must not be deleted any more."""

    code = Code.STALE_PLAN


def check_unwanted(admission: Admission, on_target: KindOnTarget, id: str, made: object, *, again: bool) -> None:
    """See that nobody uses an object that was made twice, and, read `again`, that its mark is as it was `made`.

    Raises Changed, and RemoteError.
    """
    kind = on_target.kind
    if again and mark_of(kind, live_object(on_target, admission.driver.read(kind.name, id))) != made:
        raise DuplicateChanged(f"{id} was created twice, and its mark was changed since: it stays")
    try:
        admission.check_unused((kind.name, id))
    except NotAdmitted as used:
        raise DuplicateChanged(f"{id} was created twice, and {used}: it stays") from None


def _marked_meanwhile(address: Address, id: str) -> Diagnostic:
    summary = f"{id} was not of {address} when this was planned, and has its mark now: both stay"
    hint = f"somebody marked it: `reconciler release {address} --id {id}` removes the mark"
    return Diagnostic(Severity.WARNING, Code.UNRESOLVED_CREATE, summary, hint=hint, address=str(address))


def delete_duplicate(
    driver: Driver, address: Address, id: str, why: str, sending: Callable[[], None] = lambda: None
) -> Diagnostic:
    """Delete an object that was made too much; what to report about it. `sending` may raise Changed."""
    try:
        driver.delete(address.kind, id, sending)
    except RemoteError as error:
        return replace(error.diagnostic, address=str(address))
    summary = f"{id} was created twice (a repeated request, or another apply) and removed; {why}"
    return Diagnostic(Severity.INFO, Code.UNRESOLVED_CREATE, summary, address=str(address))


def _is_in(one: Pending, looked: dict[str, dict[str, list[Managed]]]) -> bool:
    return bool(looked[one.step.kind.name].get(one.step.change.address.key))


def _found(one: Pending, claims: dict[str, list[Managed]]) -> Outcome:
    change = one.step.change
    live = claims[change.address.key][0].live
    beside = {one.step.kind.mark_field, *one.step.kind.managed_maps}
    wanted = {name: value for name, value in (one.step.patch or {}).items() if name not in beside}
    findings = verify(one.step.kind, str(change.address), wanted, None, live.body)
    return Outcome(
        change.address,
        change.action,
        Result.DONE,
        live.id,
        one.requests,
        findings=findings,
        after=live.body,
        number=change.number,
    )


def _unknown(one: Pending) -> Outcome:
    change = one.step.change
    hint = f"apply again: it looks for the mark {change.address.key!r} with nonce {one.nonce} before it creates"
    if one.step.kind.marked_beside:
        hint = (
            f"check whether it exists: if so, write `reconciler: {{id: …}}` into its manifest or `reconciler "
            f"adopt` it; if not, `reconciler release {change.address} --lost-create`"
        )
    summary = f"the response to the create was lost, so it is unknown whether it happened: {one.error.summary}"
    error = replace(one.error, summary=summary, hint=hint)
    return Outcome(change.address, change.action, Result.UNKNOWN, None, one.requests, error=error, number=change.number)
