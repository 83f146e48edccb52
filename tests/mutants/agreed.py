"""Wrong versions of what says that an object needs nothing, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    Mutant(
        "core/agreement",
        "if manifest.ignore or manifest.initial or manifest.refs or",
        "if manifest.refs or",
        "left to others",
        "core/agreement",
    ),
    Mutant(
        "core/agreement",
        "if any(meaning_of(kind, unit).uncompared for unit in wanted):",
        "if not wanted:",
        "uncompared",
        "core/agreement",
    ),
    Mutant(
        "core/agreement",
        "if _digest(kind, gist.units, present) != gist.digest:",
        "if not present:",
        "values count",
        "core/agreement",
    ),
    Mutant("core/agreement", " and meaning.default is None", "", "a prompt that is the default", "core/agreement"),
    Mutant("core/agreement", " and not meaning.shown_as", "", "a text shown as another", "core/agreement"),
    Mutant("core/agreement", 'f"{len(text)}:{text}"', "text", "where one text ends", "core/agreement"),
    Mutant("core/agreement", 'return f"\'{value}"', "return len(value)", "every word of a prompt", "core/agreement"),
    Mutant("core/agreement", "if self._refers:", "if not self._refers:", "references are looked up", "core/agreement"),
    Mutant(
        "core/agreement",
        "if mark.nonce == marks.NO_NONCE or manifest",
        "if manifest",
        "a nonce is drawn",
        "core/agreement",
    ),
    Mutant("core/agreement", "if live.id in self._bound:", "if live.id in ():", "bound by another", "core/agreement"),
    Mutant("core/agreement", "or mark.key in self._former", "", "moved from", "core/agreement"),
    Mutant("core/agreement", "or mark.owner != self._owner", "", "others own it", "core/agreement"),
    Mutant("core/agreement", ", *filter(None, [kind.name_field])", "", "its name counts", "core/agreement"),
    Mutant("core/agreement", " == mark\n", " is not None\n", "the mark counts", "core/agreement"),
    Mutant("core/agreement", "in (*names, *more) if", "in more if", "what it uses stays", "core/agreement"),
    Mutant("core/agreement", "live.created, mark=mark)", "live.created)", "marks of others stay", "core/agreement"),
    Mutant(
        "core/agreement",
        "for owned in twins if owned.live.agrees",
        "for owned in twins[1:] if owned.live.agrees",
        "twins",
        "core/agreement",
    ),
    Mutant(
        "core/kind_plan",
        "        if live.agrees:\n",
        "        if live is None:\n",
        "lean is not decided",
        "core/kind_plan",
    ),
]
