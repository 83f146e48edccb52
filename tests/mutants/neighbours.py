"""Wrong versions of what objects have in common, as data: chains of renames, namesakes and copies since the plan."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    # chains of renames
    Mutant(
        "core/policy",
        "if old is None or new is None or old.mark.key in manifests:",
        "if True:",
        "two objects have not one key",
        "core/moves",
    ),
    Mutant(
        "core/policy",
        "if old is None or new is None or old.mark.key in manifests:",
        "if old is None or new is None:",
        "what stays in the files is not renamed",
        "core/moves",
    ),
    Mutant(
        "core/kind_plan",
        "if key in self._moving and (block := policy.refuse_chain(",
        "if (block := policy.refuse_chain(",
        "a rename that is done is passed over",
        "core/moves",
    ),
    Mutant(
        "core/kind_plan",
        '            self._renamed[manifest.moved_from or ""] = manifest.address\n            return Change',
        "            return Change",
        "nothing of a chain is deleted",
        "core/moves",
    ),
    # namesakes and copies since the plan
    Mutant(
        "core/changes",
        "ABSENT_OBJECT if manifest.same_name_allowed else NAME_FREE",
        "NAME_FREE",
        "same_name: allow goes for saved plans",
        "core/check core/plan",
    ),
    Mutant(
        "core/changes",
        "ABSENT_OBJECT if manifest.same_name_allowed else NAME_FREE",
        "ABSENT_OBJECT",
        "no second of one name, made meanwhile",
        "core/check core/plan",
    ),
    Mutant(
        "core/precondition",
        "_namesake(change, found) if change.precondition == NAME_FREE else None",
        "_namesake(change, found)",
        "a namesake that is allowed is no matter",
        "core/check",
    ),
    Mutant(
        "core/pairing",
        "        for live in self.unmanaged:",
        "        for live in self.by_id.values():",
        "ours are no namesakes",
        "core/check",
    ),
    Mutant(
        "core/pairing",
        "if isinstance(name, str) and name else []",
        "if isinstance(name, str) else []",
        "no name is nothing in common",
        "core/check core/match",
    ),
    Mutant(
        "core/pairing",
        "        for live in self.unmanaged:",
        "        for live in self.unmarked:",
        "those of others are namesakes",
        "core/check core/match",
    ),
    Mutant(
        "core/precondition",
        "if copy := found.copy_of(live.id):",
        "if copy := None:",
        "a copy made meanwhile would go next",
        "core/check",
    ),
    Mutant(
        "core/pairing",
        "return self._copies.get(id)",
        "return next(iter(self._copies.values()), None)",
        "copies of others are no matter",
        "core/check",
    ),
    # what lost its manifest
    Mutant(
        "core/likeness",
        "sorted(objects, key=lambda each: each.mark.key)",
        "objects",
        "the first by its key is told",
        "core/match",
    ),
    Mutant(
        "core/likeness",
        "min(found, key=lambda each: each[0].mark.key, default=None)",
        "found[0] if found else None",
        "whichever way it is alike",
        "core/match",
    ),
    Mutant(
        "core/likeness",
        "isinstance(name, str) and name and not",
        "isinstance(name, str) and not",
        "no name is nothing in common",
        "core/match",
    ),
    Mutant(
        "core/likeness",
        "if owned := self._of_name(manifest):",
        "if owned := None:",
        "one name is a probable rename",
        "core/match",
    ),
    Mutant(
        "core/likeness",
        "for owned in self._managing.get(managed, ()):",
        "for owned in (each for group in self._managing.values() for each in group):",
        "equal, not more",
        "core/orphans",
    ),
    Mutant(
        "core/likeness",
        "and name and not manifest.same_name_allowed",
        "and name",
        "same_name: allow",
        "core/kind_plan core/orphans",
    ),
    Mutant("core/likeness", "if self._is_same(manifest, owned)", "", "collections count", "core/match"),
]
