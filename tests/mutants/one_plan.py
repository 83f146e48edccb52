"""Wrong versions of what decides a whole plan, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    # index
    Mutant(
        "core/matching/index",
        "oldest_first.sort(key=lambda live: live.created)",
        "oldest_first.sort(key=lambda live: -live.created)",
        "the older one wins",
        "core/index",
    ),
    Mutant(
        "core/matching/index",
        "sorted(found.objects, key=lambda live: live.id)",
        "list(found.objects)",
        "everyone agrees on ties",
        "core/index",
    ),
    Mutant(
        "core/matching/index",
        "    elif original is not each:\n",
        "    elif False:\n",
        "clones are not duplicates",
        "core/index",
    ),
    Mutant(
        "core/matching/index",
        "if mark.owner != found.owner:",
        "if mark.owner < found.owner:",
        "the owner scopes what we touch",
        "core/index",
    ),
    # plan and kind_plan
    Mutant(
        "core/kind_plan",
        "        if only is None:\n            yield from self._surplus()\n"
        "            yield from self._orphans(prune)\n",
        "        yield from self._surplus()\n        yield from self._orphans(prune)\n",
        "deletes need the whole scope",
        "core/kind_plan",
    ),
    Mutant(
        "core/kind_plan",
        "if not decision.writes and changed_mark is None:",
        "if not decision.writes:",
        "the mark changes when units do",
        "core/plan",
    ),
    Mutant(
        "core/kind_plan",
        "changed_mark = new_mark if new_mark != mark or is_outdated or new_mark.nonce == marks.NO_NONCE else None",
        "changed_mark = new_mark",
        "an update carries the changed fields and nothing else",
        "core/plan",
    ),
    Mutant(
        "core/kind_plan",
        "new_mark if new_mark != mark or is_outdated or new_mark.nonce == marks.NO_NONCE else None",
        "new_mark if new_mark != mark or is_outdated else None",
        "a copy of its own gets a nonce of its own",
        "core/kind_plan",
    ),
    Mutant(
        "core/rules/change_rules",
        "if mark.owner == found.owner and mark.key in",
        "if mark.key in",
        "only our newer marks block",
        "core/orphans",
    ),
    Mutant(
        "core/rules/change_rules",
        "for live, mark in found.newer:",
        "for live, mark in ():",
        "no second beside a newer mark",
        "core/orphans",
    ),
    Mutant("core/kind_plan", "elif prune:", "elif True:", "deletes only where prune says owned", "core/kind_plan"),
    Mutant(
        "core/rules/change_rules",
        "if not isinstance(mark, Mark) or not mark.protect:",
        "if True:",
        "protect survives the file",
        "core/rules",
    ),
    Mutant(
        "core/changes",
        "nonce=old.nonce if old else marks.NO_NONCE",
        "nonce=marks.NO_NONCE",
        "a nonce stays with its object",
        "core/kind_plan",
    ),
    Mutant(
        "core/rules/change_rules",
        "unproven_namesake, probable_rename, other",
        "unproven_namesake, other",
        "a probable rename is blocked",
        "core/match",
    ),
    Mutant(
        "core/matching/match",
        "return [each for each in self.keys.unbound(key) if each.live.id not in self.taken]",
        "return self.keys.unbound(key)",
        "a rename that is spelled out is none",
        "core/match",
    ),
    Mutant(
        "core/matching/moves",
        "return sorted(free, key=lambda each: not self.has_arrived(key, each)) if len(free) > 1 else free",
        "return free",
        "what came by a move goes first",
        "core/moves",
    ),
    Mutant(
        "core/matching/moves",
        "for each in self.found.candidates(key) if each.live.id not in self.bound]",
        "for each in self.found.candidates(key)]",
        "what is bound by id is not taken",
        "core/kind_plan",
    ),
    Mutant(
        "core/matching/match",
        "            self.taken[id] = address\n",
        "            pass\n",
        "one object has one address",
        "core/rules",
    ),
    Mutant(
        "core/matching/moves",
        "first = takers.setdefault(asked[key].live.id, key)",
        "first = takers.setdefault(key, key)",
        "one object is moved to one address",
        "core/moves",
    ),
    Mutant(
        "core/matching/match",
        "            self.taken[own.live.id] = manifest.address\n",
        "",
        "what is paired is no duplicate",
        "core/kind_plan",
    ),
    Mutant("core/plan", "2 * len(rank) - kind if", "len(rank) + kind if", "deletes are reversed", "core/plan"),
    Mutant(
        "core/plan",
        "return 2 * len(rank) - kind if change.action in (Action.DELETE, Action.RELEASE) else kind",
        "return kind",
        "deletes go last",
        "core/plan",
    ),
    # rules
    Mutant(
        "core/values/model",
        "return self.removal in (Removal.ORPHAN, Removal.DUPLICATE)",
        "return self.removal is not None",
        "what is replaced is not counted",
        "core/rules",
    ),
    Mutant(
        "core/values/model",
        "return self.removal in (Removal.ORPHAN, Removal.DUPLICATE)",
        "return self.removal is Removal.ORPHAN",
        "duplicates are counted",
        "core/rules",
    ),
    Mutant(
        "core/rules/change_rules",
        "abs(one.created - other.created) <= at_once",
        "True",
        "duplicates were made at once",
        "core/duplicates",
    ),
    Mutant(
        "core/rules/change_rules",
        "cloned, made_apart, unpruned",
        "cloned, unpruned",
        "strangers' stay",
        "core/duplicates",
    ),
    Mutant(
        "core/rules/change_rules", "one.created and other.created and ", "", "no time proves nothing", "core/duplicates"
    ),
    Mutant(
        "core/rules/change_rules",
        "    if all(made):\n        return False\n",
        "",
        "its maker may delete a duplicate",
        "core/duplicates",
    ),
    Mutant(
        "core/rules/change_rules",
        "or world.prune or _is_made_here(world.live(change), kind, world)",
        "or world.prune",
        "own ones go",
        "core/duplicates",
    ),
    Mutant(
        "core/rules/change_rules", "(MAKERS_TIMES if made[1] else 1)", "1", "a maker looked before", "core/duplicates"
    ),
    Mutant(
        "core/rules/change_rules",
        "    Action.UPDATE: (managed_by_others, unproven, another_object, contested, ",
        "    Action.UPDATE: (managed_by_others, unproven, another_object, ",
        "what is contested is not changed",
        "core/duplicates",
    ),
    Mutant(
        "core/rules/change_rules", "*(unproven_content, contested)", "unproven_content", "nor used", "core/duplicates"
    ),
    Mutant(
        "core/rules/change_rules", "!= id or pair.manifest.id:", "!= id:", "an `id` says which it is", "core/duplicates"
    ),
    Mutant(
        "core/rules/change_rules",
        "not in {id, *world.kept.values()}",
        "!= id",
        "others' are no rivals",
        "core/duplicates",
    ),
    Mutant(
        "core/rules/world", "if each.live.id not in elsewhere)", ")", "what is kept elsewhere is not", "core/duplicates"
    ),
    Mutant(
        "core/rules/guard", "count <= managed * GUARD_SHARE", "count <= managed", "over a fifth is held", "core/rules"
    ),
    Mutant(
        "core/rules/guard",
        "harmless = count <= GUARD_COUNT and",
        "harmless =",
        "more than one is held",
        "core/rules core/before_create",
    ),
    Mutant(
        "core/rules/guard",
        "or harmless or count == allowed",
        "or harmless or (allowed or 0) >= count",
        "the exact number is named",
        "core/rules core/before_create",
    ),
    Mutant(
        "core/matching/moves",
        "        if not own:\n            return Block",
        "        if not own:\n            return None\n            return Block",
        "a key with a manifest is not moved",
        "core/moves",
    ),
    Mutant(
        "core/rules/change_rules",
        "if isinstance(mark, Mark) and mark.owner not in (found.owner, change.former_owner):",
        "if False:",
        "another owner's object is never touched",
        "core/rules",
    ),
    Mutant(
        "core/rules/change_rules",
        "entries <= kind.max_entries:",
        "entries <= kind.max_entries + 1:",
        "sixteen slots",
        "core/rules core/before_create",
    ),
    Mutant(
        "core/rules/world",
        "return not known and (kind.name, live.id) not in self.bound",
        "return not known",
        "what is bound by id is no namesake",
        "core/before_create",
    ),
    Mutant(
        "core/rules/change_rules",
        "managed_elsewhere, protected, cloned, made_apart, unpruned",
        "managed_elsewhere, protected, made_apart, unpruned",
        "copies are never pruned",
        "core/orphans",
    ),
    Mutant(
        "core/matching/index",
        "originals.setdefault((mark.owner, mark.nonce), each)",
        "originals.setdefault((mark.key, mark.nonce), each)",
        "a copy is one whatever its key",
        "core/kind_plan",
    ),
    # takeover
    Mutant(
        "core/ownership",
        "self.found.unproven) if each.mark.owner == owner)",
        "self.found.unproven))",
        "a takeover is from the owner it names",
        "core/ownership",
    ),
    Mutant(
        "core/ownership",
        "(e.live.id == id if id else e.mark.key == key)",
        "e.mark.key == key",
        "an id names what is taken over",
        "core/ownership",
    ),
    Mutant(
        "core/ownership",
        "(e.live.id == id if id else e.mark.key == key)",
        "(e.live.id == id or e.mark.key == key)",
        "an id names it alone",
        "core/ownership",
    ),
    Mutant(
        "core/ownership",
        "renamed = replace(each.mark, owner=self.owner, key=key, digests={}, proof=Proof.LABEL)",
        "renamed = mark_for(self.kind, self.owner, manifest, each.mark)",
        "a takeover keeps the rest of the mark",
        "core/ownership",
    ),
    Mutant(
        "core/ownership",
        "return replace(change, blocked=refuse_second(held)) if held else self._admitted(change)",
        "return self._admitted(change)",
        "a takeover makes no second",
        "core/ownership",
    ),
    Mutant(
        "core/values/semantics",
        '(self.maps == "whole" and shared)',
        "False",
        "shared maps are read again",
        "core/semantics",
    ),
    # retry
    Mutant(
        "drivers/transport/retry",
        "    if not failure.repeatable:\n        return False\n",
        "",
        "a create is never blindly retried",
        "drivers/retry",
    ),
    Mutant(
        "drivers/transport/retry",
        "return failure.advice is not False",
        "return True",
        "the remote's advice is obeyed",
        "drivers/retry",
    ),
    Mutant("drivers/transport/retry", "self.tokens -= self.cost", "pass", "retries have a budget", "drivers/retry"),
    Mutant(
        "drivers/transport/retry",
        "if failure.retry_after > LONGEST_WAIT_SECONDS:",
        "if False:",
        "no endless waits",
        "drivers/retry",
    ),
]
