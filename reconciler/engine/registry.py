"""What several runs of chunks have to agree on: which object an address has, and who is creating one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.core.values.model import Address, LiveObject
from reconciler.diagnostics import Code
from reconciler.drivers.base import RemoteError
from reconciler.engine.state.journal import Attempts


class Overtaken(RemoteError):
    """Another run creates this object, or has done so: this one did not."""

    code = Code.OVERTAKEN


class RegisteredAttempts(Attempts, Protocol):
    """Where creates are taken down before they are sent. `attempt` raises Overtaken where another nonce is there.

    What `made` hears may be kept back until `settle`.
    """

    overtaken: dict[str, str]
    """The nonces of creates that were answered after another run had taken their place, and the ids they made."""

    def settle(self) -> None:
        """Take down every answer that was kept back; `overtaken` is complete then."""
        ...


@dataclass(frozen=True, slots=True)
class KnownAddresses:
    """What is known of some addresses: the ids of their objects, how many seconds until a create may be sent where one
    is under way, and the objects that may be what is asked for: headers with a mark, a name and a content, orphans
    with a sketch."""

    ids: Mapping[Address, tuple[str, ...]] = field(default_factory=dict)
    unsettled: Mapping[Address, float] = field(default_factory=dict)
    alike: tuple[LiveObject, ...] = ()


@dataclass(frozen=True, slots=True)
class LookalikeQuery:
    """What objects of one kind are looked for by: folded names, contents, keys that others may have, and for orphans
    the frames of what may be nearly the same (see `core.likeness`)."""

    names: frozenset[str]
    contents: frozenset[bytes]
    keys: frozenset[str]
    frames: frozenset[bytes] = frozenset()


class ObjectRegistry(Protocol):
    """What all runs on one target know together."""

    def known(self, addresses: Collection[Address], alike: Mapping[str, LookalikeQuery]) -> KnownAddresses:
        """What is known of these addresses, and which objects of each kind are alike. Raises RemoteError."""
        ...

    def attempts(self) -> RegisteredAttempts:
        """Where one run takes down its creates."""
        ...
