"""Wrong versions of what remotes are sent that merge, clear or archive, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    Mutant(
        "core/rules/unit_rules",
        'if kind.nested != "merge":',
        "if kind.nested:",
        "what would stay is refused",
        "core/patch",
    ),
    Mutant("core/kind_plan", "if self.kind.archives:", "if False:", "archiving is said", "core/patch"),
    Mutant("core/patch", 'if kind.maps == "patch":', "if False:", "null takes an entry out", "core/patch"),
    Mutant(
        "core/patch",
        'if kind.absent == "clear" else {}',
        "if False else {}",
        "nothing is cleared by silence",
        "core/patch",
    ),
    Mutant(
        "core/values/marks",
        'if text is None or text == "":',
        "if text is None:",
        "a mark taken off is none",
        "core/patch",
    ),
    Mutant(
        "core/patch", "return not (sub.uncompared or", "return not (", "server-owned parts do not count", "core/patch"
    ),
    Mutant("core/patch", "is not None and not merged", "is not None", "what is merged is not dropped", "core/clearing"),
    Mutant("core/changes", 'merged=kind.nested == "merge"', "merged=False", "a plan says so", "core/patch"),
    Mutant(
        "core/values/semantics",
        'len(unit) > 1 and kind.maps != "merge"',
        "len(unit) > 1",
        "no entry is lost",
        "core/patch",
    ),
    Mutant(
        "core/verify",
        'granular if kind.maps == "whole" else set()',
        "granular",
        "entries of others are left",
        "core/patch",
    ),
]
