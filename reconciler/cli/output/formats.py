"""Every format a plan and the outcomes of an apply can be written in."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias

from reconciler.cli.options.global_options import Options
from reconciler.cli.output.destinations import wants_color, width, write
from reconciler.core.plan import Plan
from reconciler.diagnostics import Diagnostic, Source
from reconciler.formats.outcome import Outcome
from reconciler.render.view.location import ELSEWHERE, Checkout
from reconciler.render.view.plan_view import PlanView, plan_view

Renderers: TypeAlias = Mapping[str, Callable[[bool], str]]
"""A renderer for each format; its argument is whether it writes to a terminal."""


def plan_renderers(plan: Plan, options: Options, unchanged: int | None = None) -> Renderers:
    """The renderers of a plan. A saved plan does not hold the number of `unchanged` resources: the caller gives it."""
    from reconciler.render import github, gitlab, html, junit, markdown, sarif
    from reconciler.render.json import plan_json
    from reconciler.render.terminal import plan_text

    @cache
    def view() -> PlanView:
        checkout = checkout_of(os.environ, options.directory)
        return plan_view(plan, unchanged, checkout=checkout, settings=_settings_file(options))

    return {
        "text": lambda to_terminal: plan_text.render(view(), color=to_terminal and wants_color(options), width=width()),
        "json": lambda to_terminal: plan_json(plan),
        "markdown": lambda to_terminal: markdown.render(view()),
        "summary": lambda to_terminal: markdown.render(view(), markdown.SUMMARY_LIMIT),
        "html": lambda to_terminal: html.render(view()),
        "sarif": lambda to_terminal: sarif.render(view()),
        "github": lambda to_terminal: github.render(view()),
        "gitlab": lambda to_terminal: gitlab.render(view()),
        "gitlab-plan": lambda to_terminal: gitlab.render_counts(view()),
        "junit": lambda to_terminal: junit.render(view()),
    }


def problem_renderers(found: Sequence[Diagnostic], options: Options) -> Renderers:
    """How problems are written where there is no plan to show: for programs, code scanners and forges."""
    from reconciler.render import github, gitlab, sarif
    from reconciler.render.json import diagnostics_json
    from reconciler.render.view.diagnostic_view import diagnostic_view
    from reconciler.render.view.findings import Finding, diagnosed
    from reconciler.render.view.location import location_in

    checkout = checkout_of(os.environ, options.directory)
    home = location_in(Source(_settings_file(options), 1, 1), checkout)

    @cache
    def findings() -> list[Finding]:
        return [diagnosed(diagnostic_view(each, checkout)) for each in found]

    return {
        "json": lambda to_terminal: diagnostics_json(found),
        "sarif": lambda to_terminal: sarif.render_findings(findings(), home),
        "github": lambda to_terminal: github.render_findings(findings()),
        "gitlab": lambda to_terminal: gitlab.render_findings(findings(), home),
    }


def write_problems(found: Sequence[Diagnostic], options: Options, formats: Sequence[str]) -> None:
    """Write problems in those of the formats that hold any without a plan. Raises OSError."""
    renderers = problem_renderers(found, options)
    if wanted := [each for each in formats if each.partition("=")[0] in renderers]:
        write(options, wanted, renderers)


def apply_renderers(plan: Plan, outcomes: Sequence[Outcome], options: Options) -> Renderers:
    """How the outcomes of an apply are written in each format."""
    from reconciler.render import outcome_markdown
    from reconciler.render.json import outcomes_json
    from reconciler.render.markdown import COMMENT_LIMIT, SUMMARY_LIMIT
    from reconciler.render.terminal import outcome_text

    def as_text(to_terminal: bool) -> str:
        return outcome_text.render(outcomes, color=to_terminal and wants_color(options)) if outcomes else ""

    return {
        "text": as_text,
        "json": lambda to_terminal: outcomes_json(plan, outcomes, plan.diagnostics),
        "markdown": lambda to_terminal: outcome_markdown.render(plan.target.name, outcomes, COMMENT_LIMIT),
        "summary": lambda to_terminal: outcome_markdown.render(plan.target.name, outcomes, SUMMARY_LIMIT),
    }


def _settings_file(options: Options) -> str:
    return (options.dirs[0] / "reconciler.yaml").as_posix()


def checkout_of(environment: Mapping[str, str], directory: Path) -> Checkout:
    """Where the files of the project in `directory` are for the forge whose job this is, if it is one."""
    server, repository, commit = (environment.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "SHA"))
    project, revision = environment.get("CI_PROJECT_URL"), environment.get("CI_COMMIT_SHA")
    if server and repository and commit:
        base, root = f"{server}/{repository}/blob/{commit}/", environment.get("GITHUB_WORKSPACE")
    elif project and revision:
        base, root = f"{project}/-/blob/{revision}/", environment.get("CI_PROJECT_DIR")
    else:
        return ELSEWHERE
    below = _below(directory.resolve(), Path(root).resolve()) if root else ""
    return Checkout(below, base if base.startswith(("https://", "http://")) else "")


def _below(directory: Path, root: Path) -> str:
    if directory == root or not directory.is_relative_to(root):
        return ""
    return directory.relative_to(root).as_posix() + "/"
