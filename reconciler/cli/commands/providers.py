"""`reconciler providers`: what each provider can do, from its data."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.options import Options
from reconciler.cli.verbs import verb

if TYPE_CHECKING:
    from reconciler.drivers.provider import Provider, ProviderKind

COLUMNS: Final = ("provider", "kind", "change", "left out", "parts", "metadata", "remove", "list", "where")
"""Whose kind; the verb of a change, and what it compares; what becomes of fields that a request leaves out, and of
parts of objects; how metadata is changed; how an object is removed; how lists are read; where it is served."""

_MAPS: Final = {"whole": "whole", "patch": "by entry", "merge": "by entry, none out"}
_LISTS: Final = {
    "after": "after an id",
    "last": "after an id",
    "page": "page tokens",
    "offset": "offsets",
    "time": "by time",
}


@verb
@click.command("providers")
@click.argument("names", nargs=-1, metavar="[PROVIDER]...")
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", help="How to write it."
)
@click.pass_obj
def command(options: Options, names: tuple[str, ...], form: str) -> int:
    """A kind is served where its row says; `any` is a target's own `url`. What a provider cannot do, a plan says at the
    field that wants it.
    """
    from reconciler.config.schema.schemas import schemas_of

    schemas = schemas_of(options.directory.absolute(), os.environ)
    found = [row for name in names or schemas.provider_names() for row in rows(schemas.provider(name))]
    click.echo(_FORMATS[form](found), nl=False)
    return 0


def rows(provider: Provider) -> Iterator[dict[str, str]]:
    """One row for each kind, by `COLUMNS`."""
    for name, kind in provider.kinds.items():
        yield dict(zip(COLUMNS, (provider.name, name, *_traits(kind), _where(provider)), strict=True))


def _traits(kind: ProviderKind) -> tuple[str, ...]:
    update = kind.update
    changed = (
        update.verb + (f", if {update.lock} is as seen" if update.lock else ""),
        "stay" if update.absent == "keep" else "are cleared",
        {"replace": "go", "merge": "stay", "unknown": "are named"}[update.nested],
        _MAPS[update.maps] if kind.mark_field else "none: marks in a lock file",
    )
    return (
        *(("none: made anew", "-", "-", "none: marks in names") if kind.upload else changed),
        "archive" if kind.delete.archive else "delete",
        _LISTS[kind.list.style] + (", each read" if kind.list.summaries else ""),
    )


def _where(provider: Provider) -> str:
    if provider.embedded:
        return "in this process"
    return ", ".join(provider.hosts) if provider.url else "any"


def _text(found: Sequence[Mapping[str, str]]) -> str:
    widths = {name: max(len(name), *(len(row[name]) for row in found)) for name in COLUMNS}
    lines = ["  ".join(row[name].ljust(widths[name]) for name in COLUMNS).rstrip() for row in (_head(), *found)]
    return "\n".join(lines) + "\n"


def _markdown(found: Sequence[Mapping[str, str]]) -> str:
    lines = [" | ".join(row[name] for name in COLUMNS) for row in (_head(), *found)]
    lines.insert(1, "|".join("---" for _ in COLUMNS))
    return "".join(f"| {line} |\n" if "---|" not in line else f"|{line}|\n" for line in lines)


def _json(found: Sequence[Mapping[str, str]]) -> str:
    import json

    return json.dumps(found, indent=2) + "\n"


def _head() -> dict[str, str]:
    return {name: name for name in COLUMNS}


_FORMATS: Final[Mapping[str, Callable[[Sequence[Mapping[str, str]]], str]]] = {
    "text": _text,
    "markdown": _markdown,
    "json": _json,
}
