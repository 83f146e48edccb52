"""Wrong versions of the rules that changes pass, and of rows of flags, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    # creates
    Mutant(
        "core/world",
        "return (key, former) if former else (key,)",
        "return (key,)",
        "a newer mark of the former key counts",
        "core/orphans",
    ),
    Mutant(
        "core/rules",
        "probable_rename, other_owner_has_key, same",
        "probable_rename, same",
        "another owner may have the key",
        "core/before_create",
    ),
    Mutant(
        "core/rules",
        "if all(names) and names[0] != names[1]:",
        "if names[0] != names[1]:",
        "no name is not another name",
        "core/before_create",
    ),
    Mutant(
        "core/rules",
        "if all(names) and names[0] != names[1]:",
        "if False:",
        "another name is another object",
        "core/before_create",
    ),
    Mutant(
        "core/rules",
        "if other is None or change.same_name_allowed or",
        "if other is None or",
        "another owner's key is allowed",
        "core/before_create",
    ),
    Mutant(
        "core/world",
        "known = isinstance(mark, Mark) and mark.owner in self.neighbours",
        "known = False",
        "neighbours are no strangers",
        "core/before_create",
    ),
    Mutant(
        "core/rules",
        "same_content, same_name, lost_create",
        "same_name, lost_create",
        "the same content may be a lost mark",
        "core/before_create",
    ),
    Mutant(
        "core/rules",
        "if change.same_name_allowed or change.refs or",
        "if change.refs or",
        "the same content is allowed",
        "core/before_create",
    ),
    Mutant(
        "core/rules",
        "same_content, same_name, lost_create)",
        "same_content, same_name)",
        "a lost create is not repeated",
        "core/before_create",
    ),
    Mutant(
        "core/rules",
        "for key in world.keys(change))",
        "for key in (change.address.key,))",
        "a lost create of the former key counts",
        "core/before_create",
    ),
    # objects that are there
    Mutant(
        "core/rules",
        "Action.UPDATE: (managed_by_others, unproven, another_object, contested",
        "Action.UPDATE: (unproven, another_object, contested",
        "an update is of ours only",
        "core/rules",
    ),
    Mutant(
        "core/rules",
        "Action.ADOPT: (managed_by_others, another_object, full_map,",
        "Action.ADOPT: (managed_by_others, another_object,",
        "an adoption needs room for the mark",
        "core/ownership",
    ),
    Mutant(
        "core/rules",
        "not in (found.owner, change.former_owner)",
        "!= found.owner",
        "what is taken over was another's",
        "core/ownership",
    ),
    Mutant(
        "core/rules",
        "    if isinstance(mark, NewerMark):\n",
        "    if False:\n",
        "a newer mark is not written over",
        "core/rules",
    ),
    Mutant(
        "core/world",
        "return self.fresh.get(held) or self.found",
        "return self.found",
        "what was read again counts",
        "core/rules",
    ),
    Mutant(
        "core/rules",
        'sent if kind.maps == "whole" else {',
        "sent if True else {",
        "entries that a remote keeps take room",
        "core/rules",
    ),
    # the end of objects
    Mutant(
        "core/rules",
        "(managed_by_others, unproven, managed_elsewhere, protected,",
        "(managed_by_others, unproven, protected,",
        "a manifest for another target keeps it",
        "core/rules",
    ),
    Mutant(
        "core/rules",
        "(managed_by_others, unproven, managed_elsewhere, cloned,",
        "(managed_by_others, unproven, cloned,",
        "a manifest for another target keeps its mark",
        "core/rules",
    ),
    Mutant(
        "core/rules",
        "(managed_by_others, unproven, managed_elsewhere, cloned, renamed)",
        "(managed_by_others, unproven, managed_elsewhere, renamed)",
        "what has a clone is not released",
        "core/ownership",
    ),
    Mutant(
        "core/rules",
        "made_apart, unpruned, renamed, not_to_go)",
        "made_apart, unpruned, not_to_go)",
        "what was renamed is not deleted",
        "core/match",
    ),
    Mutant(
        "core/rules",
        "managed_elsewhere, cloned, renamed)",
        "managed_elsewhere, cloned)",
        "what was renamed is not released",
        "core/match",
    ),
    Mutant(
        "core/guard",
        "if len(held) != allowed:",
        "if allowed is None or len(held) > allowed:",
        "the guard is lifted for its number",
        "core/rules",
    ),
    # rows of flags
    Mutant(
        "core/changes",
        "        if before != after:\n",
        "        if after:\n",
        "flags that stay are no rows",
        "core/plan",
    ),
    Mutant(
        "core/changes",
        "for unit in sorted(names - {*decided}):",
        "for unit in sorted(names):",
        "what is written has its own row",
        "core/plan",
    ),
    Mutant(
        "core/changes",
        "if was != is_now:",
        "if is_now and not was:",
        "what is managed no longer is shown",
        "core/plan",
    ),
    Mutant(
        "core/changes",
        "if was != is_now:",
        "if was and not is_now:",
        "what is managed from now on is shown",
        "core/plan",
    ),
    Mutant("core/rules", "made_apart, unpruned, ", "made_apart, ", "strangers' are not pruned", "core/duplicates"),
    Mutant("core/rules", "unpruned, renamed, not_to_go)", "unpruned, renamed)", "why it goes counts", "core/proof"),
    Mutant(
        "core/proof",
        "is_signature or each.mark.nonce in world.made",
        "is_signature or True",
        "a file is believed by the journal or a signature",
        "core/proof",
    ),
    Mutant("core/proof", "if copy is None and (", "if (", "of a file and its copy none is believed", "core/proof"),
    Mutant(
        "core/marks", "_signature(key, self.account, text)", '_signature(key, "", text)', "an account", "core/marks"
    ),
    Mutant("core/guard", "not mark.proof.is_signature", "False", "a lock file alone deletes nothing", "core/proof"),
]
