"""Manifests, live objects and changes as plain values.

Plain frozen values, no behaviour beyond what their names say. A plan holds no clock, no closure and no
secret, so that the same inputs give the same bytes and a plan can be saved, read elsewhere and applied.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeAlias

from reconciler.diagnostics import Source

Json: TypeAlias = Any
"""A JSON value: null, bool, int, finite float, str, list or dict with string keys."""
Body: TypeAlias = dict[str, Json]
"""One object as the remote spells it."""
MAX_KEY: Final = 128
"""The most characters of a key."""
_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")
Path: TypeAlias = tuple[str | int, ...]
"""Where a value stands inside a body; never a dotted string, because keys may contain dots."""
Unit: TypeAlias = tuple[str, ...]
"""The grain of ownership: `("temperature",)`, or `("metadata", "team")` for one entry of a granular map."""


class Absent:
    """The type of `ABSENT`: no value at all, as opposed to null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


def is_key(text: str) -> bool:
    """Whether a text can be a key: parts joined by slashes, none of which could lead out of a directory."""
    return len(text) <= MAX_KEY and _KEY.fullmatch(text) is not None


class Address(NamedTuple):
    """The name of a resource, `kind/key`; sorts by kind, then key."""

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.key}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `kind/key`. Raises ValueError when there is no slash."""
        kind, slash, key = text.partition("/")
        if not (kind and slash and key):
            raise ValueError(f"not an address: {text!r} (expected KIND/KEY)")
        return cls(kind, key)


class OnRemove(StrEnum):
    """What happens to the object when its manifest leaves the files."""

    DELETE = "delete"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The units a manifest manages, sorted, and a digest of what they mean: see `fingerprint`."""

    units: tuple[Unit, ...]
    digest: bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """The desired body of one resource and what its `reconciler:` block says.

    `places` gives the position of every value by its path in the body; the empty path is the document.
    A text that came from `!file` has its place in that file. `refs` says where the body refers to other resources,
    `renew` that another object takes the place of one that has expired. `fingerprint` is known where bodies and places
    are not kept, but read again when somebody asks.
    """

    address: Address
    body: Mapping[str, Json]
    source: Source
    places: Mapping[Path, Source] = field(default_factory=dict)
    id: str | None = None
    protect: bool = False
    on_remove: OnRemove | None = None
    ignore: frozenset[str] = frozenset()
    initial: frozenset[str] = frozenset()
    moved_from: str | None = None
    same_name_allowed: bool = False
    refs: Mapping[Path, Address] = field(default_factory=dict)
    fingerprint: Fingerprint | None = field(default=None, compare=False)
    renew: bool = False

    def place(self, path: Path) -> Source:
        """The position of the value at `path`, or of its nearest enclosing value."""
        for length in range(len(path), -1, -1):
            if found := self.places.get(path[:length]):
                return found
        return self.source


@dataclass(frozen=True, slots=True)
class LiveObject:
    """One object as the remote showed it; `created` is the remote's own time stamp (0 if none).

    `body` is verbatim. Of an object that needs nothing, or is not ours, only a header may be kept: its name and the
    fields that refer to others in `body`, what its mark says in `mark`, `content` (see `index.content_of`), and of an
    orphan `sketch` (see `likeness.sketch_of`).
    `in_sync` is the `fingerprint` that it shares with its manifest.
    """

    kind: str
    id: str
    body: Body
    created: float = 0
    in_sync: bool = False
    mark: Any = field(default=None, compare=False)
    content: bytes | None = field(default=None, compare=False)
    sketch: Any = field(default=None, compare=False)


class Action(StrEnum):
    """What is to be done with one resource."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    ADOPT = "adopt"
    MOVE = "move"
    RELEASE = "release"
    NOOP = "noop"


class Reason(StrEnum):
    """Why. An open enumeration: it explains and never steers, and readers must tolerate values they do not know."""

    NEW = "new"
    CHANGED = "changed"
    EDITED = "edited"
    DRIFTED = "drifted"
    CONFLICT = "conflict"
    REMOVED = "removed"
    COUPLED = "coupled"
    MARK = "mark"
    BOUND = "bound"
    MOVED = "moved"
    ORPHAN = "orphan"
    DUPLICATE = "twin"
    RELEASED = "released"
    GONE = "gone"
    TAKEOVER = "takeover"
    ROLLBACK = "rollback"
    REPLACE = "replaced"
    REPLACED = "superseded"
    EXPIRED = "expired"


class Removal(StrEnum):
    """Why an object goes: its manifest is gone, it is one too many of its address, or another takes its place."""

    ORPHAN = "orphan"
    DUPLICATE = "duplicate"
    REPLACED = "replaced"


class Blocker(StrEnum):
    """What keeps a change from being applied."""

    PROTECT = "protect"
    GUARD = "guard"
    SAME_NAME = "same-name"
    SAME_CONTENT = "same-content"
    FOREIGN_OWNER = "foreign-owner"
    READ_ONLY_MARK = "read-only-mark"
    PROBABLE_RENAME = "probable-rename"
    NO_SUCH_ID = "no-such-id"
    METADATA_FULL = "metadata-full"
    ALREADY_BOUND = "already-bound"
    CLONE = "copy"
    DUPLICATE = "duplicate"
    IMMUTABLE = "immutable"
    CONFLICT = "conflict"
    DRIFT = "drift"
    POLICY = "policy"
    DEPENDENCY = "dependency"
    IN_USE = "in-use"
    INEXPRESSIBLE = "inexpressible"
    UNRESOLVED = "unresolved"
    UNPROVEN = "unproven"
    PRUNE = "prune"


@dataclass(frozen=True, slots=True)
class Block:
    """Why a change is refused, and the line to write or run to allow it."""

    by: Blocker
    hint: str


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One differing place inside a resource, for people: `ABSENT` where there is no value on that side."""

    path: Path
    before: Json
    after: Json
    reason: Reason
    source: Source | None = None
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One resource's difference; `number` is its place in the plan, which `needs` and outcomes name it by.

    `patch` is the request body, exactly; `units` names the units of it that are written (a whole map may be sent
    although one entry of it is ours). `expects` digests what those units, and the mark, were compared with; of a delete
    the empty unit stands for the whole object. `seals` digests what is written where a sealed plan has no patch.
    `refs` are places of the patch for ids that are known once other changes are done; `needs` are further changes that
    come first. `removal` says why an object is deleted, `replaces` whose place a new one takes, `former_owner` from
    whom it is taken over.
    """

    address: Address
    action: Action
    id: str | None = None
    reasons: tuple[Reason, ...] = ()
    source: Source | None = None
    fields: tuple[FieldChange, ...] = ()
    units: tuple[Unit, ...] = ()
    patch: Body | None = None
    expects: Mapping[Unit, str] = field(default_factory=dict)
    blocked: Block | None = None
    seals: Mapping[Unit, str] = field(default_factory=dict)
    refs: tuple[tuple[Path, Address], ...] = ()
    needs: tuple[int, ...] = ()
    number: int = 0
    removal: Removal | None = None
    replaces: tuple[str, ...] = ()
    same_name_allowed: bool = False
    former_owner: str | None = None

    @property
    def is_due(self) -> bool:
        """Whether apply carries it out."""
        return self.blocked is None and self.action is not Action.NOOP

    @property
    def is_removal(self) -> bool:
        """Whether it ends our management of an object, and nothing takes its place: what the guard counts."""
        return self.removal in (Removal.ORPHAN, Removal.DUPLICATE)
