"""Wrong versions of replacing and of collections, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    # replacing
    Mutant(
        "core/matching/match", "if manifest.renew and", "if", "only what its manifest says is renewed", "core/replacing"
    ),
    Mutant(
        "core/matching/match",
        "    if not kind.immutable:\n",
        "    if True:\n",
        "other content is another object",
        "core/replacing",
    ),
    Mutant(
        "core/matching/match",
        "if not meaning_of(kind, each[0]).uncompared",
        "",
        "what is not shown is not compared",
        "core/replacing",
    ),
    Mutant(
        "core/matching/match",
        "self._kept(manifest, unclaimed.pop(0))",
        "self._kept(manifest, unclaimed[0])",
        "one object has one key",
        "core/replacing",
    ),
    Mutant(
        "core/kind_plan",
        "reason = Reason.REPLACE if self.kind.immutable else Reason.EXPIRED",
        "reason = Reason.NEW",
        "a replacement says so",
        "core/replacing",
    ),
    Mutant(
        "core/kind_plan", "            yield from self._surplus()\n", "", "what is superseded goes", "core/replacing"
    ),
    Mutant(
        "core/ownership",
        "        if self.kind.immutable:\n            return replace(change, blocked=refuse_immutable(self.kind))\n",
        "",
        "a fixed mark is not put on",
        "core/replacing",
    ),
    Mutant(
        "core/ownership",
        "if each is None or self.kind.immutable:",
        "if each is None:",
        "a fixed mark is not taken over",
        "core/replacing",
    ),
    Mutant(
        "core/kind_plan",
        "Removal.DUPLICATE if is_duplicate else Removal.REPLACED",
        "Removal.ORPHAN",
        "no guard here",
        "core/replacing",
    ),
    Mutant(
        "core/references",
        "if change.removal is Removal.REPLACED and change.address in makers:",
        "if False:",
        "the new one is there before the old one goes",
        "core/replacing",
    ),
    Mutant("core/plan", "(change.is_due and", "(True and", "what is in use stays in silence", "core/replacing"),
    Mutant(
        "core/verify", "if each.live.id not in change.replaces]", "]", "what is replaced may be there", "core/replacing"
    ),
    Mutant(
        "core/changes",
        "managed = {} if kind.immutable else",
        "managed =",
        "fixed marks have no units",
        "core/replacing",
    ),
    Mutant(
        "operations/applying/rollback",
        "if kind.immutable and (change.action is Action.DELETE or change.replaces):",
        "if False:",
        "contents that are gone are told",
        "core/replacing",
    ),
    # managed maps
    Mutant(
        "core/values/semantics",
        "if part.immutable and name not in wanted}",
        "if False}",
        "silence is no wish",
        "core/managed_maps",
    ),
    Mutant(
        "core/values/semantics",
        "if part.read_only and not part.uncompared}",
        "if False}",
        "progress is no change",
        "core/managed_maps",
    ),
    Mutant(
        "core/values/managed_units",
        "{(name,): ABSENT for name in managed_maps(kind, manifest)}",
        "{}",
        "a map is remembered",
        "core/managed_maps",
    ),
    Mutant(
        "core/values/managed_units",
        "if unit[0] not in kind.managed_maps}",
        "}",
        "entries are not remembered",
        "core/managed_maps",
    ),
    Mutant(
        "core/values/managed_units",
        "in manifest.body and name not in left",
        "in manifest.body",
        "what is left to others stays",
        "core/managed_maps",
    ),
    Mutant(
        "core/decide", "managed = unit[0] in maps or ", "managed = ", "what no entry names goes", "core/managed_maps"
    ),
    Mutant(
        "core/decide",
        "and not (of_map and unit[0] in manifest.body)",
        "",
        "initial maps are left to others",
        "core/managed_maps",
    ),
    Mutant(
        "core/decide",
        "mark.manages(unit[:1] if of_map else unit)",
        "mark.manages(unit)",
        "a map that leaves is emptied",
        "core/managed_maps",
    ),
    Mutant(
        "core/changes", "if not before or len(writes) > _FEW:", "if False:", "many are told as one", "core/managed_maps"
    ),
    Mutant(
        "core/changes",
        "replaced = not path and ABSENT not in (old, new)",
        "replaced = False",
        "a changed file is an edit",
        "core/managed_maps",
    ),
    Mutant(
        "core/verify",
        "if unit in changed or unit[0] in kind.managed_maps}",
        "if unit in changed}",
        "what is done is not done twice",
        "core/managed_maps",
    ),
    Mutant(
        "core/verify",
        "if touched := changed - wanted - on_its_way:",
        "if touched := changed - wanted:",
        "what is on its way goes on",
        "core/managed_maps",
    ),
    Mutant(
        "core/verify",
        "    if present.get(unit) is None:\n",
        "    if False:\n",
        "what is not shown is put in again",
        "core/managed_maps",
    ),
    Mutant(
        "core/references",
        "return {} if change.action is Action.DELETE else {**body, **patch, **maps}",
        "return {} if change.action is Action.DELETE else {**body, **patch}",
        "entries that stay go on using",
        "core/managed_maps",
    ),
    Mutant(
        "drivers/filename_marks",
        'if found["version"] != "1" and signature is None:',
        "if False:",
        "a newer mark is no mark of ours",
        "drivers/filename_marks",
    ),
    Mutant(
        "drivers/filename_marks",
        'if found["owner"] == _code(owner, _OWNER) else',
        "if True else",
        "owners differ",
        "drivers/filename_marks",
    ),
]
