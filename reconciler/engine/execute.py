"""Executes one change: the request, the journal entry, and the check of the response."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from reconciler.core.values import marks
from reconciler.core.values.marks import Signing
from reconciler.core.values.model import Action, Body, Json
from reconciler.core.values.semantics import MARK_ENTRY, Kind, meaning_of
from reconciler.core.verify import Stale, verify
from reconciler.diagnostics import Code, Diagnostic, Severity
from reconciler.drivers.base import Ambiguous, Driver, Interrupted, NotFound, RemoteError, VersionConflict
from reconciler.drivers.provider import MembersStyle
from reconciler.engine.admission import Admission, NotAdmitted, Step, Ticket
from reconciler.engine.members import GOES_ON, MemberWriter, WaitPolicy, interrupted_diagnostic, unmanaged_members_field
from reconciler.engine.state.journal import Attempts
from reconciler.formats.outcome import Outcome, Result

MAX_CONFLICTS: Final = 3


@dataclass(frozen=True, slots=True)
class Pending:
    """A create whose answer was lost: it may have happened."""

    step: Step
    nonce: str
    requests: int
    error: Diagnostic


class Executor:
    """Sends changes to one target. `draw` gives nonces: random, at most 16 letters and digits.

    `styles` says, for each kind and field that is a collection, how it is spoken to; `waiting` how long members may
    take until they are ready.
    """

    def __init__(
        self,
        driver: Driver,
        journal: Attempts,
        draw: Callable[[], str],
        styles: Mapping[str, Mapping[str, MembersStyle]],
        waiting: WaitPolicy,
        admission: Admission,
    ) -> None:
        self._driver = driver
        self._journal = journal
        self._draw = draw
        self._styles = styles
        self._waiting = waiting
        self._admission = admission
        self._signing = {on_target.kind.name: on_target.signing for on_target in admission.kinds}
        self.repeated = False  # whether a gateway sent any of the creates more than once

    def run(self, step: Step) -> Outcome | Pending:
        """Carry out one change; what goes wrong is in the outcome. `Pending` where a create's answer was lost.

        The entries of a new object's managed maps are written by `attach`, once it is certain which object it is.
        """
        return self._guarded(step, partial(self._run, step, self._draw()))

    def attach(self, step: Step, made: Outcome) -> Outcome:
        """Write the entries of a new object's managed maps; the outcome is that of both."""
        self._driver.take_request_count()
        return self._with_entries(step, made)

    def _run(self, step: Step, nonce: str) -> Outcome | Pending:
        if step.change.action is Action.CREATE:
            return self._create(step, nonce)
        if step.change.action is Action.DELETE:
            ticket = Ticket(self._admission, step, always=not self._admission.users_known)
            self._driver.delete(step.kind.name, step.change.id or "", ticket.renew_only)
            return self._done(step, None)
        return self._update(step, nonce)

    def _guarded(self, step: Step, send: Callable[[], Outcome | Pending]) -> Outcome | Pending:
        self._driver.take_request_count()
        try:
            return send()
        except NotAdmitted as problem:
            if isinstance(problem.verdict, Stale):
                return self._outcome(step, Result.FAILED, _overtaken(problem.verdict.why))
            return replace(self._outcome(step, Result.ALREADY_APPLIED), id=problem.verdict.id)
        except Interrupted:
            return self._outcome(step, Result.SKIPPED)
        except NotFound as error:
            gone = Diagnostic(
                Severity.ERROR,
                Code.NOT_FOUND,
                f"{step.change.id} is gone: {error}",
                hint="it was deleted meanwhile; plan again to see what that means",
            )
            return self._outcome(step, Result.FAILED, gone)
        except RemoteError as error:
            return self._outcome(step, Result.FAILED, error.diagnostic)

    def _update(self, step: Step, nonce: str) -> Outcome:
        """Modify an object; where the request carries values that others write as well, as they are right now.

        A remote that compares versions refuses what was decided on another one. That is sent again only where the units
        concerned are still as they were planned on.
        """
        kind, id = step.kind, step.change.id or ""
        ticket = Ticket(self._admission, step, always=kind.carries_others(step.patch or {}))

        def fields() -> Body:
            return _without_entries(kind, self._as_sent(kind, ticket.step.patch or {}, nonce))

        def fresh() -> tuple[Body, Body] | None:
            return (fields(), ticket.step.prior or {}) if ticket.renew() else None

        for _ in range(MAX_CONFLICTS):
            if not fields():
                ticket.renew()
                outcome = replace(self._outcome(step, Result.DONE), after=ticket.step.prior)
                return self._with_entries(ticket.step, outcome)
            try:
                answer = self._driver.update(kind.name, id, fields(), ticket.step.prior, fresh)
            except VersionConflict as error:
                conflict = error
                ticket.read_again()
            else:
                done = self._done(ticket.step, answer | _unanswered(ticket.step), fields())
                return self._with_entries(ticket.step, done)
        raise conflict

    def _with_entries(self, step: Step, outcome: Outcome) -> Outcome:
        """The outcome with the entries of managed maps written as well; what was done before a failure counts."""
        after, findings, error = dict(outcome.after or {}), list(outcome.findings), outcome.error
        for name, patch in entries_of(step).items():
            collection = self._driver.within(step.kind.name, outcome.id or "", name)
            style, meaning = self._styles[step.kind.name][name], meaning_of(step.kind, (name, ""))
            attachment = MemberWriter(collection, style, meaning, step.change.address, self._waiting)
            try:
                after[name] = attachment.write((step.prior or {}).get(name) or {}, patch)
                error = error or attachment.error
            except Interrupted:
                error = error or interrupted_diagnostic()
            except RemoteError as wrong:
                error = error or replace(wrong.diagnostic, hint=wrong.diagnostic.hint or GOES_ON)
            findings += attachment.findings
        result = Result.FAILED if error else outcome.result
        requests = outcome.requests + self._driver.take_request_count().requests
        return replace(outcome, result=result, error=error, findings=tuple(findings), after=after, requests=requests)

    def _create(self, step: Step, nonce: str) -> Outcome | Pending:
        patch = _without_entries(step.kind, self._as_sent(step.kind, step.patch or {}, nonce))
        record = partial(self._journal.attempt, step.change.address, nonce)
        try:
            answer = self._driver.create(step.kind.name, patch, record)
        except OSError as error:
            return self._outcome(step, Result.FAILED, _unrecorded(error))
        except Ambiguous as error:
            tally = self._driver.take_request_count()
            self.repeated = self.repeated or tally.repeated
            return Pending(step, nonce, tally.requests, error.diagnostic)
        except RemoteError:
            self._journal.refused(nonce)
            raise
        self._journal.made(nonce, answer["id"])
        return self._done(step, answer, patch)

    def _as_sent(self, kind: Kind, patch: Body, nonce: str) -> Body:
        return with_nonce(kind, patch, nonce, self._signing[kind.name]())

    def _done(self, step: Step, answer: Body | None, sent: Body | None = None) -> Outcome:
        outcome = self._outcome(step, Result.DONE)
        if answer is None or sent is None:
            return outcome
        findings = verify(step.kind, str(step.change.address), sent, step.prior, answer)
        return replace(outcome, id=answer["id"], findings=findings, after=answer)

    def _outcome(self, step: Step, result: Result, error: Diagnostic | None = None) -> Outcome:
        tally = self._driver.take_request_count()
        self.repeated = self.repeated or tally.repeated
        change = step.change
        return Outcome(
            change.address,
            change.action,
            result,
            change.id,
            tally.requests,
            tally.request_id,
            error,
            number=change.number,
        )


def entries_of(step: Step) -> dict[str, Json]:
    """What is to be written to the managed maps of the object, by field."""
    patch = step.patch or {}
    return {name: patch[name] for name in step.kind.managed_maps if name in patch}


def _without_entries(kind: Kind, patch: Body) -> Body:
    return {name: value for name, value in patch.items() if name not in kind.managed_maps}


def _unanswered(step: Step) -> Body:
    """What no answer shows, as it was: what is in collections."""
    names = {each for name in step.kind.managed_maps for each in (name, unmanaged_members_field(name))}
    return {name: value for name, value in (step.prior or {}).items() if name in names}


def with_nonce(kind: Kind, patch: Body, nonce: str, signing: Signing | None = None) -> Body:
    """The patch as it is sent: a mark without a nonce gets this one, and every mark a signature."""
    carrier = patch.get(kind.mark_field)
    if not isinstance(carrier, dict) or MARK_ENTRY not in carrier:
        return patch
    text = carrier[MARK_ENTRY]
    sent = marks.draw(text, nonce, signing, kind.max_mark) if isinstance(text, str) else text
    return {**patch, kind.mark_field: {**carrier, MARK_ENTRY: sent}}


def _overtaken(why: str) -> Diagnostic:
    return Diagnostic(Severity.ERROR, Code.STALE_PLAN, f"{why}: it was not sent", hint="plan again and review it")


def _unrecorded(error: OSError) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        Code.UNRESOLVED_CREATE,
        f"the create could not be recorded, so it was not sent: {error}",
        hint="make the .reconciler directory writable, or free some disk",
    )
