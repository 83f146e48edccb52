"""What `adopt`, `release` and `takeover` share: a plan of marks alone, carried out at once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import click

from reconciler.cli.output import say
from reconciler.cli.output_formats import plan_renderers
from reconciler.config.errors import ConfigError, error
from reconciler.core.ownership import Ownership
from reconciler.core.plan import Plan, match_all
from reconciler.core.values.model import Action, Change, Reason
from reconciler.diagnostics import Code, Diagnostic
from reconciler.exits import Exit
from reconciler.formats.outcome import Result
from reconciler.operations.applying.apply_plan import carry_out, confirmed, exit_of
from reconciler.operations.project.session import Session
from reconciler.render.view.labels import SIGNED


def change_marks(
    session: Session,
    kinds: Collection[str],
    decide: Callable[[Ownership], list[Change]],
    nothing: str,
    *,
    asks: bool = False,
) -> int:
    """Read the target, let `decide` say for each of these kinds which marks change, and write them.

    With `asks`, the plan is shown and a person is asked first. Raises ConfigError where a change is refused, and with
    `nothing` where there is none.
    """
    loaded = session.load()
    sight = session.refresh(kinds)
    if unknown := sorted(set(kinds) - {observation.kind.name for observation in sight.observed}):
        raise ConfigError([error(Code.UNKNOWN_KIND, f"the target has no kind {kind!r}", None) for kind in unknown])
    changes: list[Change] = []
    matches = match_all(session.scope((), loaded, None), loaded.manifests, sight.observed)
    for kind in sorted(set(kinds)):
        changes += decide(Ownership(matches[kind], session.owner, session.digests))
    changes = [replace(change, number=number) for number, change in enumerate(changes)]
    if not changes:
        raise ConfigError([error(Code.NO_SUCH_ADDRESS, nothing, None)])
    if refused := [_refused(change) for change in changes if change.blocked]:
        raise ConfigError(refused)
    plan = Plan(session.identity, session.owner, loaded.digest, tuple(changes), {})
    if asks:
        click.echo(plan_renderers(plan, session.options)["text"](True), nl=False)
        if not confirmed():
            click.echo("nothing was sent", err=True)
            return Exit.ERROR
    outcomes = carry_out(session, plan, sight)
    done = {outcome.number for outcome in outcomes if outcome.result in (Result.DONE, Result.ALREADY_APPLIED)}
    for change in changes:
        if change.action is Action.NOOP or change.number in done:
            _tell(change, session.owner)
    say(session.options, [outcome.error for outcome in outcomes if outcome.error])
    return exit_of(plan, outcomes, session.stop.is_set())


def _tell(change: Change, owner: str) -> None:
    said = {
        Action.ADOPT: "is managed here now",
        Action.RELEASE: "is not managed here any more; it was left as it is",
        Action.NOOP: "was managed here already",
    }
    more = ", and not by its former owner" if Reason.TAKEOVER in change.reasons else ""
    text = SIGNED if change.former_owner == owner else f"{said[change.action]}{more}"
    click.echo(f"{change.address}  {change.id} {text}")


def _refused(change: Change) -> Diagnostic:
    assert change.blocked is not None
    return error(Code.BLOCKED, f"{change.address}: {change.blocked.hint}", change.source)
