"""Wrong versions of what decides one unit, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    # semantics: equality of meaning
    Mutant("semantics", "value.is_integer()", "False", "1 = 1.0", "semantics"),
    Mutant(
        "semantics",
        "    text = _dump(value)\n",
        "    text = _dump(value + 0 if value is True else value)\n",
        "true ≠ 1",
        "semantics",
    ),
    Mutant(
        "semantics", "if value is ABSENT or value is None:", "if value is ABSENT:", "null is the default", "semantics"
    ),
    Mutant(
        "semantics",
        "sorted(set(entries))",
        "list(dict.fromkeys(entries))",
        "sets are not ordered",
        "semantics",
    ),
    Mutant(
        "semantics",
        "        entries.sort()\n",
        "        pass\n",
        "keyed lists are not ordered",
        "semantics",
    ),
    Mutant(
        "semantics",
        "    elif meaning.list_meaning is ListMeaning.MAP:\n",
        "    else:\n",
        "ordered lists are ordered",
        "semantics",
    ),
    Mutant("semantics", "if meaning.shown_as and", "if False and", "a constant shown as another", "semantics"),
    Mutant(
        "semantics",
        "if part != sub.unset:",
        "if True:",
        "sub-objects grow by defaults",
        "semantics",
    ),
    Mutant(
        "semantics",
        "if part != sub.unset:",
        "if json.loads(part) != json.loads(sub.unset):",
        "zero ≠ a default of false",
        "semantics",
    ),
    Mutant("semantics", ' or "e+" in text', "", "large floats are whole as well", "semantics"),
    Mutant(
        "parts",
        "is not ABSENT and not sub.uncompared and",
        "is not sub and not sub.uncompared and",
        "what has no cleared value is not cleared",
        "clearing",
    ),
    Mutant(
        "parts",
        "if part is not ABSENT} | meaning.default",
        "if False} | meaning.default",
        "lists are cleared by name",
        "clearing",
    ),
    Mutant(
        "semantics",
        "            if not meaning.closed:",
        "            if True:",
        "unknown parts do not count",
        "semantics",
    ),
    Mutant(
        "semantics",
        "            if not meaning.closed:",
        "            if False:",
        "free entries count",
        "semantics",
    ),
    Mutant(
        "semantics",
        "elif entry is not None and not sub.uncompared:",
        "elif entry is not None and not sub.read_only:",
        "write-only parts do not count",
        "semantics",
    ),
    Mutant("semantics", "if not is_mark(kind, (name, key))", "if key", "the mark is no unit", "semantics"),
    Mutant(
        "semantics",
        "return unit == (kind.mark_field, MARK_ENTRY)",
        "return unit[-1] == MARK_ENTRY and len(unit) > 1 or unit == (kind.mark_field,)",
        "only the entry is the mark",
        "semantics",
    ),
    Mutant(
        "semantics",
        "if meaning.uncompared and meaning.read_only:",
        "if meaning.uncompared:",
        "write-only fields are sent",
        "semantics decide",
    ),
    Mutant(
        "parts",
        "not sub.uncompared and not same(sub, None, value):",
        "not sub.uncompared and value:",
        "cleared parts are those beyond their default",
        "clearing",
    ),
    Mutant("parts", "filled[name] = cleared", "pass", "cleared parts are sent by name", "clearing"),
    Mutant(
        "parts",
        "elif meaning.closed and entry is not None and",
        "elif entry is not None and",
        "open values have no unknown parts",
        "clearing",
    ),
    # marks
    Mutant("marks", '("d" in flags and "r" in flags) or len', "len", "contradicting flags are damage", "marks"),
    Mutant(
        "marks",
        "if not isinstance(text, str) or len(text) > MAX_LENGTH:",
        "if not isinstance(text, str):",
        "marks have a longest length",
        "marks",
    ),
    Mutant(
        "marks",
        "if len(text) > MAX_LENGTH or read(text) != mark:",
        "if len(text) > MAX_LENGTH:",
        "only what is read back is written",
        "marks",
    ),
    Mutant("marks", "_WORDS.fullmatch(text)", "_WORDS.match(text)", "a mark is a whole text", "marks"),
    Mutant("marks", "and mark.nonce == UNDRAWN else text", "else text", "a nonce is drawn once", "marks"),
    Mutant(
        "marks",
        "return NewerMark(*newer.groups()) if newer",
        "return DamagedMark() if newer",
        "a newer mark is known as one",
        "marks",
    ),
    # decide: the table
    Mutant(
        "decide",
        "if not meaning.uncompared and not same(meaning, value, before):",
        "if not meaning.uncompared and value != before:",
        "D = L is equality of meaning",
        "decide",
    ),
    Mutant(
        "decide", "if not meaning.uncompared and not same", "if not same", "write-only units are not compared", "decide"
    ),
    Mutant(
        "decide",
        "    if live_kept:\n        return Reason.EDITED",
        "    if not live_kept:\n        return Reason.EDITED",
        "L = B is edited",
        "decide",
    ),
    Mutant(
        "decide",
        "return Reason.DRIFTED if base.agrees(unit, desired) else Reason.CONFLICT",
        "return Reason.DRIFTED",
        "both changed is a conflict",
        "decide",
    ),
    Mutant(
        "decide", "        return Reason.CHANGED\n", "        return Reason.EDITED\n", "B unknown is changed", "decide"
    ),
    Mutant(
        "decide",
        "if mark.manages(unit) and unit not in spoken_for",
        "if unit not in spoken_for",
        "what was never ours is not cleared",
        "decide",
    ),
    Mutant(
        "decide",
        "    spoken_for = units(kind, manifest.body)\n",
        "    spoken_for = managed_units(kind, manifest)\n",
        "initial units are not given up",
        "decide",
    ),
    Mutant(
        "decide",
        "    if base.agrees(unit, live) is False:\n",
        "    if False:\n",
        "what others took over is released",
        "decide",
    ),
    Mutant(
        "decide",
        "if cleared is not ABSENT and same(meaning_of(kind, unit), cleared, live):",
        "if False:",
        "a unit is reset once",
        "decide",
    ),
    Mutant(
        "decide",
        "        if written.isdisjoint(group):\n            continue\n",
        "",
        "coupled nulls travel only with a change",
        "decide",
    ),
    Mutant(
        "decide",
        "if name not in decided and (name,) in desired and desired[(name,)] is None:",
        "if name not in decided and desired.get((name,)) is None:",
        "coupled nulls are only those in the file",
        "decide",
    ),
    Mutant(
        "decide",
        "    decided = written | {write.unit[0] for write in kept}\n",
        "    decided = written\n",
        "what is kept does not travel with a group",
        "decide",
    ),
    Mutant(
        "decide",
        "dict(live.get(name) or {}) if",
        "{} if",
        "entries of others are kept",
        "decide",
    ),
    Mutant(
        "decide",
        "dict(live.get(name) or {}) if",
        "(live.get(name) or {}) if",
        "live bodies are not changed",
        "decide",
    ),
    Mutant(
        "desired",
        'return unit[0] in names or ".".join(unit) in names',
        "return unit[0] in names",
        "one entry can be ignored",
        "decide",
    ),
    Mutant(
        "desired", "if not left_to_others(unit, manifest.initial)", "if unit", "initial units are set once", "decide"
    ),
    # diff
    Mutant("diff", "if not found and not same(meaning, before, after):", "if False:", "what differs is told", "diff"),
    Mutant("diff", "ignore_private_variables=False", "ignore_private_variables=True", "every key is told", "diff"),
    Mutant("diff", "(isinstance(step, str), str(step).zfill(9))", "str(step)", "places are sorted by number", "diff"),
]
