"""Finds renamed files: a new manifest that is nearly the same as an object without a manifest.

First what says the same, or has the same name. Then what is nearly the same: all that is not long text is equal, and
the long texts have at least three quarters of their pieces in common. That is counted as git counts renames: how often
each piece is in both, as a share of the larger text. A piece is two words in a row where git takes a line, because
prose has long lines. It is three quarters where git takes a half, because a wrong guess stops an apply.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final
from zlib import crc32

from reconciler.core.matching.index import Managed, content_of, folded, grouped
from reconciler.core.values.model import ABSENT, Json, Manifest
from reconciler.core.values.semantics import FREE, Kind, Meaning, canonical

LONG_TEXT: Final = 200
"""The characters that make a text long: shorter ones are too much alike by chance, and have to be equal."""
_COMMON: Final = (3, 4)
_LONGEST_WORD: Final = 30
"""Where a language has no spaces, characters stand for words."""
_A_TEXT: Final = "…"


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is compared of a body with long texts: numbers for their `pieces`, sorted; `frame` stands for the rest."""

    frame: bytes
    pieces: tuple[int, ...]


def sketch_of(kind: Kind, body: Mapping[str, Json]) -> Sketch | None:
    """The sketch of a body; None where it has no long text, or its kind never changes: then it is no rename.

    Left aside are the name, maps that are managed entry by entry (one has the mark), ids of other objects, and what is
    secret or not compared.
    """
    if kind.immutable:
        return None
    texts: list[str] = []
    parts: list[str] = []
    for name, meaning in sorted(kind.fields.items()):
        if not (meaning.read_only or meaning.granular or name == kind.name_field):
            parts.append(f"{name} {canonical(meaning, _framed(meaning, body.get(name), texts))}")
    pieces = sorted(piece for text in texts for piece in _pieces(text))
    if not pieces:
        return None
    frame = hashlib.blake2b("\n".join(parts).encode(errors="surrogatepass"), digest_size=16).digest()
    return Sketch(frame, tuple(pieces))


def _framed(meaning: Meaning, value: Json, texts: list[str]) -> Json:
    """A value with a placeholder for each long text, which goes to `texts`, and without what is left aside."""
    secret = meaning.sensitive and not any(part.sensitive for part in _parts(meaning))
    if secret or meaning.uncompared or meaning.ref is not None:
        return ABSENT
    if isinstance(value, str) and len(value) >= LONG_TEXT:
        texts.append(value)
        return _A_TEXT
    if isinstance(value, list):
        entries = (_framed(meaning.items or FREE, entry, texts) for entry in value)
        return _unless_emptied(value, [entry for entry in entries if entry is not ABSENT])
    if isinstance(value, dict):
        known = meaning.properties if meaning.closed else value  # what a closed object does not know is not ours
        framed = {
            name: _framed(meaning.properties.get(name) or meaning.entries or FREE, entry, texts)
            for name, entry in value.items()
            if name in known
        }
        return _unless_emptied(value, {name: entry for name, entry in framed.items() if entry is not ABSENT})
    return value


def _unless_emptied(value: Json, left: Json) -> Json:
    """What is left of a list or map; nothing where all of it was left aside."""
    return left if left or not value else ABSENT


def _parts(meaning: Meaning) -> Iterator[Meaning]:
    yield from meaning.properties.values()
    yield from (part for part in (meaning.entries, meaning.items) if part is not None)


def _pieces(text: str) -> Iterator[int]:
    words: list[str] = []
    for word in text.split():
        words += [word] if len(word) <= _LONGEST_WORD else word
    return (crc32(f"{one} {two}".encode(errors="surrogatepass")) for one, two in pairwise(words))


def nearly_same(one: Sketch, other: Sketch) -> bool:
    """Whether two bodies are equal but for long texts, and those have most pieces in common."""
    share, whole = _COMMON
    larger = max(len(one.pieces), len(other.pieces))
    if one.frame != other.frame or min(len(one.pieces), len(other.pieces)) * whole < larger * share:
        return False
    return (Counter(one.pieces) & Counter(other.pieces)).total() * whole >= larger * share


@dataclass(frozen=True)
class OrphanIndex:
    """The objects of a kind that are ours and have no manifest, sorted by key; looked up by what manifests say."""

    kind: Kind
    orphans: Sequence[Managed]

    def like(self, manifest: Manifest) -> tuple[Managed, str] | None:
        """The one that a new manifest was probably made from, and what they have in common.

        It is the first by its key that says the same or has the same name; else one that says nearly the same.
        """
        body = manifest.body
        alike = [(each, "the same content") for each in self._by_content.get(content_of(self.kind, body), ())[:1]]
        name = folded(body.get(self.kind.name_field or ""))
        alike += [(each, "the same name") for each in self._by_name.get(name or "", ())[:1]]
        if alike:
            return min(alike, key=lambda each: each[0].mark.key)
        sketch = sketch_of(self.kind, body)
        each = self.nearly(sketch) if sketch else None
        return (each, "nearly the same content") if each else None

    def nearly(self, sketch: Sketch) -> Managed | None:
        """One whose sketch is nearly the same: of several one that shares rare pieces."""
        group = self._by_frame.get(sketch.frame)
        return group.near(sketch) if group else None

    @cached_property
    def _by_content(self) -> Mapping[bytes, Sequence[Managed]]:
        return grouped((each.live.content or content_of(self.kind, each.live.body), each) for each in self.orphans)

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[Managed]]:
        names = ((folded(each.live.body.get(self.kind.name_field or "")), each) for each in self.orphans)
        return grouped((name, each) for name, each in names if name)

    @cached_property
    def _by_frame(self) -> Mapping[bytes, _Group]:
        sketches = ((each, each.live.sketch or sketch_of(self.kind, each.live.body)) for each in self.orphans)
        groups = grouped((sketch.frame, (each, sketch)) for each, sketch in sketches if sketch)
        return {frame: _Group(several) for frame, several in groups.items()}


class _Group:
    """Objects of one frame, to be found by their rarest pieces: not each is compared with each."""

    def __init__(self, members: Sequence[tuple[Managed, Sketch]]) -> None:
        self._members = members
        self._often = Counter(piece for _, sketch in members for piece in set(sketch.pieces))
        self._by_piece: dict[int, list[int]] = {}
        for place, (_, sketch) in enumerate(members):
            for piece in self._rarest(sketch):
                self._by_piece.setdefault(piece, []).append(place)

    def near(self, sketch: Sketch) -> Managed | None:
        """One that is nearly the same; those that share the rarest pieces are tried first."""
        seen: set[int] = set()
        for piece in self._rarest(sketch):
            for place in self._by_piece.get(piece, ()):
                each, other = self._members[place]
                if place not in seen and nearly_same(sketch, other):
                    return each
                seen.add(place)
        return None

    def _rarest(self, sketch: Sketch) -> Sequence[int]:
        """So many of the rarest pieces that two sketches without one in common cannot be nearly the same.

        Where three quarters of the pieces of each are in both, at least one of any quarter and one more is.
        """
        share, whole = _COMMON
        pieces = sorted(sketch.pieces, key=lambda piece: (self._often[piece], piece))
        return list(dict.fromkeys(pieces[: len(pieces) * (whole - share) // whole + 1]))
