"""How a remote speaks: the typed form of `schemas/providers/*.yaml`.

Facts about an API live in those data files; `rest.py` is the code that follows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Credential:
    """One secret of a target: the header it travels in, how it is written there, and where it comes from by default."""

    header: str
    format: str = "{}"
    env: str | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Request budgets of one credential. `settle_seconds` is how long a list may lag behind a write.

    `attaches_per_minute` counts for each object with members by itself; `indexing_seconds` is how long an apply waits
    until new members are ready.
    """

    writes_per_minute: int = 300
    reads_per_minute: int = 1000
    concurrency: int = 8
    settle_seconds: float = 30
    timeout_seconds: float = 60
    uploads_per_minute: int = 1000
    attaches_per_minute: int = 300
    indexing_seconds: float = 600


@dataclass(frozen=True, slots=True)
class ListStyle:
    """How every object of a kind is read: a cursor that is the id of the last object seen (`after`)."""

    style: Literal["after"] = "after"
    items: str = "data"
    more: str = "has_more"
    cursor: str = "after"
    limit: int = 100
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UpdateStyle:
    """How a modify request is understood.

    `nested` says what happens to the parts of an object value that a request leaves out: they go (`replace`), stay
    (`merge`), or nobody knows (`unknown`: then parts to be cleared are sent explicitly, which is right either way).
    Maps owned entry by entry are always sent whole, foreign entries included.
    """

    verb: Literal["POST", "PATCH"] = "POST"
    nested: Literal["replace", "merge", "unknown"] = "unknown"


@dataclass(frozen=True, slots=True)
class UploadStyle:
    """How a file is made: as part `part` of a form. `name` and `size` are the fields that show it again.

    `source`, `digest` and `content` are fields of ours: where the file is, the SHA-256 of all of it, and what of that
    its name keeps. `labels` are kept on each membership instead; `fields` are sent unless a manifest says otherwise.
    """

    part: str = "file"
    source: str = "source"
    digest: str = "sha256"
    content: str = "content"
    name: str = "filename"
    size: str = "bytes"
    labels: str = "attributes"
    fields: Mapping[str, str] = field(default_factory=dict)
    max_bytes: int = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class MembersStyle:
    """How a collection inside an object is spoken to; its members are objects of the kind `of`.

    See `core.semantics.Members` for states and fields. `filter` is the parameter that lists one status.
    """

    of: str
    path: str
    batch_path: str
    batch_items: str
    batch_limit: int
    id_field: str
    status_field: str
    done: str
    waiting: tuple[str, ...]
    failed: tuple[str, ...]
    modifiable: tuple[str, ...]
    sent: tuple[str, ...]
    filter: str = "filter"
    error_field: str = "last_error"
    list: ListStyle = ListStyle()


@dataclass(frozen=True, slots=True)
class ProviderKind:
    """One kind as this provider serves it; `schema` is a file name below `schemas/`.

    `upload` says that its objects are files, `members` which fields are collections, `expired` which field and value
    tell that an object's time is over.
    """

    schema: str
    path: str
    mark_field: str | None = None
    name_field: str | None = None
    prose_field: str | None = None
    created_field: str | None = None
    list: ListStyle = ListStyle()
    update: UpdateStyle = UpdateStyle()
    coupled: tuple[tuple[str, ...], ...] = ()
    upload: UploadStyle | None = None
    members: Mapping[str, MembersStyle] = field(default_factory=dict)
    expired: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ReadStyle:
    """What a fresh read takes: headers that ask a gateway not to answer from a cache, and answers that say it did."""

    headers: Mapping[str, str] = field(default_factory=dict)
    refuse: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider. `hosts` are those its credentials are meant for; `embedded` names a profile of the embedded server.

    `unknown_route` is what a 404 says when the path, and not an object, is unknown. `account_header` names the account
    that a credential belongs to. `retried_header` tells how often a gateway sent a request again by itself,
    `route_header` which of several upstreams answered. `trace_header` takes the run's id; `host_headers` can send a
    credential to another host.
    """

    name: str
    kinds: Mapping[str, ProviderKind]
    url: str | None = None
    hosts: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, Credential] = field(default_factory=dict)
    limits: Limits = Limits()
    reads: ReadStyle = ReadStyle()
    unknown_route: str | None = None
    account_header: str | None = None
    retried_header: str | None = None
    route_header: str | None = None
    trace_header: str | None = None
    host_headers: tuple[str, ...] = ()
    embedded: str | None = None
