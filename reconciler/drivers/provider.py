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

    `requests_per_minute` is one budget for reads and writes together, where the remote counts like that.
    """

    writes_per_minute: int = 300
    reads_per_minute: int = 1000
    requests_per_minute: int | None = None
    concurrency: int = 8
    settle_seconds: float = 30
    timeout_seconds: float = 60


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
class ProviderKind:
    """One kind as this provider serves it; `schema` is a file name below `schemas/`."""

    schema: str
    path: str
    mark_field: str | None = None
    name_field: str | None = None
    prose_field: str | None = None
    created_field: str | None = None
    list: ListStyle = ListStyle()
    update: UpdateStyle = UpdateStyle()
    coupled: tuple[tuple[str, ...], ...] = ()


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
