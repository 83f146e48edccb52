"""Merges the reports of a sharded apply into one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.core.values.model import Json
from reconciler.formats.outcome import Result
from reconciler.formats.plan_document import FORMAT_VERSION

_SAME: Final = ("target", "owner", "config_digest")


def merged_reports(reports: Sequence[Json]) -> dict[str, Json]:
    """One report with the outcomes of all. Raises ValueError where they are no parts of one apply."""
    documents = [_checked(report, place) for place, report in enumerate(reports, 1)]
    first = documents[0]
    for place, document in enumerate(documents[1:], 2):
        if differing := [name for name in _SAME if document.get(name) != first.get(name)]:
            raise ValueError(f"report {place} has another {differing[0]} than report 1")
    outcomes = [outcome for document in documents for outcome in document["outcomes"]]
    seen: set[tuple[Any, ...]] = set()
    for outcome in outcomes:
        change = (outcome["address"], outcome["action"], outcome.get("id"))
        if change in seen:
            raise ValueError(f"{outcome['address']} is in two reports: these are not parts of one apply")
        seen.add(change)
    totals = {result.value: sum(1 for o in outcomes if o["outcome"] == result.value) for result in Result}
    head = {name: first[name] for name in ("format_version", "kind", *_SAME)}
    return head | {
        "complete": all(document["complete"] for document in documents),
        "outcomes": sorted(outcomes, key=lambda outcome: str(outcome["address"])),
        "totals": totals | {"requests": sum(outcome["requests"] for outcome in outcomes)},
        "blocked": _once(entry for document in documents for entry in document["blocked"]),
        "diagnostics": _once(entry for document in documents for entry in document["diagnostics"]),
    }


def _checked(report: Json, place: int) -> Mapping[str, Json]:
    if not isinstance(report, dict) or report.get("kind") != "apply":
        raise ValueError(f"report {place} is not the report of an apply")
    if report.get("format_version") != FORMAT_VERSION:
        raise ValueError(f"report {place} was written by another version: this one reads {FORMAT_VERSION!r}")
    if missing := [name for name in (*_SAME, "complete") if name not in report]:
        raise ValueError(f"report {place} has no {missing[0]}")
    for name in ("outcomes", "blocked", "diagnostics"):
        if not isinstance(report.get(name), list) or not all(isinstance(entry, dict) for entry in report[name]):
            raise ValueError(f"{name} of report {place} should be a list")
    wanted: Mapping[str, type] = {"address": str, "action": str, "outcome": str, "requests": int}
    for outcome in report["outcomes"]:
        if any(not isinstance(outcome.get(name), kind) for name, kind in wanted.items()):
            raise ValueError(f"an outcome of report {place} is not complete")
    return report


def _once(entries: Iterable[Json]) -> list[Json]:
    """The entries without repetitions, in their order."""
    found: list[Json] = []
    for entry in entries:
        if entry not in found:
            found.append(entry)
    return found
