"""Wrong versions of what objects have in common, as data: chains of renames, namesakes and copies since the plan."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    # chains of renames
    Mutant(
        "core/matching/moves",
        "        if own and not (len(own) == 1 and key in left):\n",
        "        if False:\n",
        "two objects have not one key",
        "core/moves",
    ),
    Mutant(
        "core/matching/moves",
        "return former in moves or not self.has_manifest(former) or bool(self.arrived(former))",
        "return True",
        "what stays in the files is not renamed",
        "core/moves",
    ),
    Mutant(
        "core/matching/moves",
        "and manifest.moved_from and not self.arrived(key)",
        "and manifest.moved_from",
        "a rename that is done is passed over",
        "core/moves",
    ),
    Mutant(
        "core/matching/match",
        'renamed = {m.moved_from or "": m.address for key in self.keys.refused for m in [self.manifests[key]]}',
        "renamed = dict[str, Address]()",
        "nothing of a chain is deleted",
        "core/moves",
    ),
    # namesakes and copies since the plan
    Mutant(
        "core/rules/change_rules",
        "if found.kind.name_field is None or change.same_name_allowed:",
        "if found.kind.name_field is None:",
        "same_name: allow goes for saved plans",
        "core/before_create",
    ),
    Mutant(
        "core/rules/change_rules",
        "same_content, same_name, lost_create",
        "same_content, lost_create",
        "no second of one name, made meanwhile",
        "core/before_create",
    ),
    Mutant(
        "core/matching/index",
        "ours = self.marked.keys() - self._clones.keys()",
        "ours = set[str]()",
        "what is managed is no namesake",
        "core/before_create",
    ),
    Mutant(
        "core/matching/index",
        "return isinstance(name, str) and bool(name)",
        "return isinstance(name, str)",
        "no name is nothing in common",
        "core/index",
    ),
    Mutant(
        "core/matching/index",
        "sorted(self.unmanaged, key",
        "sorted(self.unmarked, key",
        "those of others are namesakes",
        "core/before_create",
    ),
    Mutant(
        "core/matching/index",
        "self.marked.keys() - self._clones.keys()",
        "self.marked.keys()",
        "copies of ours are namesakes",
        "core/check",
    ),
    Mutant(
        "core/matching/index",
        "self._nonces.get(each.mark.nonce, ()) if each",
        "[live for alike in self._nonces.values() for live in alike] if each",
        "copies of others are no matter",
        "core/check",
    ),
    # what lost its manifest
    Mutant(
        "core/matching/match",
        "orphans.sort(key=lambda each: each.mark.key)",
        "orphans.sort(key=lambda each: each.live.id)",
        "the first by its key is named",
        "core/match",
    ),
    Mutant(
        "core/matching/similarity",
        "return min(alike, key=lambda each: each[0].mark.key)",
        "return alike[0]",
        "whichever way it is alike",
        "core/match",
    ),
    Mutant(
        "core/matching/similarity",
        '        alike += [(each, "the same name") for each in self._by_name.get(name or "", ())[:1]]\n',
        "",
        "one name is a probable rename",
        "core/match",
    ),
    Mutant(
        "core/matching/similarity",
        "for each in self._by_content.get(content_of(self.kind, body), ())[:1]]",
        "for each in self.orphans[:1]]",
        "equal, not more",
        "core/match",
    ),
    Mutant(
        "core/matching/similarity", "one.frame != other.frame or ", "", "frames have to be equal", "core/similarity"
    ),
    Mutant(
        "core/matching/similarity",
        "(Counter(one.pieces) & Counter(other.pieces)).total()",
        "len({*one.pieces} & {*other.pieces})",
        "how often counts",
        "core/similarity",
    ),
    Mutant(
        "core/matching/similarity",
        "larger = max(len(one.pieces), len(other.pieces))",
        "larger = len(one.pieces)",
        "the share is of the larger text",
        "core/similarity",
    ),
    Mutant(
        "core/matching/similarity", "len(value) >= LONG_TEXT", "True", "short text has to be equal", "core/similarity"
    ),
    Mutant(
        "core/matching/similarity",
        "if secret or meaning.uncompared or meaning.ref is not None:",
        "if False:",
        "secrets and ids are left aside",
        "core/similarity",
    ),
    Mutant(
        "core/matching/similarity",
        "    if kind.immutable:\n        return None\n",
        "",
        "no move of these",
        "core/similarity",
    ),
    Mutant("core/matching/similarity", " or name == kind.name_field", "", "the name is left aside", "core/similarity"),
    Mutant("core/matching/similarity", "each.live.sketch or ", "", "a header may have a sketch", "core/similarity"),
    Mutant(
        "core/matching/similarity",
        "(whole - share) // whole + 1]",
        "(whole - share) // whole]",
        "rare pieces find all that is near",
        "core/similarity",
    ),
    Mutant(
        "core/matching/match",
        "for m in new if not m.same_name_allowed)",
        "for m in new)",
        "same_name: allow",
        "core/match",
    ),
    Mutant(
        "core/matching/index",
        "each.uncompared or each.read_only or each.granular",
        "each.uncompared or each.read_only",
        "maps of others are no content",
        "core/match",
    ),
]
