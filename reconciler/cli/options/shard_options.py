"""`--shard I/N` and `--split N=FILE`: one plan for several machines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
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
    "--shard", type=ShardType(), help="Only shard I of N; guards count the whole plan. With apply: of a PLANFILE."
)


def split_option_value(text: str) -> tuple[int, Path]:
    """The number and the file of `N=FILE`. Raises click.BadParameter."""
    count, equals, file = text.partition("=")
    if not (equals and file and count.isascii() and count.isdecimal() and 1 <= int(count) <= MOST):
        raise click.BadParameter(f"{text!r} is not N=FILE with N up to {MOST}", param_hint="--split")
    return int(count), Path(file)
