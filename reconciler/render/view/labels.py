"""Words for actions, reasons and blockers. Unknown ones are shown as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reconciler.core.values.model import Action, Blocker, Reason

MARKERS: Final[Mapping[str, str]] = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.DELETE: "-",
    Action.ADOPT: "→",
    Action.MOVE: "→",
    Action.RELEASE: "→",
}
BLOCKED_MARKER: Final = "!"

FIELD_REASONS: Final[Mapping[str, str]] = {
    Reason.NEW: "",
    Reason.CHANGED: "",
    Reason.EDITED: "",
    Reason.DRIFTED: "drifted: changed outside these files",
    Reason.CONFLICT: "conflict: changed here and outside these files",
    Reason.REMOVED: "removed: no longer in the file",
    Reason.COUPLED: "sent along: the API accepts these fields only together",
    Reason.ROLLBACK: "",
    Reason.MARK: "",
}

CHANGE_REASONS: Final[Mapping[str, str]] = {
    Reason.MARK: "only its mark changes",
    Reason.BOUND: "bound by id: now managed",
    Reason.MOVED: "same object, new key",
    Reason.ORPHAN: "no longer has a manifest",
    Reason.DUPLICATE: "a duplicate, made when two applies ran at once",
    Reason.RELEASED: "stays, no longer managed",
    Reason.GONE: "it was deleted, or lost its mark, outside these files",
    Reason.TAKEOVER: "taken over from another owner",
    Reason.ROLLBACK: "restored to its earlier state",
    Reason.REPLACE: "content changed",
    Reason.REPLACED: "replaced by another object",
    Reason.EXPIRED: "the earlier one has expired",
}

SIGNED: Final = "its mark is written again, signed if a key is set"
"""The reason of a takeover from the owner here."""

BLOCKERS: Final[Mapping[str, str]] = {
    Blocker.PROTECT: "protected",
    Blocker.UNPROVEN: "ownership is not proven",
    Blocker.PRUNE: "pruning is off",
    Blocker.GUARD: "too many deletes",
    Blocker.SAME_NAME: "the name is taken",
    Blocker.SAME_CONTENT: "may exist already",
    Blocker.FOREIGN_OWNER: "managed by another owner",
    Blocker.READ_ONLY_MARK: "its mark is of a newer version",
    Blocker.PROBABLE_RENAME: "probably renamed",
    Blocker.NO_SUCH_ID: "no object has this id",
    Blocker.METADATA_FULL: "metadata is full",
    Blocker.ALREADY_BOUND: "already bound",
    Blocker.CLONE: "it has a copy",
    Blocker.DUPLICATE: "may belong to others",
    Blocker.IMMUTABLE: "can only be set at create",
    Blocker.CONFLICT: "changed here and outside these files",
    Blocker.DRIFT: "changed outside these files",
    Blocker.POLICY: "violates a policy",
    Blocker.DEPENDENCY: "what it refers to is missing",
    Blocker.IN_USE: "still in use",
    Blocker.INEXPRESSIBLE: "the API has no request for it",
    Blocker.UNRESOLVED: "may have been created already",
}
