"""Wrong versions of parts of a plan and of reports put together, as data."""

from __future__ import annotations

from mutant import Mutant

MUTANTS = [
    Mutant(
        "shards", "max(range(1, count + 1), key=weight)", "len(address.key) % count + 1", "addresses spread", "shards"
    ),
    Mutant("shards", 'f"{number} {address}"', 'f"{count} {number} {address}"', "few move with one part more", "shards"),
    Mutant("shards", "        parents[second] = first\n", "", "what needs one another stays together", "shards"),
    Mutant("shards", "needed(change) & parents.keys()", "needed(change)", "only what changes ties together", "shards"),
    Mutant(
        "shards", "if diagnostic.address not in addresses", "", "what is said of an address is in its part", "shards"
    ),
    Mutant("merging", "if document.get(name) != first.get(name)", "if False", "parts are of one apply", "merging"),
    Mutant("merging", "        if change in seen:\n", "        if False:\n", "no change is in two reports", "merging"),
    Mutant("merging", 'report.get("kind") != "apply"', "False", "only reports of applies", "merging"),
    Mutant("merging", 'if o["outcome"] == result.value', "", "totals are of their result", "merging"),
    Mutant("merging", "        if entry not in found:\n", "        if True:\n", "what all say is said once", "merging"),
]
