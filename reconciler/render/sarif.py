"""Renders the findings of a plan as SARIF 2.1.0 for code scanning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from reconciler import __version__
from reconciler.core.values.model import Json
from reconciler.render.gitlab import fingerprint
from reconciler.render.json import json_text
from reconciler.render.view.findings import Finding, findings
from reconciler.render.view.location import Location
from reconciler.render.view.plan_view import PlanView

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS: Final = {"error": "error", "warning": "warning"}


def render(view: PlanView) -> str:
    """One run with a result for each finding."""
    return render_findings(findings(view), view.home)


def render_findings(found: Sequence[Finding], home: Location) -> str:
    """The same for findings alone. Code scanning wants a place for each, so those without one stand at `home`."""
    titles = {finding.rule: finding.title for finding in found}
    order = list(titles)
    seen: Counter[str] = Counter()
    driver = {
        "name": "reconciler",
        "version": __version__,
        "rules": [{"id": rule, "shortDescription": {"text": _plain(title)}} for rule, title in titles.items()],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, order.index(finding.rule), home, seen) for finding in found],
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(found: Finding, rule: int, home: Location, seen: Counter[str]) -> dict[str, Json]:
    place = found.place or home
    location: dict[str, Json] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(place.path)},
            "region": {"startLine": place.line, "startColumn": place.column},
        }
    }
    if found.address:
        location["logicalLocations"] = [{"fullyQualifiedName": found.address, "kind": "resource"}]
    return {
        "ruleId": found.rule,
        "ruleIndex": rule,
        "level": _LEVELS.get(found.severity, "note"),
        "message": {"text": _plain(found.message)},
        "locations": [location],
        "partialFingerprints": {"finding/v1": fingerprint(found, seen)},
    }


def _plain(text: str) -> str:
    """A message without embedded links: in SARIF, `[text](target)` is one."""
    return text.replace("](", "]\\x28")
