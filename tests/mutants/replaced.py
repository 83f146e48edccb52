"""Wrong versions of replacing and of collections, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    # replacing
    Mutant("core/replacing", "if manifest.renew and", "if", "only what its manifest says is renewed", "core/replacing"),
    Mutant("core/replacing", "if not kind.fixed:", "if True:", "other content is another object", "core/replacing"),
    Mutant(
        "core/replacing",
        "if not meaning_of(kind, each[0]).uncompared",
        "",
        "what is not shown is not compared",
        "core/replacing",
    ),
    Mutant(
        "core/replacing",
        "result[key] = alike.pop(0)",
        "result[key] = alike[0]",
        "one object has one key",
        "core/replacing",
    ),
    Mutant("core/kind_plan", "Reason.REPLACE)", "Reason.NEW)", "a replacement says so", "core/replacing"),
    Mutant("core/kind_plan", "if owned not in alike:", "if False:", "what is superseded goes", "core/replacing"),
    Mutant(
        "core/ownership", "owned is None or self.kind.fixed", "owned is None", "a fixed mark stays", "core/replacing"
    ),
    Mutant(
        "core/policy",
        "kept = {Reason.DUPLICATE, Reason.REPLACED}",
        "kept = {Reason.DUPLICATE}",
        "no guard here",
        "core/replacing",
    ),
    Mutant(
        "core/dependencies",
        "if Reason.REPLACED in change.reasons and change.address in made:",
        "if False:",
        "the new one is there before the old one goes",
        "core/replacing",
    ),
    Mutant("core/dependencies", "(change.is_due and", "(True and", "what is in use stays in silence", "core/replacing"),
    Mutant(
        "core/precondition",
        "if word == _REPLACING else",
        "if False else",
        "what is replaced may be there",
        "core/replacing",
    ),
    Mutant(
        "core/changes", "managed = {} if kind.fixed else", "managed =", "a fixed mark has no units", "core/replacing"
    ),
    Mutant("core/rollback", "if kind.fixed and", "if False and", "contents that are gone are told", "core/replacing"),
    # members
    Mutant("core/members", "wanted.get(name)}", "True}", "nothing empty is sent", "core/members"),
    Mutant("core/members", "if state in spec.waiting:", "if False:", "what is not ready is waited for", "core/members"),
    Mutant(
        "core/members",
        "if id not in ready]",
        "if id in there and id not in ready]",
        "unseen is not ready",
        "core/members",
    ),
    Mutant("core/members", "if id not in wanted:", "if True:", "what is wanted stays", "core/members"),
    Mutant(
        "core/members",
        'if _was(spec, meaning, seen) != entry.get("was"):',
        "if False:",
        "hands are seen",
        "core/members",
    ),
    Mutant("core/members", "if seen is None:", "if False:", "what is gone is not modified", "core/members"),
    Mutant(
        "core/members",
        "if name not in wanted and name not in",
        "if name not in",
        "the way in counts if said",
        "core/members",
    ),
    Mutant("core/members", "if entry[spec.id_field] in there]", "]", "what is out is not taken out", "core/members"),
    Mutant("core/members", "if not old or len(differing) > _FEW:", "if False:", "many are told as one", "core/members"),
    Mutant(
        "core/members", "(each[0] not in wanted, each[0])", "each[0]", "the wanted version has the key", "core/members"
    ),
    Mutant("core/base", "if unit[0] in kind.members:", "if False:", "entries are not remembered", "core/members"),
    Mutant(
        "drivers/filename_marks",
        'if found["version"] != "1":',
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
