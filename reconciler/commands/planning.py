"""Reading a target and planning against it: what `plan`, `apply` and `drift` share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.commands.options import Options
from reconciler.commands.output import wants_color, width
from reconciler.commands.session import Session
from reconciler.config.load import Loaded
from reconciler.core.model import Outcome, Plan
from reconciler.core.plan import make_plan
from reconciler.engine.observe import Sight, observe
from reconciler.exits import Exit
from reconciler.render import outcome, text
from reconciler.render.json import outcomes_json, plan_json
from reconciler.render.view import plan_view

Renderers: TypeAlias = Mapping[str, Callable[[bool], str]]
"""A renderer for each format, told whether it writes to the terminal."""


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


def plan_renderers(plan: Plan, options: Options, unchanged: int | None = None) -> Renderers:
    """How a plan is written in each format; a saved one does not hold what is `unchanged`, so that is told."""

    def as_text(to_terminal: bool) -> str:
        return text.render(plan_view(plan, unchanged), color=to_terminal and wants_color(options), width=width())

    return {"text": as_text, "json": lambda to_terminal: plan_json(plan)}


def apply_renderers(plan: Plan, outcomes: Sequence[Outcome], options: Options) -> Renderers:
    """How the outcomes of an apply are written in each format."""

    def as_text(to_terminal: bool) -> str:
        return outcome.render(outcomes, color=to_terminal and wants_color(options)) if outcomes else ""

    return {"text": as_text, "json": lambda to_terminal: outcomes_json(plan, outcomes, plan.diagnostics)}
