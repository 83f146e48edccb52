"""Wrong versions of the check right before a request, and of the look at its answer, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    Mutant(
        "core/verify",
        'digest(parts | {"mark": str(mark_text(kind, live))})',
        "digest(parts)",
        "a changed mark is a changed world",
        "core/check",
    ),
    Mutant(
        "core/verify",
        "for unit in (*writes, mark)}",
        "for unit in (*writes, *present, mark)}",
        "an irrelevant change does not stop a plan",
        "core/check",
    ),
    Mutant(
        "core/verify",
        "if touched := changed - wanted - on_its_way:",
        "if touched := set[Unit]():",
        "a changed unit stops a plan",
        "core/check",
    ),
    Mutant(
        "core/verify",
        "return Ready(assemble(kind, left, live.body))",
        "return Ready(change.patch)",
        "entries of others go as they are now",
        "core/check",
    ),
    Mutant(
        "core/verify",
        "    if wanted.issuperset(writes):\n        return AlreadyApplied(live.id)\n",
        "",
        "what is done is not sent again",
        "core/check",
    ),
    Mutant(
        "core/verify",
        "nonce=live.nonce if wanted.nonce == marks.NO_NONCE else wanted.nonce",
        "nonce=wanted.nonce",
        "apply draws the nonce",
        "core/check",
    ),
    Mutant(
        "core/verify",
        "if not _uncompared(kind, unit) and not same",
        "if not same",
        "write-only units are not looked for",
        "core/verify",
    ),
    Mutant(
        "core/verify",
        '            if unit in found:\n                yield _warning(address, unit, Code.NOT_KEPT, "was '
        'removed, but the remote kept it", _OVERRIDDEN)',
        "            pass",
        "a removed entry that stays is found",
        "core/verify",
    ),
    Mutant(
        "core/verify",
        "known = unit[0] in kind.fields and not",
        "known = not",
        "unknown fields are not compared",
        "core/verify",
    ),
    Mutant(
        "core/verify",
        "changed - wanted - on_its_way:",
        "changed - on_its_way:",
        "what is as wanted by now is no matter",
        "core/check",
    ),
    Mutant(
        "core/verify",
        "changed - wanted - on_its_way:",
        "changed - wanted:",
        "what is on its way is no matter",
        "core/managed_maps",
    ),
    Mutant(
        "core/verify",
        "changed - wanted - on_its_way:",
        "changed and not wanted - on_its_way:",
        "each unit is checked by itself",
        "core/check",
    ),
    Mutant(
        "core/verify",
        "if unit not in done}\n    return Ready(",
        "}\n    return Ready(",
        "what has its value is not sent again",
        "core/check",
    ),
    Mutant(
        "core/verify",
        "if unit in changed or unit[0]",
        "if unit or unit[0]",
        "what travels with a change goes along",
        "core/check",
    ),
    Mutant(
        "core/verify",
        "if each.live.id not in change.replaces]",
        "]",
        "what is replaced is no obstacle",
        "core/replacing",
    ),
    Mutant(
        "core/verify",
        "(each for each in there if _is_made(change, found.kind, each.live))",
        "iter(there)",
        "another object of the address is another",
        "core/check",
    ),
    Mutant(
        "core/verify",
        "as_it_was = expected_of_all(kind, live) == change.expects",
        "as_it_was = True",
        "a delete is of what was seen",
        "core/check",
    ),
    # entries of maps that are managed whole
    Mutant(
        "core/verify",
        "    if present.get(unit) is None:\n        return True\n",
        "",
        "what is not shown is put in again",
        "core/managed_maps",
    ),
    Mutant(
        "core/verify",
        " or unit[0] in kind.managed_maps}",
        "}",
        "entries that are there are not put in again",
        "core/managed_maps",
    ),
    Mutant(
        "core/decide",
        "managed = unit[0] in maps or (",
        "managed = (",
        "entries of a managed map are all managed",
        "core/managed_maps",
    ),
]
