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
    Reason.COUPLED: "sent along: accepted only with the others",
    Reason.ROLLBACK: "",
    Reason.MARK: "",
}

CHANGE_REASONS: Final[Mapping[str, str]] = {
    Reason.MARK: "only its mark changes",
    Reason.BOUND: "bound by id: managed from now on",
    Reason.MOVED: "same object, new key",
    Reason.ORPHAN: "no manifest any more",
    Reason.DUPLICATE: "a duplicate, made when two applies ran at once",
    Reason.RELEASED: "stays, and is no longer managed",
    Reason.GONE: "it was deleted outside these files",
    Reason.TAKEOVER: "taken over from another owner",
    Reason.ROLLBACK: "put back as it was",
    Reason.REPLACE: "other content",
    Reason.REPLACED: "another has taken its place",
    Reason.EXPIRED: "the earlier one has expired",
}

SIGNED: Final = "its mark is written anew: signed, where a key is set"
"""The reason of a takeover from the owner here."""

BLOCKERS: Final[Mapping[str, str]] = {
    Blocker.PROTECT: "protected",
    Blocker.UNPROVEN: "nothing proves that it is ours",
    Blocker.PRUNE: "nothing is pruned here",
    Blocker.GUARD: "too many deletes",
    Blocker.SAME_NAME: "the name is taken",
    Blocker.SAME_CONTENT: "perhaps it exists already",
    Blocker.FOREIGN_OWNER: "managed by another owner",
    Blocker.READ_ONLY_MARK: "its mark is of a newer version",
    Blocker.PROBABLE_RENAME: "probably renamed",
    Blocker.NO_SUCH_ID: "no object has this id",
    Blocker.METADATA_FULL: "metadata is full",
    Blocker.ALREADY_BOUND: "already bound",
    Blocker.CLONE: "it has a copy",
    Blocker.DUPLICATE: "perhaps made by others",
    Blocker.IMMUTABLE: "can only be set at create",
    Blocker.CONFLICT: "changed here and outside these files",
    Blocker.DRIFT: "changed outside these files",
    Blocker.POLICY: "against a policy",
    Blocker.DEPENDENCY: "what it refers to is missing",
    Blocker.IN_USE: "still in use",
    Blocker.INEXPRESSIBLE: "no request can do it",
    Blocker.UNRESOLVED: "perhaps it was created already",
}
