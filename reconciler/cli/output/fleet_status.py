"""How far a fleet is, as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from reconciler.formats.plan_document import document_text
from reconciler.operations.running.workers import FleetStatus
from reconciler.render.escape import visible

if TYPE_CHECKING:
    from reconciler.engine.fleet.ledger import TargetProgress


def status_json(status: FleetStatus) -> str:
    """The status for programs."""
    targets = [asdict(each) | {"finished": each.finished} for each in status.targets]
    problem_list = [
        {
            "target": each.target,
            "address": str(each.address),
            "result": each.result,
            "code": each.code,
            "said": each.message,
        }
        for each in status.problems
    ]
    return document_text({"format_version": "1", "kind": "fleet", "targets": targets, "problems": problem_list})


def status_text(status: FleetStatus) -> str:
    """The status for people: a line for each target, and for each address that was given up."""
    lines = [_line(each) for each in status.targets]
    lines += [f"! {visible(f'{p.target} {p.address}')}  {visible(p.message)} [{p.code}]" for p in status.problems]
    return "".join(f"{line}\n" for line in lines) or "nothing was submitted\n"


def _line(target: TargetProgress) -> str:
    done = sum(target.results.values())
    counts = ", ".join(f"{count} {result}" for result, count in sorted(target.results.items()))
    parts = [f"{target.target}  {done} of {target.total}", counts or "nothing yet"]
    if not target.surveyed:
        parts.append("not surveyed yet")
    if target.orphans:
        parts.append(f"{target.orphans} objects without a manifest")
    if target.trouble:
        parts.append(
            f"paused for {target.rests_seconds:.0f} s after {target.failures} failures: {visible(target.trouble)}"
        )
    return "  ".join(parts)
