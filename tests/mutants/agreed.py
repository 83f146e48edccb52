"""Wrong versions of what says that an object needs nothing, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    Mutant(
        "core/fingerprint",
        "if manifest.ignore or manifest.initial or manifest.refs or",
        "if manifest.refs or",
        "left to others",
        "engine/compact core/fingerprint",
    ),
    Mutant(
        "core/fingerprint",
        "if any(meaning_of(kind, unit).uncompared for unit in wanted):",
        "if not wanted:",
        "uncompared",
        "engine/compact core/fingerprint",
    ),
    Mutant(
        "core/fingerprint",
        "if _digest(kind, wanted.units, present) != wanted.digest:",
        "if not present:",
        "values count",
        "engine/compact core/fingerprint",
    ),
    Mutant(
        "core/fingerprint",
        " and meaning.default is None",
        "",
        "a prompt that is the default",
        "engine/compact core/fingerprint",
    ),
    Mutant(
        "core/fingerprint",
        " and not meaning.shown_as",
        "",
        "a text shown as another",
        "engine/compact core/fingerprint",
    ),
    Mutant(
        "core/fingerprint", 'f"{len(text)}:{text}"', "text", "where one text ends", "engine/compact core/fingerprint"
    ),
    Mutant(
        "core/fingerprint",
        'return f"\'{value}"',
        "return len(value)",
        "every word of a prompt",
        "engine/compact core/fingerprint",
    ),
    Mutant(
        "engine/compact",
        "if self._refers:",
        "if not self._refers:",
        "references are looked up",
        "engine/compact core/fingerprint",
    ),
    Mutant(
        "engine/compact",
        "if mark.nonce == marks.NO_NONCE or manifest",
        "if manifest",
        "a nonce is drawn",
        "engine/compact core/fingerprint",
    ),
    Mutant(
        "engine/compact",
        "if live.id in self._bound:",
        "if live.id in ():",
        "bound by another",
        "engine/compact core/fingerprint",
    ),
    Mutant("engine/compact", "or mark.key in self._former", "", "moved from", "engine/compact core/fingerprint"),
    Mutant(
        "engine/compact",
        "if not is_ours(mark, self._owner):",
        "if not isinstance(mark, Mark):",
        "others own it",
        "engine/compact core/fingerprint",
    ),
    Mutant(
        "engine/compact", ", *filter(None, [kind.name_field])", "", "its name counts", "engine/compact core/fingerprint"
    ),
    Mutant("core/fingerprint", " == mark\n", " is not None\n", "the mark counts", "engine/compact core/fingerprint"),
    Mutant(
        "engine/compact", "in (*names, *more) if", "in more if", "what it uses stays", "engine/compact core/fingerprint"
    ),
    Mutant(
        "engine/compact",
        "live.created, mark=mark, content=",
        "live.created, content=",
        "marks of others stay",
        "engine/compact core/fingerprint",
    ),
    Mutant(
        "engine/compact",
        "(*several, *copies)",
        "several",
        "copies are kept whole",
        "engine/compact",
    ),
    Mutant(
        "engine/compact",
        "for each in found.candidates(key)]",
        "for each in found.duplicates[key]]",
        "duplicates are kept whole",
        "engine/compact core/fingerprint",
    ),
    Mutant(
        "core/kind_plan",
        "        if live.in_sync:\n            return nothing\n",
        "",
        "what is in sync is not decided",
        "core/kind_plan",
    ),
    Mutant(
        "core/fingerprint", " or is_expired(kind, live)", "", "what has expired needs something", "core/fingerprint"
    ),
    Mutant(
        "core/fingerprint",
        "(digests and wanted.units and not mark.digests)",
        "False",
        "a mark is to keep digests",
        "core/fingerprint",
    ),
    Mutant(
        "core/fingerprint",
        " or not kind.managed_maps.isdisjoint(manifest.body)",
        "",
        "managed maps are decided",
        "core/fingerprint",
    ),
    Mutant(
        "engine/compact",
        " if id in self._bound or _has_key(found, id, at.key)}",
        "}",
        "an id of a move is not known yet",
        "engine/compact",
    ),
]
