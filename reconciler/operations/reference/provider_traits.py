"""What each provider can do, from its data: a row for each of its kinds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

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
