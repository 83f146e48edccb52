"""What values of a kind mean: when two are equal, which units a body has, and how a unit is cleared.

Equality is `canonical(a) == canonical(b)`: numbers by
value, sets sorted, keyed lists by key, and absent, null and the schema's default one and the same.
What the schema does not know of a closed object is not ours and does not count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from json.encoder import encode_basestring

from reconciler.core.values.model import ABSENT, Json, Unit


class ListMeaning(StrEnum):
    """How a list compares (`x-list`)."""

    ORDERED = "ordered"
    SET = "set"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The compiled schema of one value: what canonical form, explanation and clearing need, and no more.

    A map is `granular` where it is owned entry by entry. With `managed_entries` all that are shown are ours: one that
    is not in the manifest goes, and a mark remembers only that there is such a map. Of such an entry a part that is
    `immutable` counts where the manifest says it, and one that is `read_only` and compared is how far the remote is.
    """

    properties: Mapping[str, Meaning] = field(default_factory=dict)
    entries: Meaning | None = None
    items: Meaning | None = None
    list_meaning: ListMeaning = ListMeaning.ORDERED
    keys: tuple[tuple[str, ...], ...] = ()
    granular: bool = False
    managed_entries: bool = False
    closed: bool = False
    default: Json = None
    shown_as: Mapping[str, Json] = field(default_factory=dict)
    on_remove: Json = ABSENT
    uncompared: bool = False
    read_only: bool = False
    immutable: bool = False
    sensitive: bool = False
    ref: str | None = None
    unset: str = field(init=False, compare=False, repr=False)
    """The canonical form of no value: of null, of absence, and of the default."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "unset", "null" if self.default is None else canonical(self, self.default))

    @property
    def is_record(self) -> bool:
        """Whether the schema names the value's properties or the meaning of its entries."""
        return bool(self.properties) or self.entries is not None


FREE = Meaning()
"""A value the schema says nothing of: compared as it stands, order of lists included."""


@dataclass(frozen=True, slots=True)
class Kind:
    """All that deciding needs to know of one kind: its fields, and how its provider takes writes.

    `mark_field` is the granular map that carries our mark; `name_field` holds the name people see, if any. Where marks
    are `marked_beside` the manifests, no object carries its own, and none can be found by its nonce.
    `nested` tells what a remote does with parts of an object value that a request leaves out (`replace`, `merge` or
    `unknown`), `absent` what with whole fields (`keep` or `clear`), and `maps` whether maps owned entry by entry are
    sent `whole`, or entry by entry: with null for those that go (`patch`), or with nothing to take one out (`merge`).
    `coupled` are groups of fields that the remote only accepts together; `max_entries` is how many entries the map with
    the mark may have (None: any number), and `max_mark` how many characters the mark. Where a remote `archives`,
    nothing is ever deleted.

    Objects of an `immutable` kind cannot be changed, marks included: another one takes the place of one that should be
    different. `expired` is the field and value of an object whose time is over. `managed_maps` are the fields that are
    maps with `managed_entries`.
    """

    name: str
    fields: Mapping[str, Meaning]
    mark_field: str
    name_field: str | None = None
    nested: str = "unknown"
    coupled: tuple[tuple[str, ...], ...] = ()
    max_entries: int | None = 16
    max_mark: int = 512
    marked_beside: bool = False
    maps: str = "whole"
    absent: str = "keep"
    archives: bool = False
    immutable: bool = False
    expired: tuple[str, str] | None = None
    managed_maps: frozenset[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        maps = frozenset(name for name, meaning in self.fields.items() if meaning.managed_entries)
        object.__setattr__(self, "managed_maps", maps)

    def carries_others(self, patch: Mapping[str, Json]) -> bool:
        """Whether a request carries values that others write as well: the rest of the object, or of a map."""
        shared = any(self.fields[name].granular for name in patch.keys() & self.fields.keys() - self.managed_maps)
        return self.absent == "clear" or (self.maps == "whole" and shared)


def canonical(meaning: Meaning, value: Json) -> str:
    """One text for all values that mean the same; two values are equal exactly when their texts are.

    It is JSON: parts at their default left out, names, sets and keyed lists sorted, floats made whole. Made as a text
    from the start, because the values in between would cost as much again, and every live object comes through here.
    """
    if type(value) is str and not meaning.shown_as:  # most values of most bodies
        return encode_basestring(value)
    if value is ABSENT or value is None:
        return meaning.unset
    if isinstance(value, list):
        return _list_text(meaning, value)
    if isinstance(value, dict) and (meaning.is_record or meaning.closed):
        return _record_text(meaning, value)
    text = _free_text(value)
    if meaning.shown_as and (shown := meaning.shown_as.get(text, ABSENT)) is not ABSENT:
        return _free_text(shown)
    return text


def canonical_value(meaning: Meaning, value: Json) -> Json:
    """The canonical form as JSON."""
    return json.loads(canonical(meaning, value))


def _list_text(meaning: Meaning, value: list[Json]) -> str:
    items = meaning.items or FREE
    entries = [canonical(items, entry) for entry in value]
    if meaning.list_meaning is ListMeaning.SET:
        entries = sorted(set(entries))
    elif meaning.list_meaning is ListMeaning.MAP:
        entries.sort()
    return f"[{','.join(entries)}]"


def _record_text(meaning: Meaning, value: Mapping[str, Json]) -> str:
    parts: list[str] = []
    for name in sorted(value):
        entry, sub = value[name], meaning.properties.get(name)
        if sub is None:
            if not meaning.closed:
                parts.append(f"{encode_basestring(name)}:{canonical(meaning.entries or FREE, entry)}")
        elif entry is not None and not sub.uncompared:
            part = canonical(sub, entry)
            if part != sub.unset:
                parts.append(f"{encode_basestring(name)}:{part}")
    return f"{{{','.join(parts)}}}"


def _free_text(value: Json) -> str:
    """A free value with whole floats as integers, so that 1.0 and 1 are one number; true stays apart from 1."""
    text = _dump(value)
    # How every whole float is written, and little else is.
    return _dump(_plain(value)) if ".0" in text or "e+" in text else text


def _plain(value: Json) -> Json:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    return value


_dump = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def entry_key(meaning: Meaning, entry: Json) -> str:
    """The name of an entry of a keyed list: its key values joined by `:`; empty where it has none."""
    parts = []
    for pointer in meaning.keys:
        found = entry
        for step in pointer:
            found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, str):
            parts.append(found)
    return ":".join(parts)


def same(meaning: Meaning, one: Json, other: Json) -> bool:
    """Whether two values mean the same."""
    if isinstance(one, str) and isinstance(other, str) and one == other:
        return True
    return canonical(meaning, one) == canonical(meaning, other)


def meaning_of(kind: Kind, unit: Unit) -> Meaning:
    """The meaning of one unit; free for a field the schema does not know."""
    field_meaning = kind.fields.get(unit[0], FREE)
    return field_meaning if len(unit) == 1 else field_meaning.entries or FREE


def as_far_as_wanted(meaning: Meaning, wanted: Json, live: Json) -> Json:
    """A live entry of a managed map, less its create-only parts of which the wanted one says nothing."""
    if not (isinstance(wanted, dict) and isinstance(live, dict)):
        return live
    silent = {name for name, part in meaning.properties.items() if part.immutable and name not in wanted}
    return {name: value for name, value in live.items() if name not in silent}


def final_entry(meaning: Meaning, entry: Json) -> Json:
    """An entry of a managed map as it is once the remote is done with it."""
    if not isinstance(entry, dict):
        return entry
    progress = {name for name, part in meaning.properties.items() if part.read_only and not part.uncompared}
    return {name: value for name, value in entry.items() if name not in progress}


def units(kind: Kind, body: Mapping[str, Json]) -> dict[Unit, Json]:
    """The units of a body and their values: granular maps entry by entry, read-only fields and our mark left out."""
    found: dict[Unit, Json] = {}
    for name, value in body.items():
        meaning = kind.fields.get(name, FREE)
        if meaning.uncompared and meaning.read_only:
            continue
        if not meaning.granular:
            found[(name,)] = value
        elif isinstance(value, dict):
            found.update({(name, key): entry for key, entry in value.items() if not is_mark(kind, (name, key))})
    return found


MARK_ENTRY = "reconciler"
"""The entry of the mark field that holds our mark."""


def is_mark(kind: Kind, unit: Unit) -> bool:
    """Whether a unit is our own bookkeeping."""
    return unit == (kind.mark_field, MARK_ENTRY)


def can_clear(kind: Kind, unit: Unit) -> bool:
    """Whether there is a request that clears a unit."""
    if is_mark(kind, unit) or (len(unit) > 1 and kind.maps != "merge"):
        return True
    return meaning_of(kind, unit).on_remove is not ABSENT


def digest(parts: Mapping[str, str]) -> str:
    """`sha256:…` over canonical texts by name, independent of their order."""
    return "sha256:" + hashlib.sha256(_dump(dict(parts)).encode(errors="surrogatepass")).hexdigest()
