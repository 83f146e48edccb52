"""Objects of ours that lost their manifest, and what a new manifest has in common with one: then it was renamed.

Found by look-up, never by comparing each with each: a directory that was moved has as many of both as an account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from reconciler.core import marks
from reconciler.core.base import UnknownBase
from reconciler.core.decide import decide_update
from reconciler.core.desired import managed_units, remembered_units
from reconciler.core.model import Json, Manifest, Unit
from reconciler.core.pairing import Managed
from reconciler.core.semantics import Kind, canonical, digest, meaning_of, units


class Likeness(StrEnum):
    """What makes a manifest and an object of another key one and the same."""

    CONTENT = "content"
    NAME = "name"


class LeftBehind:
    """Objects of ours without a manifest."""

    def __init__(self, kind: Kind, objects: Iterable[Managed]) -> None:
        self._kind = kind
        self._named: dict[str, Managed] = {}
        self._managing: dict[frozenset[str], list[Managed]] = {}
        self._with_content: dict[frozenset[str], dict[str, list[Managed]]] = {}
        for owned in sorted(objects, key=lambda each: each.mark.key):
            self._managing.setdefault(owned.mark.units, []).append(owned)
            if isinstance(name := owned.live.body.get(kind.name_field or ""), str):
                self._named.setdefault(name, owned)

    def like(self, manifest: Manifest) -> tuple[Managed, Likeness] | None:
        """The first by its key that manages the same units with one content, or has the same name."""
        found = []
        if owned := self._of_content(manifest):
            found.append((owned, Likeness.CONTENT))
        if owned := self._of_name(manifest):
            found.append((owned, Likeness.NAME))
        return min(found, key=lambda each: each[0].mark.key, default=None)

    def _of_name(self, manifest: Manifest) -> Managed | None:
        name = manifest.body.get(self._kind.name_field or "")
        return self._named.get(name) if isinstance(name, str) and name and not manifest.same_name_allowed else None

    def _of_content(self, manifest: Manifest) -> Managed | None:
        wanted = managed_units(self._kind, manifest)
        managed = marks.codes(remembered_units(self._kind, manifest))
        names = [unit for unit in wanted if self._counts(unit)]
        if managed not in self._with_content:
            alike: dict[str, list[Managed]] = {}
            for owned in self._managing.get(managed, ()):
                alike.setdefault(self._text(names, units(self._kind, owned.live.body)), []).append(owned)
            self._with_content[managed] = alike
        candidates = self._with_content[managed].get(self._text(names, wanted), ())
        return next((owned for owned in candidates if self._is_same(manifest, owned)), None)

    def _counts(self, unit: Unit) -> bool:
        return unit[0] not in self._kind.managed_maps and not meaning_of(self._kind, unit).uncompared

    def _text(self, names: Iterable[Unit], values: Mapping[Unit, Json]) -> str:
        return digest({repr(unit): canonical(meaning_of(self._kind, unit), values.get(unit)) for unit in names})

    def _is_same(self, manifest: Manifest, owned: Managed) -> bool:
        """Of a managed map every entry counts, those that would go as well."""
        return not decide_update(self._kind, manifest, owned.live.body, None, UnknownBase()).writes
