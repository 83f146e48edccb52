"""Two objects of one name, which people cannot tell apart: found by hashes of the names, so that no name is kept.

What has the same hash is read again, and its name looked at.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator

from reconciler.config.errors import warning
from reconciler.config.message_text import cut
from reconciler.core.values.model import Json, Manifest
from reconciler.diagnostics import Code, Diagnostic
from reconciler.drivers.provider import Provider


def hash_of_name(kind: str, name: Json) -> int | None:
    """The same, in one process, for names of a kind that people take for the same; None where there is no name."""
    return hash((kind, _folded(name))) if isinstance(name, str) else None


def same_names(named: Iterable[tuple[int | None, Manifest]], provider: Provider) -> Iterator[Diagnostic]:
    """What there is to say of names that are there twice, from manifests with the hash of each one's name.

    Raises ConfigError for a file that has changed meanwhile.
    """
    found = [(number, each) for number, each in named if number is not None and not each.same_name_allowed]
    times = Counter(number for number, _ in found)
    first: dict[tuple[str, str], Manifest] = {}
    for number, manifest in found:
        if times[number] == 1:
            continue
        field = str(provider.kinds[manifest.address.kind].name_field)
        name = manifest.body[field]
        twin = first.setdefault((manifest.address.kind, _folded(name)), manifest)
        if twin is not manifest:
            summary = f"{manifest.address} has the same {field} as {twin.address}: {cut(name)}"
            hint = "rename one, or say `reconciler: {same_name: allow}`"
            yield warning(Code.SAME_NAME, summary, manifest.place((field,)), hint=hint)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
