"""Reading a target and planning against it: what `plan`, `apply` and `drift` share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.commands.session import Session
from reconciler.config.load import Loaded
from reconciler.core.model import Plan
from reconciler.core.plan import make_plan
from reconciler.engine.observe import Sight, observe
from reconciler.exits import Exit


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and what it was made from."""

    plan: Plan
    sight: Sight
    loaded: Loaded


def plan_live(session: Session, addresses: Sequence[str], allow_deletes: int | None) -> Planned:
    """Load the files, read the target, and plan. Raises ConfigError and RemoteError."""
    loaded = session.load()
    scope = session.scope(addresses, loaded, allow_deletes)
    sight = observe(session.driver, session.kinds, session.journal)
    plan = make_plan(session.identity, scope, loaded.digest, loaded.manifests, sight.observed)
    return Planned(plan, sight, loaded)


def has_blocks(plan: Plan) -> bool:
    """Whether anything in the plan is refused."""
    return any(change.blocked for change in plan.changes)


def exit_of(plan: Plan, detailed: bool, changes: int) -> Exit:
    """The exit code of a command that only shows a plan."""
    if has_blocks(plan):
        return Exit.BLOCKED
    return Exit.CHANGES if detailed and changes else Exit.DONE
