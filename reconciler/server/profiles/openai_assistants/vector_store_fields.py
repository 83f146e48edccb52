"""The request bodies of vector stores, of their files and batches, and of a search: fields and limits.

Facts are those of the vendor's published spec and of recorded answers.
"""

from typing import Any

from reconciler.server.body_validation import (
    Check,
    array,
    bounded_map,
    choice,
    integer,
    missing,
    nullable,
    scalar,
    string_map,
    struct,
    text,
)
from reconciler.server.body_validation import variants as one_of
from reconciler.server.wire import Json, Refusal

Body = dict[str, Any]

_METADATA = string_map(16, 64, 512)
ATTRIBUTES = bounded_map(16, 64, scalar(512))
_EXPIRY = struct(
    {"anchor": choice("last_active_at"), "days": integer(1, 365)},
    required=("anchor", "days"),
)
_STATIC = struct(
    {"max_chunk_size_tokens": integer(100, 4096), "chunk_overlap_tokens": integer(0, 2048)},
    required=("max_chunk_size_tokens", "chunk_overlap_tokens"),
)


def _static(value: Json, path: str) -> Any:
    checked = _STATIC(value, path)
    if checked["chunk_overlap_tokens"] * 2 > checked["max_chunk_size_tokens"]:
        where = f"{path}.chunk_overlap_tokens"
        message = f"Invalid '{where}': the overlap may not exceed half of 'max_chunk_size_tokens'."
        raise Refusal(message, param=where, code="invalid_value")
    return checked


CHUNKING = one_of(
    {
        "auto": struct({"type": text()}),
        "static": struct({"type": text(), "static": _static}, required=("static",)),
    }
)
_CREATE = struct(
    {
        "name": text(),
        "description": text(),
        "file_ids": array(text(), 500),
        "expires_after": _EXPIRY,
        "chunking_strategy": CHUNKING,
        "metadata": nullable(_METADATA),
    }
)
_MODIFY = struct({"name": nullable(text()), "expires_after": nullable(_EXPIRY), "metadata": nullable(_METADATA)})
_OPTIONS: dict[str, Check] = {"chunking_strategy": CHUNKING, "attributes": nullable(ATTRIBUTES)}
_ATTACH = struct({"file_id": text(), **_OPTIONS}, required=("file_id",))
_UPDATE = struct({"attributes": nullable(ATTRIBUTES)}, required=("attributes",))
_BATCH = struct({"file_ids": array(text(), 2000, 1), "files": array(_ATTACH, 2000, 1), **_OPTIONS})


def checked_create(body: Json) -> Body:
    """The body of a new vector store."""
    checked: Body = _CREATE(body, "")
    return checked


def checked_modify(body: Json) -> Body:
    """The body of a change of a vector store: its description and its chunking cannot be changed."""
    checked: Body = _MODIFY(body, "")
    return checked


def checked_attach(body: Json) -> Body:
    """The body that attaches one file."""
    checked: Body = _ATTACH(body, "")
    return checked


def checked_attributes(body: Json) -> Body:
    """The new attributes of an attached file, the only thing of it that can be changed."""
    checked: Body = _UPDATE(body, "")
    return checked["attributes"] or {}


def checked_batch(body: Json) -> list[Body]:
    """The files that a batch attaches, each as one attach would say it."""
    checked: Body = _BATCH(body, "")
    if "files" in checked and "file_ids" in checked:
        message = "Invalid 'files': only one of 'file_ids' and 'files' may be given."
        raise Refusal(message, param="files", code="invalid_value")
    if "files" in checked:  # each says everything itself; what the batch says is ignored
        return list(checked["files"])
    if "file_ids" not in checked:
        raise missing("file_ids")
    options = {name: checked[name] for name in _OPTIONS if name in checked}
    return [{"file_id": id} | options for id in checked["file_ids"]]


def chunking_shown(sent: Body | None) -> Body:
    """A chunking strategy as the server shows it: `auto` comes back as the static one it stands for."""
    if sent is None or sent["type"] == "auto":
        return {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
    return sent
