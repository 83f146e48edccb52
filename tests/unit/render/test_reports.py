"""What machines read: annotations, code scanning, code quality and test reports."""

import json
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import given

from reconciler.core.plan import Plan
from reconciler.core.values.model import FieldChange, Reason
from reconciler.diagnostics import Code, Diagnostic, Severity, Source
from reconciler.render import github, gitlab, junit, markdown, sarif
from reconciler.render.view.location import Checkout
from reconciler.render.view.plan_view import plan_view
from tests.unit.core.plans import plans, unhurried
from tests.unit.render.conftest import update

ANNOTATION = re.compile(r"::(error|warning|notice) ((?:[a-z]+=[^,:\n]*,)*title=[^,:\n]*)::([^\r\n]+)")


def problem(summary: str, source: Source | None = None) -> Diagnostic:
    return Diagnostic(Severity.ERROR, Code.BLOCKED, summary, source=source, address="assistant/a")


@unhurried
@given(plans)
def test_annotations_are_commands_of_one_line_each(plan: Plan) -> None:
    lines = github.render(plan_view(plan)).splitlines()
    assert all(ANNOTATION.fullmatch(line) for line in lines)
    assert len(lines) == len(plan.changes) + len(plan.diagnostics) + (not plan.complete)


def test_annotations_escape_what_commands_are_made_of(make_plan: Callable[..., Plan]) -> None:
    found = problem("100% sure::\nreally, yes", Source("a:b,c%.yaml", 4, 2))
    assert github.render(plan_view(make_plan(diagnostics=(found,)))) == (
        "::error file=a%3Ab%2Cc%25.yaml,line=4,col=2,title=RC0401 assistant/a::100%25 sure::\\nreally, yes\n"
    )


def test_errors_come_first_and_drift_is_a_warning(rich_plan: Plan) -> None:
    lines = github.render(plan_view(rich_plan)).splitlines()
    sorts = [line.split(" ")[0].strip(":") for line in lines]
    assert sorts == ["error"] * 4 + ["warning"] * 3 + ["notice"] * 8
    assert any("title=update assistant/support/helpdesk::" in line for line in lines if line.startswith("::warning"))


@unhurried
@given(plans)
def test_sarif_has_a_result_with_rule_and_place_for_each_finding(plan: Plan) -> None:
    document = json.loads(sarif.render(plan_view(plan)))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    assert len(run["results"]) == len(plan.diagnostics) + sum(change.blocked is not None for change in plan.changes)
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
        assert "](" not in result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert re.fullmatch(r"[\w./~%-]*", place["artifactLocation"]["uri"], re.ASCII)
        assert place["region"]["startLine"] >= 1
        assert place["region"]["startColumn"] >= 1


def test_what_has_no_place_stands_at_the_settings(rich_plan: Plan) -> None:
    view = plan_view(rich_plan, settings="fleet/reconciler.yaml")
    results = json.loads(sarif.render(view))["runs"][0]["results"]
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results]
    assert places.count("fleet/reconciler.yaml") == 3
    entries = json.loads(gitlab.render(view))
    assert [entry["location"]["path"] for entry in entries].count("fleet/reconciler.yaml") == 3


@unhurried
@given(plans)
def test_code_quality_entries_are_whole_and_told_apart(plan: Plan) -> None:
    entries = json.loads(gitlab.render(plan_view(plan)))
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    for entry in entries:
        assert entry["severity"] in {"info", "minor", "critical"}
        assert entry["description"]
        assert entry["check_name"]
        assert entry["location"]["lines"]["begin"] >= 1


@pytest.mark.parametrize("render", [gitlab.render, sarif.render])
def test_a_finding_is_the_same_when_its_line_moves(render: Callable[..., str], make_plan: Callable[..., Plan]) -> None:
    def fingerprints(*lines: int) -> list[str]:
        found = tuple(problem("bad", Source("a.yaml", line, 1)) for line in lines)
        return re.findall(r"[0-9a-f]{64}", render(plan_view(make_plan(diagnostics=found))))

    assert fingerprints(3, 9) == fingerprints(5, 11)
    assert len(set(fingerprints(3, 9))) == 2


def test_the_plan_widget_counts(rich_plan: Plan) -> None:
    counts = json.loads(gitlab.render_counts(plan_view(rich_plan)))
    assert counts == {"create": 1, "update": 7, "delete": 1}  # an adopt, a move and a release keep the object


@unhurried
@given(plans)
def test_junit_is_xml_with_a_case_for_each_change(plan: Plan) -> None:
    root = ElementTree.fromstring(junit.render(plan_view(plan)).encode())
    (suite,) = root
    cases = suite.findall("testcase")
    blocked = sum(change.blocked is not None for change in plan.changes)
    errors = any(found.severity is Severity.ERROR for found in plan.diagnostics) or not plan.complete
    assert len(cases) == len(plan.changes) + 1 == int(suite.get("tests", ""))
    assert len(suite.findall("testcase/failure")) == blocked + errors == int(root.get("failures", ""))


def test_junit_of_a_change(make_plan: Callable[..., Plan]) -> None:
    field = FieldChange(("temperature",), 0.1, 0.2, Reason.DRIFTED)
    root = ElementTree.fromstring(junit.render(plan_view(make_plan(update("a", field)))).encode())
    case = root.findall("./testsuite/testcase")[1]
    assert case.attrib == {"classname": "assistant", "name": "assistant/a", "file": "assistants.d/a.yaml", "line": "12"}
    assert case.findtext("system-out") == "update\n    temperature: 0.1 → 0.2"


def test_machines_get_paths_from_the_root_of_the_checkout(make_plan: Callable[..., Plan]) -> None:
    found = problem("bad", Source("assistants.d/a b.yaml", 4, 2))
    checkout = Checkout("fleets/one/", "https://forge.example/")
    view = plan_view(make_plan(update("a"), diagnostics=(found,)), checkout=checkout)
    assert "file=fleets/one/assistants.d/a b.yaml,line=4" in github.render(view)
    assert '"path": "fleets/one/assistants.d/a b.yaml"' in gitlab.render(view)
    assert '"uri": "fleets/one/assistants.d/a%20b.yaml"' in sarif.render(view)
    assert 'file="fleets/one/assistants.d/a.yaml"' in junit.render(view)
    link = '<a href="https://forge.example/fleets/one/assistants.d/a%20b.yaml#L4">'
    assert f"{link}<code>assistants.d/a b.yaml:4</code></a>" in markdown.render(view)
