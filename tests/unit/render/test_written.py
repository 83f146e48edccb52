"""Formats as commands write them: to files and standard output, several at once, with links where CI says where to."""

import json
from pathlib import Path

import pytest

from reconciler.cli.options.global_options import Options
from reconciler.cli.output.destinations import FORMATS, OUTCOME_FORMATS
from reconciler.cli.output.formats import apply_renderers, checkout_of, plan_renderers
from reconciler.core.plan import Plan
from reconciler.core.values.model import Action, Address
from reconciler.formats.outcome import Outcome, Result
from reconciler.render.view.location import Checkout
from tests.conftest import Project

MANIFEST = "name: HR bot\nmodel: gpt-4o\ninstructions: |\n  You help people.\n  Be brief.\n"


def test_every_format_that_is_offered_is_there(rich_plan: Plan) -> None:
    options = Options(Path(), (Path("assistants.d"),), color="never")
    assert tuple(plan_renderers(rich_plan, options)) == FORMATS
    assert tuple(apply_renderers(rich_plan, (), options)) == OUTCOME_FORMATS


def test_all_formats_at_once_for_plan_show_and_drift(project: Project) -> None:
    project.write("assistants.d/hr.yaml", MANIFEST)
    wishes = [f"--format={name}=out.{name}" for name in FORMATS]
    project.ok("plan", "--out", "plan.json", *wishes)
    planned = {name: (project.root / f"out.{name}").read_text("utf-8") for name in FORMATS}
    assert "assistant/hr" in planned["text"]
    assert planned["markdown"].startswith("<!-- reconciler:plan:local -->\n")
    assert planned["html"].startswith("<!doctype html>\n")
    assert json.loads(planned["gitlab-plan"]) == {"create": 1, "update": 0, "delete": 0}
    project.ok("show", "plan.json", *wishes)
    assert {name: (project.root / f"out.{name}").read_text("utf-8") for name in FORMATS} == planned
    project.ok("drift", *wishes)
    assert "No changes." in (project.root / "out.markdown").read_text("utf-8")


def test_annotations_go_to_standard_output(project: Project) -> None:
    project.write("assistants.d/hr.yaml", MANIFEST)
    line = "::notice file=assistants.d/hr.yaml,line=1,col=1,title=create assistant/hr::"
    assert project.ok("plan", "--format", "github").out.startswith(line)


def test_an_unknown_format_is_refused_before_anything_is_read(project: Project) -> None:
    ran = project.run("apply", "--yes", "--format", "word")
    assert ran.code == 1
    assert "'word' is not a format; choose from text, json, markdown" in ran.err


def test_what_an_apply_did_as_markdown(rich_plan: Plan) -> None:
    options = Options(Path(), (), color="never")
    done = [Outcome(Address("assistant", "a"), Action.UPDATE, Result.DONE, "asst_1", 1)]
    shown = apply_renderers(rich_plan, done, options)["summary"](False)
    assert "<h3>Applied to <code>production</code></h3>" in shown
    assert "<strong>1 done. 1 request.</strong>" in shown
    assert "<td>done</td><td>~ update</td><td><code>assistant/a</code></td>" in shown


GITHUB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/fleet", "GITHUB_SHA": "abc"}
GITLAB = {"CI_PROJECT_URL": "https://gitlab.com/acme/fleet", "CI_COMMIT_SHA": "abc"}


@pytest.mark.parametrize(
    ("environment", "checkout"),
    [
        ({}, Checkout()),
        (GITHUB, Checkout("", "https://github.com/acme/fleet/blob/abc/")),
        (GITLAB, Checkout("", "https://gitlab.com/acme/fleet/-/blob/abc/")),
        (GITHUB | {"GITHUB_WORKSPACE": "/checkout"}, Checkout("a b/c/", "https://github.com/acme/fleet/blob/abc/")),
        (GITLAB | {"CI_PROJECT_DIR": "/checkout/a b/c"}, Checkout("", "https://gitlab.com/acme/fleet/-/blob/abc/")),
        (GITLAB | {"CI_PROJECT_DIR": "/elsewhere"}, Checkout("", "https://gitlab.com/acme/fleet/-/blob/abc/")),
        (GITHUB | {"GITHUB_SERVER_URL": "javascript:alert(1)"}, Checkout()),
        (GITHUB | {"GITHUB_SHA": ""}, Checkout()),
    ],
)
def test_where_files_are_for_the_forge(environment: dict[str, str], checkout: Checkout) -> None:
    assert checkout_of(environment, Path("/checkout/a b/c")) == checkout
