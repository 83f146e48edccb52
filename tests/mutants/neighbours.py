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
        "precondition",
        "for live in found.not_ours if name and",
        "for live in found.by_id.values() if name and",
        "ours are no namesakes",
        "precondition",
    ),
    Mutant(
        "precondition",
        "for live in found.not_ours if name and live",
        "for live in found.not_ours if live",
        "no name is nothing in common",
        "precondition",
    ),
    Mutant(
        "precondition",
        "for live in found.not_ours if name and",
        "for live in found.unmarked if name and",
        "those of others are namesakes",
        "precondition",
    ),
    Mutant(
        "precondition",
        "for first, copy in found.copies if first.live.id == live.id), None)",
        "for first, copy in () if first.live.id == live.id), None)",
        "a copy made meanwhile would go next",
        "precondition",
    ),
    Mutant(
        "precondition",
        "for first, copy in found.copies if first.live.id == live.id), None)",
        "for first, copy in found.copies), None)",
        "copies of others are no matter",
        "precondition",
    ),
]
