"""Decides which objects get a new key: the only reader of `moved_from`.

A `moved_from` stays in a file long after the move. It is pending while the object of that key is there, the mark of the
manifest's own object does not say that it came from there, and the key is free: nobody has it, or its object moves away
as well (so keys swap and rotate). A pending move that finds its key occupied is refused, with all that waits for it.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from reconciler.core.matching.index import Index, Managed
from reconciler.core.values import marks
from reconciler.core.values.model import Address, Block, Blocker, Manifest


class Moves:
    """Who claims the keys of a kind, and who leaves them: `pending` has the objects by the key they get.

    `refused` says why others cannot move. `bound` are the ids that manifests name: those objects move by that.
    """

    def __init__(
        self,
        found: Index,
        manifests: Mapping[str, Manifest],
        elsewhere: Container[Address],
        bound: frozenset[str],
    ) -> None:
        self.found = found
        self.manifests = manifests
        self.elsewhere = elsewhere
        self.bound = bound
        self.pending, self.refused = self._asked_for()

    def unbound(self, key: str) -> list[Managed]:
        """The objects of a key that nobody binds by id: those that came there by a move of its manifest first."""
        free = [each for each in self.found.candidates(key) if each.live.id not in self.bound]
        return sorted(free, key=lambda each: not self.has_arrived(key, each)) if len(free) > 1 else free

    def has_arrived(self, key: str, each: Managed) -> bool:
        """Whether an object came to a key by the move that its manifest asks for."""
        former = self.manifests[key].moved_from if key in self.manifests else None
        return former is not None and each.mark.former == marks.key_code(former)

    def arrived(self, key: str) -> list[Managed]:
        """The objects of a key that came there by the move of its manifest."""
        return [each for each in self.unbound(key) if self.has_arrived(key, each)]

    def leaving(self, key: str) -> list[Managed]:
        """The objects of a key that a move may take from it."""
        return [each for each in self.unbound(key) if not self.has_arrived(key, each)]

    def has_manifest(self, key: str) -> bool:
        """Whether a key has a manifest, among these or elsewhere."""
        return key in self.manifests or self._is_elsewhere(key)

    def _is_elsewhere(self, key: str) -> bool:
        return Address(self.found.kind.name, key) in self.elsewhere

    def _asked_for(self) -> tuple[dict[str, Managed], dict[str, Block]]:
        """The moves that are pending, and those that cannot be, both by the key they lead to."""
        asked = {
            key: sources[0]
            for key, manifest in self.manifests.items()
            if manifest.id is None and manifest.moved_from and not self.arrived(key)
            if (sources := self.leaving(manifest.moved_from))
        }
        moves, refused = dict(asked), dict[str, Block]()
        takers: dict[str, str] = {}
        for key in sorted(asked):
            first = takers.setdefault(asked[key].live.id, key)
            if first != key:
                other = self.manifests[first].address
                refused[key] = Block(Blocker.ALREADY_BOUND, f"{moves.pop(key).live.id} already becomes {other}")
        while True:
            left = {self.manifests[key].moved_from for key in moves}
            wrong = [key for key in moves if not self._is_possible(key, moves, left)]
            for key in wrong:
                del moves[key]
            if not wrong:
                break
        while stuck := {
            key: block for key in asked.keys() - moves.keys() - refused.keys() if (block := self._stuck(key, refused))
        }:
            refused |= stuck
        return moves, refused

    def _is_possible(self, key: str, moves: Mapping[str, Managed], left: Container[str | None]) -> bool:
        former, own = self.manifests[key].moved_from or "", self.unbound(key)
        if own and not (len(own) == 1 and key in left):
            return False
        return former in moves or not self.has_manifest(former) or bool(self.arrived(former))

    def _stuck(self, key: str, refused: Mapping[str, Block]) -> Block | None:
        """Why a move that was asked for cannot be; None where it lies in the past."""
        former, own = self.manifests[key].moved_from or "", self.unbound(key)
        if not own:
            return Block(Blocker.ALREADY_BOUND, f"moved_from names {former}, which still has a manifest")
        if former not in self.manifests and self._is_elsewhere(former):
            hint = f"moved_from names {former}, whose manifest is not in this part: apply both at once, or remove it"
            return Block(Blocker.ALREADY_BOUND, hint)
        if self.has_manifest(former) and former not in refused:
            return None
        hint = (
            f"the object of {former} cannot become {key}, which {own[0].live.id} has already: "
            "apply one rename after the other, or remove `moved_from`"
        )
        return Block(Blocker.ALREADY_BOUND, hint)
