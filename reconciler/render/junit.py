"""Renders a plan as a JUnit report: a test case for each change, which fails if the change is blocked."""

from __future__ import annotations

from xml.etree import ElementTree as xml

from reconciler.render.terminal.color import painter
from reconciler.render.terminal.diagnostic_lines import diagnostic_lines
from reconciler.render.view.headline import INCOMPLETE, headline, total
from reconciler.render.view.plan_view import ChangeView, PlanView


def render(view: PlanView) -> str:
    """The report. Every text of a view is legal in XML: what XML cannot hold is a visible escape already."""
    suite = xml.Element("testsuite", name=headline(view))
    _plan(suite, view)
    for change in view.changes:
        _change(suite, change)
    failures = len(suite.findall("./testcase/failure"))
    root = xml.Element("testsuites", name="reconciler")
    for counted in (suite, root):
        counted.set("tests", str(len(view.changes) + 1))
        counted.set("failures", str(failures))
        counted.set("errors", "0")
    root.append(suite)
    xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{xml.tostring(root, encoding="unicode")}\n'


def _plan(suite: xml.Element, view: PlanView) -> None:
    """The plan itself: it fails where it is not whole, or where a diagnostic is an error."""
    case = xml.SubElement(suite, "testcase", classname="plan", name=view.target)
    plain = painter(color=False)
    errors = [found for found in view.diagnostics if found.severity == "error"]
    if errors or not view.complete:
        message = errors[0].summary if errors else INCOMPLETE
        xml.SubElement(case, "failure", message=message, type=errors[0].code if errors else "incomplete")
    lines = [total(view), *(line for found in view.diagnostics for line in diagnostic_lines(found, plain))]
    xml.SubElement(case, "system-out").text = "\n".join(lines)


def _change(suite: xml.Element, change: ChangeView) -> None:
    case = xml.SubElement(suite, "testcase", classname=change.address.partition("/")[0], name=change.address)
    if change.place:
        case.set("file", change.place.path)
        case.set("line", str(change.place.line))
    if change.blocked:
        message = f"{change.action} blocked: {change.blocked.words}"
        xml.SubElement(case, "failure", message=message, type=change.blocked.by).text = change.blocked.hint
    head = f"{change.action}: {change.note}" if change.note else change.action
    lines = [head, *(f"    {field.path}: {field.summary}" for field in change.fields)]
    xml.SubElement(case, "system-out").text = "\n".join(lines)
