"""Parts of a plan for several machines: every address in one of them, the same one wherever it is asked.

Rendezvous hashing: with one shard more, only what goes to it moves. Changes that need one another stay together, so
that no shard waits for another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.plan import Plan
from reconciler.core.references import dependencies_of
from reconciler.core.values.model import Address, Change


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number` of `count`, counted from 1."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def shard_of(address: Address, count: int) -> int:
    """The number of the shard, from 1 to `count`, that an address belongs to by itself."""

    def weight(number: int) -> bytes:
        return hashlib.blake2b(f"{number} {address}".encode("utf-8", "surrogatepass"), digest_size=8).digest()

    return max(range(1, count + 1), key=weight)


def in_shard(plan: Plan, shard: Shard) -> Plan:
    """The part of a whole plan that is a shard's; its guards were judged on the whole.

    What was read, and what is reported about no address, is in every part.
    """
    heads = _heads(plan.changes)
    kept = tuple(c for c in plan.changes if shard_of(heads[c.address], shard.count) == shard.number)
    addresses = {str(change.address) for change in plan.changes} - {str(change.address) for change in kept}
    diagnostics = tuple(each for each in plan.diagnostics if each.address not in addresses)
    return replace(plan, changes=kept, diagnostics=diagnostics)


def _heads(changes: Sequence[Change]) -> Mapping[Address, Address]:
    """For each address the first of those that it is connected with: what they need, what needs them, and so on."""
    parents: dict[Address, Address] = {change.address: change.address for change in changes}
    addresses = {change.number: change.address for change in changes}
    links = {
        (addresses[number], addresses[other]) for number, before in dependencies_of(changes).items() for other in before
    }

    def head(address: Address) -> Address:
        while parents[address] != address:
            parents[address] = parents[parents[address]]
            address = parents[address]
        return address

    for one, other in sorted(links):
        first, second = sorted((head(one), head(other)))
        parents[second] = first
    return {address: head(address) for address in parents}
