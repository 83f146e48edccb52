"""Wrong versions of what objects have in common, as data: chains of renames, namesakes and copies since the plan."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    # chains of renames
    Mutant(
        "policy",
        "if old is None or new is None or old.mark.key in manifests:",
        "if True:",
        "two objects have not one key",
        "rename_chains",
    ),
    Mutant(
        "policy",
        "if old is None or new is None or old.mark.key in manifests:",
        "if old is None or new is None:",
        "what stays in the files is not renamed",
        "rename_chains",
    ),
    Mutant(
        "kind_plan",
        "if key in self._moving and (block := policy.refuse_chain(",
        "if (block := policy.refuse_chain(",
        "a rename that is done is passed over",
        "rename_chains",
    ),
    Mutant(
        "kind_plan",
        '            self._renamed[manifest.moved_from or ""] = manifest.address\n            return Change',
        "            return Change",
        "nothing of a chain is deleted",
        "rename_chains",
    ),
    # namesakes and copies since the plan
    Mutant(
        "changes",
        "ABSENT_OBJECT if manifest.same_name_allowed else NAME_FREE",
        "NAME_FREE",
        "same_name: allow goes for saved plans",
        "precondition plan",
    ),
    Mutant(
        "changes",
        "ABSENT_OBJECT if manifest.same_name_allowed else NAME_FREE",
        "ABSENT_OBJECT",
        "no second of one name, made meanwhile",
        "precondition plan",
    ),
    Mutant(
        "precondition",
        "_namesake(change, found) if change.precondition == NAME_FREE else None",
        "_namesake(change, found)",
        "a namesake that is allowed is no matter",
        "precondition",
    ),
    Mutant(
        "pairing",
        "        for live in self.not_ours:",
        "        for live in self.by_id.values():",
        "ours are no namesakes",
        "precondition",
    ),
    Mutant(
        "pairing",
        "if isinstance(name, str) and name else []",
        "if isinstance(name, str) else []",
        "no name is nothing in common",
        "precondition likeness",
    ),
    Mutant(
        "pairing",
        "        for live in self.not_ours:",
        "        for live in self.unmarked:",
        "those of others are namesakes",
        "precondition likeness",
    ),
    Mutant(
        "precondition",
        "if copy := found.copy_of(live.id):",
        "if copy := None:",
        "a copy made meanwhile would go next",
        "precondition",
    ),
    Mutant(
        "pairing",
        "return self._copies.get(id)",
        "return next(iter(self._copies.values()), None)",
        "copies of others are no matter",
        "precondition",
    ),
    # what lost its manifest
    Mutant(
        "likeness",
        "sorted(objects, key=lambda each: each.mark.key)",
        "objects",
        "the first by its key is told",
        "likeness",
    ),
    Mutant(
        "likeness",
        "min(found, key=lambda each: each[0].mark.key, default=None)",
        "found[0] if found else None",
        "whichever way it is alike",
        "likeness",
    ),
    Mutant(
        "likeness",
        "isinstance(name, str) and name and not",
        "isinstance(name, str) and not",
        "no name is nothing in common",
        "likeness",
    ),
    Mutant(
        "likeness",
        "if owned := self._of_name(manifest):",
        "if owned := None:",
        "one name is a probable rename",
        "likeness",
    ),
    Mutant(
        "likeness",
        "for owned in self._managing.get(managed, ()):",
        "for owned in (each for group in self._managing.values() for each in group):",
        "equal, not more",
        "orphans",
    ),
    Mutant(
        "likeness", "and name and not manifest.same_name_allowed", "and name", "same_name: allow", "kind_plan orphans"
    ),
    Mutant("likeness", "if self._is_same(manifest, owned)", "", "collections count", "likeness"),
]
