"""`--shard I/N` and `--split N=FILE`: one plan for several machines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from reconciler.core.plan import Plan
    from reconciler.operations.planning.shards import Shard

MOST: Final = 1000


class ShardType(click.ParamType["Shard"]):
    """`I/N`: part I of N."""

    name = "I/N"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        """The shard that a text names. Raises click.BadParameter."""
        from reconciler.operations.planning.shards import Shard

        number, slash, count = str(value).partition("/")
        sound = slash and all(part.isascii() and part.isdecimal() for part in (number, count))
        if not sound or not 1 <= int(number) <= int(count) <= MOST:
            self.fail(f"{value!r} is not I/N, such as 2/8, with at most {MOST} parts", param, ctx)
        return Shard(int(number), int(count))


shard_option = click.option(
    "--shard", type=ShardType(), help="Only part I of N; guards count the whole plan. apply: of a PLANFILE."
)


def split_option_value(text: str) -> tuple[int, Path]:
    """The number and the file of `N=FILE`. Raises click.BadParameter."""
    count, equals, file = text.partition("=")
    if not (equals and file and count.isascii() and count.isdecimal() and 1 <= int(count) <= MOST):
        raise click.BadParameter(f"{text!r} is not N=FILE with N up to {MOST}", param_hint="--split")
    return int(count), Path(file)


def write_matrix(plan: Plan, count: int, path: Path, root: Path) -> None:
    """Write which parts of a plan have something to do, as the matrix of a CI job. Raises ConfigError."""
    import json

    from reconciler.config.errors import ConfigError, error
    from reconciler.diagnostics import Code
    from reconciler.operations.planning.shards import Shard, in_shard
    from reconciler.tree import tree_of

    parts = [Shard(number, count) for number in range(1, count + 1)]
    changes = {str(part): sum(change.is_due for change in in_shard(plan, part).changes) for part in parts}
    rows = [{"shard": part, "changes": number} for part, number in changes.items() if number]
    try:
        tree, name = tree_of(root, path)
        tree.replace(name, json.dumps({"include": rows}).encode() + b"\n")
    except OSError as problem:
        hint = "choose a directory you may write to"
        raise ConfigError(
            [error(Code.UNREADABLE, f"{path} cannot be written: {problem.strerror}", None, "", hint)]
        ) from None
