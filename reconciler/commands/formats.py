"""Every format a plan and the outcomes of an apply can be written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from reconciler.commands.options import Options
from reconciler.commands.output import wants_color, width
from reconciler.core.model import Outcome, Plan
from reconciler.render import outcome, text
from reconciler.render.json import outcomes_json, plan_json
from reconciler.render.view import plan_view

Renderers: TypeAlias = Mapping[str, Callable[[bool], str]]
"""A renderer for each format, told whether it writes to the terminal."""


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
