"""Wrong versions of what remotes are sent that merge, clear or archive, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    Mutant("capabilities", 'if kind.nested == "merge":', "if False:", "what would stay is refused", "capabilities"),
    Mutant("capabilities", "if kind.archives and", "if False and", "archiving is said", "capabilities"),
    Mutant("decide", 'if kind.maps == "patch":', "if False:", "null takes an entry out", "capabilities"),
    Mutant(
        "decide",
        'if kind.absent == "clear" else {}',
        "if False else {}",
        "nothing is cleared by silence",
        "capabilities",
    ),
    Mutant("marks", 'if text is None or text == "":', "if text is None:", "a mark taken off is none", "capabilities"),
    Mutant("parts", "return not (sub.uncompared or", "return not (", "server-owned parts do not count", "capabilities"),
    Mutant("parts", "is not None and not merged", "is not None", "what is merged is not dropped", "clearing"),
    Mutant("changes", 'merged=kind.nested == "merge"', "merged=False", "a plan says so", "capabilities"),
    Mutant("semantics", 'len(unit) > 1 and kind.maps != "merge"', "len(unit) > 1", "no entry is lost", "capabilities"),
    Mutant(
        "verify",
        'granular if kind.maps == "whole" else set()',
        "granular",
        "entries of others are left",
        "capabilities",
    ),
]
