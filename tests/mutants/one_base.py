"""Wrong versions of what remembers the last apply, and of what people decide about other people's changes, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    # base: what was last applied
    Mutant(
        "core/base",
        "return recorded is None or recorded == digest_of",
        "return recorded == digest_of",
        "a unit new to the mark agrees",
        "core/base",
    ),
    Mutant(
        "core/base",
        "return recorded is None or recorded == digest_of(kind, unit, value)",
        "return recorded is None or None",
        "a digest is compared",
        "core/base",
    ),
    Mutant("core/base", "unit not in self.managed or same", "same", "a unit new to the files agrees", "core/base"),
    Mutant(
        "core/base",
        "        if mark.digests:\n            return Base(mark.digests)\n",
        "        if mark.digests and address not in self.files:\n            return Base(mark.digests)\n",
        "digests are asked before files",
        "core/base",
    ),
    Mutant(
        "core/base",
        "self.files.get(Address(kind.name, mark.key)) or self.files.get(address)",
        "self.files.get(address)",
        "a moved object is known by its earlier key",
        "core/base",
    ),
    Mutant(
        "core/base",
        "self.files.get(Address(kind.name, mark.key)) or self.files.get(address)",
        "self.files.get(address) or self.files.get(Address(kind.name, mark.key))",
        "the earlier key comes first",
        "core/base",
    ),
    Mutant(
        "core/base",
        "self.files.get(Address(kind.name, mark.key)) or self.files.get(address)",
        "self.files.get(Address(kind.name, mark.key))",
        "a move that was merged is known by its new key",
        "core/base",
    ),
    Mutant(
        "core/base",
        "Base(managed=managed_units(kind, earlier))",
        "Base(managed={(n,): v for n, v in earlier.body.items()})",
        "files remember what they managed",
        "core/base",
    ),
    Mutant("core/base", "return bool(self.digests)", "return False", "a mark is certain", "core/base"),
    Mutant(
        "core/base",
        "return bool(self.digests)",
        "return self != UNKNOWN",
        "files are only likely",
        "core/base",
    ),
    Mutant(
        "core/base", "return address in self.files", "return False", "an object that is gone is reported", "core/base"
    ),
    # decide: what people decide beforehand
    Mutant(
        "core/decide",
        "return base.certain and policy.on_drift is OnDrift.KEEP",
        "return base.certain and policy.on_drift is not OnDrift.REVERT",
        "only keep keeps drift",
        "core/base",
    ),
    Mutant(
        "core/decide",
        "return base.certain and policy.on_drift is OnDrift.KEEP",
        "return False",
        "drift can be kept",
        "core/base",
    ),
    Mutant(
        "core/decide",
        "return by is ChangedBy.BOTH and policy.resolve is Resolve.THEIRS",
        "return by is ChangedBy.BOTH and policy.resolve is not None",
        "a choice of the file keeps nothing live",
        "core/base",
    ),
    Mutant(
        "core/decide",
        "return by is ChangedBy.BOTH and policy.resolve is Resolve.THEIRS",
        "return policy.resolve is Resolve.THEIRS",
        "only conflicts are theirs",
        "core/base",
    ),
    Mutant(
        "core/decide",
        "    diagnostics += (_left_as_it_is(manifest, write) for write in ignored)\n",
        "",
        "what is kept is reported",
        "core/base",
    ),
    Mutant(
        "core/decide",
        "writes, ignored)), ignored, tuple(diagnostics))",
        "writes, ignored)), (), tuple(diagnostics))",
        "what is kept is no agreement",
        "core/base",
    ),
    # policy: what a base refuses
    Mutant(
        "core/unit_rules",
        "if names and base.certain and policy.resolve is None:",
        "if names and policy.resolve is None:",
        "only what is certain is refused",
        "core/base",
    ),
    Mutant(
        "core/unit_rules",
        "if names and base.certain and policy.resolve is None:",
        "if names and base.certain:",
        "a conflict that is decided passes",
        "core/base",
    ),
    Mutant(
        "core/unit_rules",
        "if names and base.certain and policy.on_drift is OnDrift.FAIL:",
        "if names and base.certain and policy.on_drift is not OnDrift.KEEP:",
        "drift is refused only where asked",
        "core/base",
    ),
    Mutant(
        "core/unit_rules",
        "if names and base.certain and policy.on_drift is OnDrift.FAIL:",
        "if False:",
        "drift can be refused",
        "core/base",
    ),
    Mutant(
        "core/kind_plan",
        "return replace(change, blocked=refuse_units(self.kind, manifest, decision, base, self.policy))",
        "return change",
        "a certain conflict is refused",
        "core/base",
    ),
    # digests in marks
    Mutant(
        "core/changes",
        "old.digests.get(code) if old and unit not in after else None",
        "old.digests.get(code) if old else None",
        "a digest follows what is applied",
        "core/base",
    ),
    Mutant(
        "core/changes",
        "old.digests.get(code) if old and unit not in after else None",
        "None",
        "a kept unit keeps its digest",
        "core/base",
    ),
    Mutant(
        "core/changes",
        "digest_of(kind, unit, after.get(unit, value))",
        "digest_of(kind, unit, value)",
        "an adopted object remembers how it looked",
        "core/base",
    ),
    Mutant(
        "core/kind_plan", ".items() if unit not in ignored}", ".items()}", "what is kept is not applied", "core/base"
    ),
    Mutant(
        "core/ownership",
        "after if self.digests else None)",
        "after)",
        "digests are a choice",
        "core/base core/plan",
    ),
    Mutant(
        "core/kind_plan",
        "if self.ownership.digests and mark.units and not",
        "if not mark.units and not",
        "no room is reported",
        "core/base",
    ),
    Mutant(
        "core/marks",
        'words.append("".join(mark.digests.get(unit, "") for unit in units))',
        'words.append("".join(mark.digests.values()))',
        "digests go in the order of units",
        "core/marks",
    ),
    Mutant(
        "core/marks",
        '"n" * MAX_NONCE',
        '"n"',
        "there is room for a nonce",
        "core/marks",
    ),
    Mutant(
        "core/marks",
        'flags = "pd<" + "k" * _CODE_LENGTH if moved else "pd"',
        'flags = "<" + "k" * _CODE_LENGTH if moved else "-"',
        "there is room for flags",
        "core/marks",
    ),
    Mutant(
        "core/marks",
        "if length <= most else mark",
        "if length < most else mark",
        "all of the room is used",
        "core/marks",
    ),
    Mutant("core/marks", "if not is_key(key) or (", "if (", "the key of a mark is a key", "core/marks"),
    Mutant("core/model", "len(text) <= MAX_KEY and ", "", "a key has its length", "core/marks"),
    Mutant(
        "core/marks",
        "or len(kept) not in (0, len(units)):",
        "or False:",
        "a digest for each unit",
        "core/marks",
    ),
    Mutant(
        "core/marks",
        'canonical.encode(errors="surrogatepass")',
        "canonical.encode()",
        "any text has a digest",
        "core/marks",
    ),
]
