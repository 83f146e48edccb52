"""`reconciler providers`: the capabilities of each provider."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.options import Options
from reconciler.cli.verbs import verb

if TYPE_CHECKING:
    from reconciler.drivers.provider import Provider, ProviderKind

COLUMNS: Final = (
    "provider",
    "kind",
    "update",
    "omitted fields",
    "nested objects",
    "metadata",
    "delete",
    "pagination",
    "hosts",
)
"""The HTTP verb of an update and whether it checks a version; what the server does with fields that the request omits,
at the top and in nested objects; how metadata is updated; how an object is deleted; how lists are read; its hosts."""

_MAPS: Final = {"whole": "sent whole", "patch": "per key", "merge": "per key, no removal"}
_LISTS: Final = {
    "after": "after ID",
    "last": "after ID",
    "page": "page tokens",
    "offset": "offset",
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
    """Each row is one kind. If `hosts` is `set by target`, the target has its own `url`. A plan reports fields that the
    provider cannot change.
    """
    from reconciler.config.schema.schemas import schemas_of

    schemas = schemas_of(options.directory.absolute(), os.environ)
    found = [row for name in names or schemas.provider_names() for row in rows(schemas.provider(name))]
    click.echo(_FORMATS[form](found), nl=False)
    return 0


def rows(provider: Provider) -> Iterator[dict[str, str]]:
    """One row per kind, with the cells of `COLUMNS`."""
    for name, kind in provider.kinds.items():
        yield dict(zip(COLUMNS, (provider.name, name, *_traits(kind), _where(provider)), strict=True))


def _traits(kind: ProviderKind) -> tuple[str, ...]:
    update = kind.update
    changed = (
        update.verb + (" with version check" if update.lock else ""),
        "kept" if update.absent == "keep" else "cleared",
        {"replace": "replaced", "merge": "merged", "unknown": "cleared by name"}[update.nested],
        _MAPS[update.maps] if kind.mark_field else "none (marks in lock file)",
    )
    return (
        *(("none (recreated)", "-", "-", "none (marks in file names)") if kind.upload else changed),
        "archive" if kind.delete.archive else "delete",
        _LISTS[kind.list.style] + (", then each object" if kind.list.summaries else ""),
    )


def _where(provider: Provider) -> str:
    if provider.embedded:
        return "embedded server"
    return ", ".join(provider.hosts) if provider.url else "set by target"


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
