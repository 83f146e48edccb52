"""What `adopt`, `release` and `takeover` share: a plan of marks alone, carried out at once."""

from __future__ import annotations

from collections.abc import Callable, Collection

import click

from reconciler.commands.applying import carry_out, exit_of
from reconciler.commands.output import say
from reconciler.commands.session import Session
from reconciler.config.errors import ConfigError, error
from reconciler.core.kind_plan import KindPlanner
from reconciler.core.model import (
    Action,
    Change,
    Plan,
    Reason,
    Result,
)
from reconciler.core.pairing import index
from reconciler.diagnostics import Code, Diagnostic


def change_marks(
    session: Session, kinds: Collection[str], decide: Callable[[KindPlanner], list[Change]], nothing: str
) -> int:
    """Read the target, let `decide` say for each of these kinds which marks change, and write them.

    Raises ConfigError where a change is refused, and with `nothing` where there is none.
    """
    loaded = session.load()
    sight = session.refresh(kinds)
    if unknown := sorted(set(kinds) - {observation.kind.name for observation in sight.observed}):
        raise ConfigError([error(Code.UNKNOWN_KIND, f"the target has no kind {kind!r}", None) for kind in unknown])
    changes: list[Change] = []
    for observation in sight.observed:
        kind = observation.kind
        manifests = {m.address.key: m for m in loaded.manifests if m.address.kind == kind.name}
        found = index(kind, observation.objects, session.owner)
        if kind.name in kinds:
            changes += decide(KindPlanner(found, manifests, session.owner, digests=session.digests))
    if not changes:
        raise ConfigError([error(Code.NO_SUCH_ADDRESS, nothing, None)])
    if refused := [_refused(change) for change in changes if change.blocked]:
        raise ConfigError(refused)
    plan = Plan(session.identity, session.owner, loaded.digest, tuple(changes), {})
    outcomes = carry_out(session, plan, sight)
    done = {outcome.address for outcome in outcomes if outcome.result in (Result.DONE, Result.ALREADY_APPLIED)}
    for change in changes:
        if change.action is Action.NOOP or change.address in done:
            _tell(change)
    say(session.options, [outcome.error for outcome in outcomes if outcome.error])
    return exit_of(plan, outcomes, session.stop.is_set())


def _tell(change: Change) -> None:
    said = {
        Action.ADOPT: "is managed here now",
        Action.RELEASE: "is not managed here any more; it was left as it is",
        Action.NOOP: "was managed here already",
    }
    more = ", and not by its former owner" if Reason.TAKEOVER in change.reasons else ""
    click.echo(f"{change.address}  {change.id} {said[change.action]}{more}")


def _refused(change: Change) -> Diagnostic:
    assert change.blocked is not None
    return error(Code.BLOCKED, f"{change.address}: {change.blocked.hint}", change.source)
