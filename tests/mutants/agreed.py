"""Wrong versions of what says that an object needs nothing, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    Mutant(
        "agreement",
        "if manifest.ignore or manifest.initial or manifest.refs:",
        "if manifest.refs:",
        "left to others",
        "agreement",
    ),
    Mutant(
        "agreement",
        "if any(meaning_of(kind, unit).uncompared for unit in wanted):",
        "if not wanted:",
        "uncompared",
        "agreement",
    ),
    Mutant(
        "agreement",
        "if _digest(kind, gist.units, present) != gist.digest:",
        "if not present:",
        "values count",
        "agreement",
    ),
    Mutant("agreement", " and meaning.default is None", "", "a prompt that is the default", "agreement"),
    Mutant("agreement", " and not meaning.shown_as", "", "a text shown as another", "agreement"),
    Mutant("agreement", 'f"{len(text)}:{text}"', "text", "where one text ends", "agreement"),
    Mutant("agreement", 'return f"\'{value}"', "return len(value)", "every word of a prompt", "agreement"),
    Mutant("agreement", "if self._refers:", "if not self._refers:", "references are looked up", "agreement"),
    Mutant("agreement", "if mark.nonce == marks.UNDRAWN or manifest", "if manifest", "a nonce is drawn", "agreement"),
    Mutant("agreement", "if live.id in self._bound:", "if live.id in ():", "bound by another", "agreement"),
    Mutant("agreement", "or mark.key in self._former", "", "moved from", "agreement"),
    Mutant("agreement", "or mark.owner != self._owner", "", "others own it", "agreement"),
    Mutant("agreement", ", *filter(None, [kind.name_field])", "", "its name counts", "agreement"),
    Mutant("agreement", " == mark\n", " is not None\n", "the mark counts", "agreement"),
    Mutant("agreement", "in (*names, *more) if", "in more if", "what it uses stays", "agreement"),
    Mutant("agreement", "live.created, mark=mark)", "live.created)", "marks of others stay", "agreement"),
    Mutant(
        "agreement",
        "for owned in twins if owned.live.agrees",
        "for owned in twins[1:] if owned.live.agrees",
        "twins",
        "agreement",
    ),
    Mutant("kind_plan", "        if live.agrees:\n", "        if live is None:\n", "lean is not decided", "kind_plan"),
]
