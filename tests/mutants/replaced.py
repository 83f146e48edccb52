"""Wrong versions of replacing and of collections, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    # replacing
    Mutant("replacing", "if manifest.renew and", "if", "only what its manifest says is renewed", "replacing"),
    Mutant("replacing", "if not kind.fixed:", "if True:", "other content is another object", "replacing"),
    Mutant(
        "replacing", "if not meaning_of(kind, each[0]).uncompared", "", "what is not shown is not compared", "replacing"
    ),
    Mutant("replacing", "result[key] = alike.pop(0)", "result[key] = alike[0]", "one object has one key", "replacing"),
    Mutant("kind_plan", "Reason.REPLACED)", "Reason.NEW)", "a replacement says so", "replacing"),
    Mutant("kind_plan", "if owned not in alike:", "if False:", "what is superseded goes", "replacing"),
    Mutant("ownership", "owned is None or self.kind.fixed", "owned is None", "a fixed mark stays", "replacing"),
    Mutant("policy", "kept = {Reason.TWIN, Reason.SUPERSEDED}", "kept = {Reason.TWIN}", "no guard here", "replacing"),
    Mutant(
        "dependencies",
        "if Reason.SUPERSEDED in change.reasons and change.address in made:",
        "if False:",
        "the new one is there before the old one goes",
        "replacing",
    ),
    Mutant("dependencies", "(change.is_due and", "(True and", "what is in use stays in silence", "replacing"),
    Mutant("precondition", "if word == _REPLACING else", "if False else", "what is replaced may be there", "replacing"),
    Mutant("changes", "managed = {} if kind.fixed else", "managed =", "a fixed mark has no units", "replacing"),
    Mutant("rollback", "if kind.fixed and", "if False and", "contents that are gone are told", "replacing"),
    # members
    Mutant("members", "wanted.get(name)}", "True}", "nothing empty is sent", "members"),
    Mutant("members", "if state in spec.waiting:", "if False:", "what is not ready is waited for", "members"),
    Mutant("members", "if id not in ready]", "if id in there and id not in ready]", "unseen is not ready", "members"),
    Mutant("members", "if id not in wanted:", "if True:", "what is wanted stays", "members"),
    Mutant("members", 'if _was(spec, meaning, seen) != entry.get("was"):', "if False:", "hands are seen", "members"),
    Mutant("members", "if seen is None:", "if False:", "what is gone is not modified", "members"),
    Mutant(
        "members", "if name not in wanted and name not in", "if name not in", "the way in counts if said", "members"
    ),
    Mutant("members", "if entry[spec.id_field] in there]", "]", "what is out is not taken out", "members"),
    Mutant("members", "if not old or len(differing) > _FEW:", "if False:", "many are told as one", "members"),
    Mutant("members", "(each[0] not in wanted, each[0])", "each[0]", "the wanted version has the key", "members"),
    Mutant("base", "if unit[0] in kind.members:", "if False:", "entries are not remembered", "members"),
    Mutant(
        "filename_marks",
        'if found["version"] != "1":',
        "if False:",
        "a newer mark is no mark of ours",
        "filename_marks",
    ),
    Mutant(
        "filename_marks",
        'if found["owner"] == _code(owner, _OWNER) else',
        "if True else",
        "owners differ",
        "filename_marks",
    ),
]
