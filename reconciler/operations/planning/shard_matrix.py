"""The shards of a plan as the matrix of a CI job."""

from __future__ import annotations

import json
from pathlib import Path

from reconciler.config.errors import ConfigError, error
from reconciler.core.plan import Plan
from reconciler.diagnostics import Code
from reconciler.operations.planning.shards import Shard, in_shard
from reconciler.tree import tree_of


def write_matrix(plan: Plan, count: int, path: Path, root: Path) -> None:
    """Write which parts of a plan have something to do, as the matrix of a CI job. Raises ConfigError."""
    parts = [Shard(number, count) for number in range(1, count + 1)]
    changes = {str(part): sum(change.is_due for change in in_shard(plan, part).changes) for part in parts}
    rows = [{"shard": part, "changes": number} for part, number in changes.items() if number]
    try:
        tree, name = tree_of(root, path)
        tree.replace(name, json.dumps({"include": rows}).encode() + b"\n")
    except OSError as problem:
        hint = "choose a directory with write permission"
        raise ConfigError(
            [error(Code.UNREADABLE, f"{path} cannot be written: {problem.strerror}", None, "", hint)]
        ) from None
