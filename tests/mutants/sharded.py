"""Wrong versions of parts of a plan and of reports put together, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    Mutant(
        "operations/planning/shards",
        "max(range(1, count + 1), key=weight)",
        "len(address.key) % count + 1",
        "addresses spread",
        "operations/shards",
    ),
    Mutant(
        "operations/planning/shards",
        'f"{number} {address}"',
        'f"{count} {number} {address}"',
        "few move with one part more",
        "operations/shards",
    ),
    Mutant(
        "operations/planning/shards",
        "        parents[second] = first\n",
        "",
        "what needs one another stays together",
        "operations/shards",
    ),
    Mutant(
        "operations/planning/shards",
        "if each.address not in addresses)",
        ")",
        "what is said of an address is in its part",
        "operations/shards",
    ),
    Mutant(
        "formats/merge",
        "if document.get(name) != first.get(name)",
        "if False",
        "parts are of one apply",
        "formats/merge",
    ),
    Mutant(
        "formats/merge",
        "        if change in seen:\n",
        "        if False:\n",
        "no change is in two reports",
        "formats/merge",
    ),
    Mutant("formats/merge", 'report.get("kind") != "apply"', "False", "only reports of applies", "formats/merge"),
    Mutant("formats/merge", 'if o["outcome"] == result.value', "", "totals are of their result", "formats/merge"),
    Mutant(
        "formats/merge",
        "        if entry not in found:\n",
        "        if True:\n",
        "what all say is said once",
        "formats/merge",
    ),
]
