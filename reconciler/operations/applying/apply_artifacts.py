"""What an apply leaves on disk when asked: a report, and the plan that takes it back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reconciler.config.errors import ConfigError, error
from reconciler.core.matching.index import index
from reconciler.core.plan import Plan
from reconciler.diagnostics import Code
from reconciler.drivers.transport.json_encoding import decoded
from reconciler.engine.snapshot import Snapshot
from reconciler.engine.state import planfile
from reconciler.formats.merge import merged_reports
from reconciler.formats.outcome import Outcome
from reconciler.formats.plan_document import document_text, outcomes_document
from reconciler.operations.applying.rollback import rollback
from reconciler.tree import tree_of


def check_destination(path: Path, *, new: bool) -> None:
    """See that a record can be written once the apply is over. Raises ConfigError.

    `new` is for a rollback: that of an earlier run must not be lost to a later one's.
    """
    if not path.parent.is_dir():
        raise ConfigError([error(Code.UNREADABLE, f"the directory of {path} does not exist", None, "", "create it")])
    if new and path.exists():
        hint = "use a new file for each apply; to undo several, apply their rollback plans from the last to the first"
        raise ConfigError(
            [error(Code.BAD_PLAN_FILE, f"{path.name} exists: it may be needed to roll back", None, "", hint)]
        )


def write_report(root: Path, path: Path, plan: Plan, outcomes: Sequence[Outcome]) -> None:
    """What happened to each change, as `apply --format json` prints it. Raises PlanFileError."""
    planfile.write_document(path, document_text(outcomes_document(plan, outcomes, plan.diagnostics)), root)


def merge_reports(root: Path, reports: Sequence[Path]) -> dict[str, Any]:
    """The reports of the shards of one apply, as one. Raises ConfigError and OSError."""
    try:
        return merged_reports([decoded(_content(root, path)) for path in reports])
    except ValueError as problem:
        hint = "give each report of one sharded apply once"
        raise ConfigError(
            [error(Code.BAD_REPORT, f"the reports cannot be merged: {problem}", None, "", hint)]
        ) from None


def _content(root: Path, name: Path) -> bytes:
    tree, path = tree_of(root, name)
    return tree.read(path, planfile.LARGEST)


def write_rollback(root: Path, path: Path, plan: Plan, snapshot: Snapshot, outcomes: Sequence[Outcome]) -> None:
    """The plan that takes back what was done. Raises PlanFileError."""
    found = {o.kind.name: index(o.kind, o.objects, plan.owner) for o in snapshot.observed}
    planfile.save(rollback(plan, found, outcomes), path, root)
