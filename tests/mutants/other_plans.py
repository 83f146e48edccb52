"""Wrong versions of plans that are sealed, that roll back, or that compare files with files, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    # document
    Mutant(
        "formats/document",
        "all(diagnostic.severity is not Severity.ERROR for",
        "any(diagnostic.severity is not Severity.ERROR for",
        "problems are fine only where none of them is an error",
        "formats/document",
    ),
    # seal
    Mutant(
        "core/seal",
        "if _seal(kind, writes) != self.change.seal:",
        "if False:",
        "what is not what was sealed is lost",
        "formats/redact",
    ),
    Mutant(
        "formats/redact",
        "fields=tuple(fields), patch=None,",
        "fields=tuple(fields),",
        "contents are left out",
        "formats/redact",
    ),
    Mutant(
        "formats/redact",
        "return FieldChange(unit, ABSENT, ABSENT, field.reason",
        "return FieldChange(unit, field.before, field.after, field.reason",
        "values are left out",
        "formats/redact",
    ),
    Mutant(
        "formats/redact",
        "return FieldChange(unit, ABSENT",
        "return FieldChange(field.path, ABSENT",
        "names inside values are left out",
        "formats/redact",
    ),
    Mutant(
        "core/seal",
        "if value is ABSENT and len(unit) > 1:",
        "if False:",
        "taken away is not null",
        "formats/redact",
    ),
    Mutant("core/seal", "{repr(unit): _told(", "{'': _told(", "a seal is over units as well", "formats/redact"),
    Mutant(
        "core/seal",
        "if self.change.action is Action.RELEASE:",
        "if False:",
        "a release needs no manifest",
        "formats/redact",
    ),
    Mutant(
        "core/seal",
        "wanted = desired_units(kind, manifest)",
        "wanted = managed_units(kind, manifest)",
        "initial units are created",
        "formats/redact",
    ),
    Mutant(
        "core/seal",
        "return assemble(kind, writes, live.body if live else {})",
        "return assemble(kind, writes, {})",
        "entries of others go along",
        "formats/redact",
    ),
    Mutant(
        "core/seal",
        "return ABSENT if len(unit) > 1 else meaning_of(self.found.kind, unit).on_remove",
        "return None",
        "what left the file is cleared",
        "formats/redact",
    ),
    Mutant(
        "core/seal",
        "known = mark_to_keep(self.found, Managed(live, old)) if live and isinstance(old, Mark) else None",
        "known = None",
        "a mark keeps its nonce",
        "formats/redact",
    ),
    Mutant(
        "core/seal",
        "if unit in self.change.units or _agrees(kind, unit, value, present)",
        "if unit in self.change.units",
        "agreement is remembered",
        "formats/redact",
    ),
    Mutant(
        "core/seal",
        "if unit in self.change.units or _agrees(kind, unit, value, present)",
        "if unit",
        "what is kept keeps its digest",
        "formats/redact",
    ),
    Mutant("core/ownership", "after if self.digests else None", "None", "sealed marks keep digests", "formats/redact"),
    Mutant(
        "core/ownership", "after if self.digests else None", "after", "sealed marks keep names only", "formats/redact"
    ),
    Mutant(
        "core/seal", "lost += [change] if again is change else []", "lost += []", "losses are told", "formats/redact"
    ),
    Mutant(
        "formats/redact",
        "changes=tuple(changes), sealed=False)",
        "changes=tuple(changes))",
        "an open plan says so",
        "formats/redact",
    ),
    # rollback
    Mutant(
        "core/rollback",
        "outcome.result is Result.DONE and",
        "",
        "only what was done is taken back",
        "commands/rollback",
    ),
    Mutant(
        "core/rollback",
        "in_order(policy.guard(changes, owned, None), list(found))",
        "in_order(changes, list(found))",
        "the guard counts in a rollback too",
        "commands/rollback",
    ),
    Mutant(
        "core/rollback",
        " + sum(c.action is Action.DELETE for c in changes)",
        "",
        "what was made is owned",
        "commands/rollback",
    ),
    Mutant(
        "core/rollback",
        "precondition=precondition(kind, after, writes),",
        "precondition=precondition(kind, before, writes),",
        "it refuses what changed since",
        "commands/rollback",
    ),
    Mutant(
        "core/rollback",
        "patch=assemble(kind, writes, after.body),",
        "patch=assemble(kind, writes, before.body),",
        "entries of others are those of now",
        "commands/rollback",
    ),
    Mutant(
        "commands/rollback",
        "key = mark.key if isinstance(mark, Mark) else change.address.key",
        "key = change.address.key",
        "a move brings the earlier key back",
        "commands/rollback",
    ),
    Mutant(
        "commands/rollback",
        "Action.ADOPT: Action.RELEASE,",
        "Action.ADOPT: Action.ADOPT,",
        "adopted is released",
        "commands/rollback",
    ),
    Mutant(
        "core/rollback",
        "if before.id in alike[1:] or not deleted.issuperset(alike):",
        "if before.id in alike[1:]:",
        "one address, one object",
        "commands/rollback",
    ),
    Mutant(
        "core/rollback",
        "if before.id in alike[1:] or not deleted.issuperset(alike):",
        "if not deleted.issuperset(alike):",
        "a second is not brought back",
        "commands/rollback",
    ),
    Mutant(
        "core/rollback", "if Reason.EXPIRED in change.reasons:", "if False:", "what is renewed stays", "core/replacing"
    ),
    Mutant(
        "core/rollback",
        "return ABSENT if text is None else text",
        "return ABSENT",
        "the mark is put back",
        "commands/rollback",
    ),
    Mutant(
        "formats/redact",
        "(value is ABSENT or value is None):",
        "value is ABSENT:",
        "null is cleared as the schema says",
        "commands/rollback",
    ),
    Mutant(
        "core/rollback",
        "        return meaning_of(kind, unit).on_remove\n    return value",
        "        return None\n    return value",
        "what cannot be cleared is said",
        "commands/rollback",
    ),
    Mutant(
        "core/rollback",
        "if value is ABSENT and not can_clear(kind, unit):",
        "if value is ABSENT:",
        "entries are taken away",
        "commands/rollback",
    ),
    Mutant(
        "core/rollback",
        "for field in change.fields if field.path[:1] in _named(writes)",
        "for field in change.fields",
        "only what is put back is shown",
        "commands/rollback",
    ),
    Mutant(
        "core/rollback",
        "replace(field, before=field.after, after=field.before, reason",
        "replace(field, reason",
        "differences are shown backwards",
        "commands/rollback",
    ),
    Mutant(
        "formats/redact",
        "marks.write(replace(mark, nonce=marks.NO_NONCE))",
        "marks.write(mark)",
        "another object has another nonce",
        "commands/rollback",
    ),
    Mutant(
        "core/rollback",
        "if value is not None and unit[0] not in kind.managed_maps}",
        "if unit[0] not in kind.managed_maps}",
        "nulls are not sent to a create",
        "commands/rollback",
    ),
    Mutant(
        "core/rollback",
        "precondition=ABSENT_OBJECT,",
        "precondition=None,",
        "an address gets no second object",
        "commands/rollback",
    ),
    # against
    Mutant("commands/against", "        patch=None,\n", "", "no request is known", "commands/against"),
    Mutant("commands/against", "        precondition=None,\n", "", "no precondition is known", "commands/against"),
    Mutant("commands/against", "id=known.id if known else None,", "", "no id is made up", "commands/against"),
    Mutant(
        "commands/against",
        "        patch=None,",
        "        patch={},",
        "nothing can be sent",
        "commands/against",
    ),
    Mutant(
        "commands/against",
        "action=Action.ADOPT if binds else change.action,",
        "action=change.action,",
        "an id is an adoption",
        "commands/against",
    ),
    Mutant(
        "commands/against",
        "change.action is Action.CREATE and wanted is not None and wanted.id is not None",
        "wanted is not None and wanted.id is not None",
        "only what is new is adopted",
        "commands/against",
    ),
    Mutant(
        "commands/against",
        "observed, Remembered(before))",
        "observed)",
        "a difference is the files' edit",
        "commands/against",
    ),
    Mutant(
        "commands/against", "if manifest.address.kind == kind.name]", "]", "kinds are told apart", "commands/against"
    ),
    Mutant("commands/against", "read={}, against=against)", "against=against)", "nothing was read", "commands/against"),
    Mutant(
        "commands/against", "read={}, against=against)", "read={})", "it says what it compares with", "commands/against"
    ),
    Mutant(
        "commands/against",
        "manifest.id if manifest.id in known else None)",
        "manifest.id)",
        "nobody is asked for an id",
        "commands/against",
    ),
]
