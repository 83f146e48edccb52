"""Wrong versions of what resources have to do with each other, as data: references, order, use."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    # refs
    Mutant(
        "core/refs", "if m.address.kind == found.kind.name)", ")", "a key of one kind is none of another", "core/refs"
    ),
    Mutant(
        "core/refs", "if former not in keys else None", "", "a key in the files is nobody's former one", "core/refs"
    ),
    Mutant("core/refs", "            taken.add(free[0])\n", "", "one object is not two manifests'", "core/refs"),
    Mutant("core/refs", "owned.live.id not in taken]", "owned]", "what another binds is not free", "core/refs"),
    Mutant(
        "core/refs",
        "elif manifest.id is None and free:",
        "elif free:",
        "a manifest with an id has no other",
        "core/refs",
    ),
    Mutant(
        "core/refs",
        "left = {path: address for path, address in manifest.refs.items() if address not in ids}",
        "left = manifest.refs",
        "a known id is no reference any more",
        "core/refs",
    ),
    Mutant(
        "core/refs",
        "return replace(manifest, body=_with(dict(manifest.body), known), refs=left)",
        "return replace(manifest, refs=left)",
        "a manifest gets the ids that are known",
        "core/refs",
    ),
    Mutant(
        "core/refs",
        "known = {path: ids[address] for path, address in change.refs if address in ids}",
        "known = {path: ids.get(address, str(address)) for path, address in change.refs}",
        "only ids that are known are sent",
        "core/refs",
    ),
    Mutant(
        "core/refs",
        "left = tuple((path, address) for path, address in change.refs if address not in ids)",
        "left = ()",
        "a change still refers to what is unknown",
        "core/refs",
    ),
    Mutant(
        "core/refs",
        "copy: Json = dict(container) if isinstance(container, dict) else list(container)",
        "copy: Json = container",
        "what the files say stays as it was written",
        "core/refs",
    ),
    Mutant("core/refs", "if manifest.id in found.by_id:", "if False:", "an object bound by id is there", "core/refs"),
    Mutant(
        "core/refs", "if manifest.id in found.by_id:", "if manifest.id:", "an id that is not there is none", "core/refs"
    ),
    Mutant(
        "core/plan", "base=base.knowing(ids),", "base=base,", "references of the base are resolved too", "core/refs"
    ),
    Mutant(
        "core/changes",
        "return (path[0],) in writes or path[:2] in writes",
        "return True",
        "a change refers in what it writes only",
        "core/refs",
    ),
    Mutant(
        "core/changes",
        "return (path[0],) in writes or path[:2] in writes",
        "return any(path[:1] == unit[:1] for unit in writes)",
        "entries are told apart",
        "core/refs",
    ),
    Mutant("core/changes", "key=repr)),", "key=lambda one: 0)),", "references are in one order", "core/refs"),
    # documents
    Mutant(
        "formats/document",
        "for path, at in change.refs]} if change.refs else {}),",
        "for path, at in ()]} if change.refs else {}),",
        "references are saved",
        "core/refs",
    ),
    Mutant(
        "formats/parse",
        'needs=tuple(_each(record, "needs", _address)) if "needs" in record else (),',
        "needs=(),",
        "needs are read back",
        "core/refs",
    ),
    Mutant(
        "formats/parse",
        'Address.parse(_typed(text, str, "an address"))',
        "Address.parse(str(text))",
        "an address is text",
        "core/refs",
    ),
    Mutant("formats/parse", "if not is_key(address.key):", "if not address.key:", "a key is a key", "core/refs"),
    Mutant("core/seal", "if address not in unknown}", "if address}", "a sealed change refers as it did", "core/refs"),
    Mutant(
        "core/seal",
        "manifest = resolved(manifest, {address: id for address, id in ids.items() if address not in unknown})",
        "pass",
        "a sealed change has the ids that were known",
        "core/refs",
    ),
    # dependencies: order
    Mutant(
        "core/dependencies",
        "frozenset((*change.needs, *(address for _, address in change.refs)))",
        "frozenset(change.needs)",
        "what is referred to comes first",
        "core/dependencies",
    ),
    Mutant(
        "core/dependencies",
        "frozenset((*change.needs, *(address for _, address in change.refs)))",
        "frozenset(address for _, address in change.refs)",
        "what is needed comes first",
        "core/dependencies",
    ),
    Mutant(
        "core/dependencies",
        "if address.kind == change.address.kind}",
        "if address}",
        "kinds have an order of their own",
        "core/dependencies",
    ),
    Mutant(
        "core/dependencies",
        "max((level(other) + 1",
        "min((level(other) + 1",
        "the longest way counts",
        "core/dependencies",
    ),
    Mutant(
        "core/dependencies",
        "needs.get(address, _NONE) & planned",
        "needs.get(address, _NONE)",
        "what is not planned is no matter",
        "core/dependencies",
    ),
    Mutant(
        "core/dependencies",
        "            found[address] = 0\n",
        "",
        "a circle comes to an end",
        "core/dependencies",
    ),
    Mutant(
        "core/dependencies",
        "needs.get(change.address, _NONE) | same_kind",
        "same_kind",
        "changes of one address go together",
        "core/dependencies",
    ),
    Mutant(
        "core/plan",
        "    changes.sort(key=lambda change: level.get(change.address, 0))\n",
        "",
        "what is needed comes before what needs it",
        "core/dependencies",
    ),
    Mutant("core/plan", " | base.referred()", "", "what earlier files referred to is known", "core/refs"),
    # dependencies: what is missing
    Mutant(
        "core/dependencies",
        "for c in result if c.action is Action.CREATE and c.is_due}",
        "for c in result if c.action is Action.CREATE}",
        "a blocked create makes nothing",
        "core/dependencies",
    ),
    Mutant(
        "core/dependencies",
        "for c in result if c.action is Action.CREATE and c.is_due}",
        "for c in result if c.is_due}",
        "only a create makes",
        "core/dependencies",
    ),
    Mutant(
        "core/dependencies",
        "            result[place] = replace(result[place], blocked=block)\n",
        "            result[place] = replace(result[place], blocked=block)\n        return result\n",
        "what refers to the blocked is blocked",
        "core/dependencies",
    ),
    Mutant(
        "core/plan",
        "without_used(without_broken(changes), observed)",
        "without_used(changes, observed)",
        "nothing refers to what will not be there",
        "core/dependencies core/refs",
    ),
    # dependencies: what is in use
    Mutant(
        "core/plan",
        "without_used(without_broken(changes), observed)",
        "without_broken(changes)",
        "nothing in use is deleted",
        "core/in_use",
    ),
    Mutant(
        "core/dependencies",
        "if c.id is not None and c.is_due}",
        "if c.id is not None}",
        "what a blocked change would end goes on",
        "core/in_use",
    ),
    Mutant(
        "core/dependencies",
        "{**body, **patch, **maps}",
        "{**patch, **maps}",
        "what is not written goes on",
        "core/in_use",
    ),
    Mutant(
        "core/dependencies",
        "return {} if change.action is Action.DELETE else {**body",
        "return {**body",
        "what is deleted uses nothing",
        "core/in_use",
    ),
    Mutant(
        "core/dependencies",
        "set(ended.get(held, ())) - {change.address}",
        "set(ended.get(held, ()))",
        "nothing waits for itself",
        "core/in_use",
    ),
    Mutant(
        "core/dependencies",
        "if held not in still and change is not None:",
        "if change is not None:",
        "what goes on has not ended",
        "core/in_use",
    ),
    Mutant(
        "core/dependencies",
        "users.setdefault(held,",
        "users.__setitem__(held,",
        "the first user is named",
        "core/in_use",
    ),
    Mutant(
        "core/dependencies",
        "ended.setdefault(held, []).append(change.address)",
        "ended[held] = [change.address]",
        "a delete waits for every end of its use",
        "core/in_use",
    ),
    Mutant(
        "core/dependencies",
        "yield meaning.ref, value",
        'yield "store", value',
        "an id of another kind is no use",
        "core/in_use",
    ),
    Mutant(
        "core/dependencies",
        "yield from _held(meaning.items or FREE, entry)",
        "pass",
        "uses in lists are seen",
        "core/in_use",
    ),
    Mutant(
        "core/dependencies",
        "meaning.properties.get(name) or meaning.entries or FREE",
        "meaning.properties.get(name) or FREE",
        "uses in maps are seen",
        "core/in_use",
    ),
    Mutant(
        "core/dependencies",
        "meaning.properties.get(name) or meaning.entries or FREE",
        "meaning.entries or FREE",
        "uses in parts are seen",
        "core/in_use",
    ),
]
