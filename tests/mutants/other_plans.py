"""Wrong versions of plans that are sealed, that roll back, or that compare files with files, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    # document
    Mutant(
        "document",
        "all(diagnostic.severity is not Severity.ERROR for",
        "any(diagnostic.severity is not Severity.ERROR for",
        "problems are fine only where none of them is an error",
        "document",
    ),
    # seal
    Mutant(
        "seal",
        "if _seal(kind, writes) != self.change.seal:",
        "if False:",
        "what is not what was sealed is lost",
        "seal",
    ),
    Mutant("seal", "fields=tuple(fields), patch=None,", "fields=tuple(fields),", "contents are left out", "seal"),
    Mutant(
        "seal",
        "return FieldChange(unit, ABSENT, ABSENT, field.reason",
        "return FieldChange(unit, field.before, field.after, field.reason",
        "values are left out",
        "seal",
    ),
    Mutant(
        "seal",
        "return FieldChange(unit, ABSENT",
        "return FieldChange(field.path, ABSENT",
        "names inside values are left out",
        "seal",
    ),
    Mutant(
        "seal",
        "if value is ABSENT and len(unit) > 1:",
        "if False:",
        "taken away is not null",
        "seal",
    ),
    Mutant("seal", "{repr(unit): _told(", "{'': _told(", "a seal is over units as well", "seal"),
    Mutant("seal", "if self.change.action is Action.RELEASE:", "if False:", "a release needs no manifest", "seal"),
    Mutant(
        "seal",
        "wanted = desired_units(kind, manifest)",
        "wanted = managed_units(kind, manifest)",
        "initial units are created",
        "seal",
    ),
    Mutant(
        "seal",
        "return assemble(kind, writes, live.body if live else {})",
        "return assemble(kind, writes, {})",
        "entries of others go along",
        "seal",
    ),
    Mutant(
        "seal",
        "return ABSENT if len(unit) > 1 else meaning_of(self.found.kind, unit).on_remove",
        "return None",
        "what left the file is cleared",
        "seal",
    ),
    Mutant(
        "seal",
        "known = own_mark(self.found, Owned(live, old)) if live and isinstance(old, Mark) else None",
        "known = None",
        "a mark keeps its nonce",
        "seal",
    ),
    Mutant(
        "seal",
        "if unit in self.change.units or _agrees(kind, unit, value, present)",
        "if unit in self.change.units",
        "agreement is remembered",
        "seal",
    ),
    Mutant(
        "seal",
        "if unit in self.change.units or _agrees(kind, unit, value, present)",
        "if unit",
        "what is kept keeps its digest",
        "seal",
    ),
    Mutant("seal", "after if self.digests else None", "None", "sealed marks keep digests", "seal"),
    Mutant("seal", "after if self.digests else None", "after", "sealed marks keep names only", "seal"),
    Mutant(
        "seal", "for place, patch in patches.items() if patch is None", "for place in ()", "losses are told", "seal"
    ),
    Mutant("seal", "changes=changes, sealed=False)", "changes=changes)", "an open plan says so", "seal"),
    # rollback
    Mutant("rollback", "outcome.result is Result.DONE and", "", "only what was done is taken back", "rollback"),
    Mutant(
        "rollback",
        "in_order(policy.guard(changes, owned, None), list(found))",
        "in_order(changes, list(found))",
        "the guard counts in a rollback too",
        "rollback",
    ),
    Mutant(
        "rollback",
        " + sum(c.action is Action.DELETE for c in changes)",
        "",
        "what was made is owned",
        "rollback",
    ),
    Mutant(
        "rollback",
        "precondition=precondition(kind, after, writes),",
        "precondition=precondition(kind, before, writes),",
        "it refuses what changed since",
        "rollback",
    ),
    Mutant(
        "rollback",
        "patch=assemble(kind, writes, after.body),",
        "patch=assemble(kind, writes, before.body),",
        "entries of others are those of now",
        "rollback",
    ),
    Mutant(
        "rollback",
        "key = mark.key if isinstance(mark, Mark) else change.address.key",
        "key = change.address.key",
        "a move brings the earlier key back",
        "rollback",
    ),
    Mutant(
        "rollback", "Action.ADOPT: Action.RELEASE,", "Action.ADOPT: Action.ADOPT,", "adopted is released", "rollback"
    ),
    Mutant("rollback", "return ABSENT if text is None else text", "return ABSENT", "the mark is put back", "rollback"),
    Mutant(
        "rollback",
        "if len(unit) == 1 and (value is ABSENT or value is None):",
        "if len(unit) == 1 and value is ABSENT:",
        "null is cleared as the schema says",
        "rollback",
    ),
    Mutant(
        "rollback",
        "        return meaning_of(kind, unit).on_remove\n    return value",
        "        return None\n    return value",
        "what cannot be cleared is said",
        "rollback",
    ),
    Mutant(
        "rollback",
        "if value is ABSENT and len(unit) == 1:",
        "if value is ABSENT:",
        "entries are taken away",
        "rollback",
    ),
    Mutant(
        "rollback",
        "for field in change.fields if field.path[:1] in _named(writes)",
        "for field in change.fields",
        "only what is put back is shown",
        "rollback",
    ),
    Mutant(
        "rollback",
        "replace(field, before=field.after, after=field.before, reason",
        "replace(field, reason",
        "differences are shown backwards",
        "rollback",
    ),
    Mutant(
        "rollback",
        "marks.write(replace(mark, nonce=marks.UNDRAWN))",
        "marks.write(mark)",
        "another object has another nonce",
        "rollback",
    ),
    Mutant("rollback", ".items() if value is not None}", ".items()}", "nulls are not sent to a create", "rollback"),
    Mutant(
        "rollback", "precondition=ABSENT_OBJECT,", "precondition=None,", "an address gets no second object", "rollback"
    ),
    # against
    Mutant("against", "        patch=None,\n", "", "no request is known", "against"),
    Mutant("against", "        precondition=None,\n", "", "no precondition is known", "against"),
    Mutant("against", "id=known.id if known else None,", "", "no id is made up", "against"),
    Mutant(
        "against",
        "        patch=None,",
        "        patch={},",
        "nothing can be sent",
        "against",
    ),
    Mutant(
        "against",
        "action=Action.ADOPT if binds else change.action,",
        "action=change.action,",
        "an id is an adoption",
        "against",
    ),
    Mutant(
        "against",
        "change.action is Action.CREATE and wanted is not None and wanted.id is not None",
        "wanted is not None and wanted.id is not None",
        "only what is new is adopted",
        "against",
    ),
    Mutant("against", "observed, Remembered(before))", "observed)", "a difference is the files' edit", "against"),
    Mutant("against", "if manifest.address.kind == kind.name]", "]", "kinds are told apart", "against"),
    Mutant("against", "read={}, against=against)", "against=against)", "nothing was read", "against"),
    Mutant("against", "read={}, against=against)", "read={})", "it says what it compares with", "against"),
    Mutant(
        "against",
        "manifest.id if manifest.id in known else None)",
        "manifest.id)",
        "nobody is asked for an id",
        "against",
    ),
]
