"""What `adopt` and `release` share: a plan of marks alone, carried out at once."""

from __future__ import annotations

from collections.abc import Callable

import click

from reconciler.commands.applying import carry_out, exit_of
from reconciler.commands.session import Session
from reconciler.config.errors import ConfigError, error
from reconciler.config.load import Loaded
from reconciler.core.codes import Code
from reconciler.core.kind_plan import KindPlanner
from reconciler.core.model import Action, Address, Change, Diagnostic, Plan
from reconciler.core.pairing import index
from reconciler.engine.observe import observe


def change_marks(session: Session, address: Address, decide: Callable[[KindPlanner], list[Change]]) -> int:
    """Read the target, let `decide` say which marks change for the kind of `address`, and write them."""
    loaded: Loaded = session.load()
    sight = observe(session.driver, session.kinds, session.journal)
    observation = next((o for o in sight.observed if o.kind.name == address.kind), None)
    if observation is None:
        raise ConfigError([error(Code.UNKNOWN_KIND, f"the target has no kind {address.kind!r}", None)])
    manifests = {m.address.key: m for m in loaded.manifests if m.address.kind == address.kind}
    planner = KindPlanner(index(observation.kind, observation.objects, session.owner), manifests, session.owner)
    changes = decide(planner)
    plan = Plan(session.identity, session.owner, loaded.digest, tuple(changes), {})
    refused = [_refused(change) for change in changes if change.blocked]
    if refused:
        raise ConfigError(refused)
    outcomes = carry_out(session, plan, sight)
    failed = [outcome.error for outcome in outcomes if outcome.error]
    if failed:
        raise ConfigError(failed)
    for change in changes:
        _tell(change)
    return exit_of(plan, outcomes, session.stop.is_set())


def _tell(change: Change) -> None:
    said = {
        Action.ADOPT: "is managed here now",
        Action.RELEASE: "is not managed here any more; it was left as it is",
        Action.NOOP: "was managed here already",
    }
    click.echo(f"{change.address}  {change.id} {said[change.action]}")


def _refused(change: Change) -> Diagnostic:
    assert change.blocked is not None
    return error(Code.BLOCKED, f"{change.address}: {change.blocked.hint}", change.source)
