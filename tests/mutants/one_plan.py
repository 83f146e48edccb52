"""Wrong versions of what decides a whole plan, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    # pairing
    Mutant(
        "pairing",
        "oldest_first.sort(key=lambda live: live.created)",
        "oldest_first.sort(key=lambda live: -live.created)",
        "the older one wins",
        "pairing",
    ),
    Mutant(
        "pairing",
        "sorted(found.objects, key=lambda live: live.id)",
        "list(found.objects)",
        "everyone agrees on ties",
        "pairing",
    ),
    Mutant(
        "pairing",
        "elif original is not owned:",
        "elif False:",
        "copies are not twins",
        "pairing",
    ),
    Mutant(
        "pairing",
        "if mark.owner != owner:",
        "if mark.owner < owner:",
        "the owner scopes what we touch",
        "pairing",
    ),
    # plan and kind_plan
    Mutant(
        "kind_plan",
        "        if only is None:\n            self._orphans(prune)",
        "        self._orphans(prune)",
        "deletes need the whole scope",
        "plan",
    ),
    Mutant(
        "kind_plan",
        "if not decision.writes and changed_mark is None:",
        "if not decision.writes:",
        "the mark changes when units do",
        "plan",
    ),
    Mutant(
        "kind_plan",
        "changed_mark = new_mark if new_mark != mark or new_mark.nonce == marks.UNDRAWN else None",
        "changed_mark = new_mark",
        "an update carries the changed fields and nothing else",
        "plan",
    ),
    Mutant(
        "kind_plan",
        "new_mark if new_mark != mark or new_mark.nonce == marks.UNDRAWN else None",
        "new_mark if new_mark != mark else None",
        "a copy of its own gets a nonce of its own",
        "kind_plan",
    ),
    Mutant(
        "policy", "if mark.owner == owner and mark.key in", "if mark.key in", "only our newer marks block", "orphans"
    ),
    Mutant(
        "policy", "for live, mark in found.newer:", "for live, mark in ():", "no second beside a newer mark", "orphans"
    ),
    Mutant("kind_plan", "if let_go or prune:", "if True:", "deletes only where prune says owned", "kind_plan"),
    Mutant("kind_plan", "if owned.mark.protect and", "if False and", "protect survives the file", "policy"),
    Mutant(
        "changes",
        "nonce=old.nonce if old else marks.UNDRAWN",
        "nonce=marks.UNDRAWN",
        "a nonce stays with its object",
        "kind_plan",
    ),
    Mutant("kind_plan", "or self._probable_rename(manifest)", "", "a probable rename is blocked", "kind_plan"),
    Mutant(
        "kind_plan",
        "(key in self.manifests or key in self._moving or owned",
        "(key in self.manifests or owned",
        "a rename that is spelled out is none",
        "kind_plan",
    ),
    Mutant("kind_plan", "owned is not alike[0] and ", "", "an address keeps its object", "kind_plan"),
    Mutant(
        "ownership",
        "if owned.live.id not in self._bound_ids]",
        "]",
        "what is bound by id is not taken",
        "kind_plan",
    ),
    Mutant("kind_plan", "        self._taken[id] = manifest.address\n", "", "one object has one address", "policy"),
    Mutant(
        "kind_plan",
        "        self._taken[moved.live.id] = manifest.address\n",
        "",
        "one object is moved to one address",
        "kind_plan",
    ),
    Mutant(
        "kind_plan",
        "            if owned is not self.index.ours[key]:",
        "            if False:",
        "what is paired is no twin",
        "kind_plan",
    ),
    Mutant("plan", "2 * len(rank) - kind if", "len(rank) + kind if", "deletes are reversed", "plan"),
    Mutant(
        "plan",
        "return 2 * len(rank) - kind if change.action in (Action.DELETE, Action.RELEASE) else kind",
        "return kind",
        "deletes go last",
        "plan",
    ),
    # policy
    Mutant("policy", "and kept.isdisjoint(c.reasons)]", "]", "twins are not counted", "policy"),
    Mutant("policy", "count <= owned * GUARD_SHARE", "count <= owned", "over a fifth is held", "policy"),
    Mutant("policy", "harmless = count <= GUARD_COUNT and", "harmless =", "more than one is held", "policy"),
    Mutant(
        "policy",
        "or harmless or count == allowed",
        "or harmless or (allowed or 0) >= count",
        "the exact number is named",
        "policy",
    ),
    Mutant("policy", "if moved.mark.key in manifests:", "if False:", "a key with a manifest is not moved", "kind_plan"),
    Mutant(
        "policy",
        "if isinstance(mark, Mark) and mark.owner != owner:",
        "if False:",
        "another owner's object is never touched",
        "policy",
    ),
    Mutant("policy", "entries <= kind.max_entries:", "entries <= kind.max_entries + 1:", "sixteen slots", "policy"),
    Mutant("policy", "if live.id not in bound)", ")", "what is bound by id is no namesake", "likeness"),
    Mutant(
        "ownership",
        "copy = self.index.copy_of(owned.live.id)",
        "copy = None",
        "copies are never pruned",
        "orphans",
    ),
    Mutant(
        "pairing",
        "originals.setdefault(mark.nonce, owned)",
        "originals.setdefault(mark.key + mark.nonce, owned)",
        "a copy is one whatever its key",
        "kind_plan",
    ),
    # takeover
    Mutant(
        "ownership",
        "if owned.mark.owner == owner)",
        "if owned.mark.owner != self.owner)",
        "a takeover is from the owner it names",
        "takeover",
    ),
    Mutant(
        "ownership",
        "(o.live.id == id if id else o.mark.key == key)",
        "o.mark.key == key",
        "an id names what is taken over",
        "takeover",
    ),
    Mutant(
        "ownership",
        "(o.live.id == id if id else o.mark.key == key)",
        "(o.live.id == id or o.mark.key == key)",
        "an id names it alone",
        "takeover",
    ),
    Mutant(
        "ownership",
        "renamed = replace(owned.mark, owner=self.owner, key=key, digests={})",
        "renamed = mark_for(self.kind, self.owner, manifest, owned.mark)",
        "a takeover keeps the rest of the mark",
        "takeover",
    ),
    Mutant(
        "ownership",
        "return replace(change, blocked=policy.refuse_second(held)) if held else change",
        "return change",
        "a takeover makes no second",
        "takeover",
    ),
    # precondition and verify
    Mutant(
        "precondition",
        'digest(parts | {"mark": str(mark_text(kind, live))})',
        "digest(parts)",
        "a changed mark is a changed world",
        "precondition",
    ),
    Mutant(
        "precondition",
        "chosen = [unit for unit in writes if not",
        "chosen = [unit for unit in present if not",
        "an irrelevant change does not stop a plan",
        "precondition",
    ),
    Mutant(
        "precondition",
        "if precondition(kind, live, writes) != change.precondition:",
        "if False:",
        "a changed unit stops a plan",
        "precondition",
    ),
    Mutant(
        "precondition",
        "return Ready(assemble(kind, writes, live.body) | ways)",
        "return Ready(change.patch)",
        "entries of others go as they are now",
        "precondition",
    ),
    Mutant(
        "precondition",
        "    if _is_done(change, kind, live):\n        return AlreadyApplied(live.id)\n    writes",
        "    writes",
        "what is done is not sent again",
        "precondition",
    ),
    Mutant(
        "semantics",
        '(self.maps == "whole" and shared)',
        "False",
        "shared maps are read again",
        "semantics",
    ),
    Mutant(
        "precondition",
        "nonce=live.nonce if wanted.nonce == marks.UNDRAWN else wanted.nonce",
        "nonce=wanted.nonce",
        "apply draws the nonce",
        "precondition",
    ),
    Mutant(
        "verify",
        "if not _uncompared(kind, unit) and not same",
        "if not same",
        "write-only units are not looked for",
        "verify",
    ),
    Mutant(
        "verify",
        "            if unit in found:\n"
        '                yield _said(address, unit, Code.NOT_KEPT, "was taken away, but the remote kept it", '
        "_OVERRIDDEN)",
        "            pass",
        "a removed entry that stays is found",
        "verify",
    ),
    Mutant("verify", "known = unit[0] in kind.fields and not", "known = not", "unknown fields are not ours", "verify"),
    # retry
    Mutant(
        "retry",
        "    if not failure.repeatable:\n        return False\n",
        "",
        "a create is never blindly retried",
        "retry",
    ),
    Mutant("retry", "return failure.advice is not False", "return True", "the remote's advice is obeyed", "retry"),
    Mutant("retry", "self.tokens -= self.cost", "pass", "retries have a budget", "retry"),
    Mutant("retry", "if failure.retry_after > LONGEST_WAIT_SECONDS:", "if False:", "no endless waits", "retry"),
]
