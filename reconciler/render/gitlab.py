"""Renders a plan for GitLab merge requests: a code quality report, and the counts of the plan widget."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Final

from reconciler.render.json import json_text
from reconciler.render.view.findings import Finding, findings
from reconciler.render.view.location import Location
from reconciler.render.view.plan_view import PlanView

_SEVERITIES: Final = {"error": "critical", "warning": "minor"}


def render(view: PlanView) -> str:
    """The code quality report (`artifacts: reports: codequality`): findings with places and stable fingerprints."""
    return render_findings(findings(view), view.home)


def render_findings(complaints: Sequence[Finding], home: Location) -> str:
    """The same for findings alone; those without a place stand at `home`."""
    seen: Counter[str] = Counter()
    entries: list[dict[str, object]] = []
    for found in complaints:
        place = found.place or home
        entries.append(
            {
                "description": found.message,
                "check_name": found.rule,
                "fingerprint": fingerprint(found, seen),
                "severity": _SEVERITIES.get(found.severity, "info"),
                "location": {"path": place.path, "lines": {"begin": place.line}},
            }
        )
    return json_text(entries)


def render_counts(view: PlanView) -> str:
    """The counts of the plan widget (`artifacts: reports: terraform`). Whatever keeps an object is an update there."""
    count = view.summary
    updates = sum(count[action] for action in ("update", "adopt", "move", "release"))
    return json_text({"create": count["create"], "update": updates, "delete": count["delete"]})


def fingerprint(found: Finding, seen: Counter[str]) -> str:
    """The same for the same complaint in the next run, though lines move; `seen` tells equal ones of one run apart."""
    file = found.place.path if found.place else ""
    key = "\n".join((found.rule, found.address, file, found.message))
    seen[key] += 1
    return hashlib.sha256(f"{key}\n{seen[key]}".encode()).hexdigest()
