"""Provider data as values: the typed form of `schemas/providers/*.yaml`.

Facts about an API live in those data files; `rest.py` is the code that follows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from reconciler.core.values.model import Json

Query: TypeAlias = Mapping[str, str | list[str]]
"""The query of a request; a name with a list is repeated for each of its values."""


@dataclass(frozen=True, slots=True)
class Credential:
    """One secret of a target: the header it travels in, how it is written there, and where it comes from by default.

    Where neither the target nor the environment has it, a token for `entra_scope` is asked for: see `entra.py`.
    `of_project` is one that a file of the project writes: not even its own variable is read without a word for it.
    """

    header: str
    format: str = "{}"
    env: str | None = None
    required: bool = False
    entra_scope: str | None = None
    of_project: bool = False

    @property
    def own(self) -> str | None:
        """The variable that settings may name for it without a word of the environment."""
        return None if self.of_project else self.env


@dataclass(frozen=True, slots=True)
class Limits:
    """Request budgets of one credential. `settle_seconds` is how long a list may lag behind a write.

    `requests_per_minute` is one budget for reads and writes together, where the remote counts like that.
    `attaches_per_minute` are the requests about members of one object, `members_per_minute` the members that are put
    into all of them; `indexing_seconds` is how long an apply waits until new members are ready. An object that was
    read more than `fresh_seconds` ago is read again before it is written.
    """

    writes_per_minute: int = 300
    reads_per_minute: int = 1000
    requests_per_minute: int | None = None
    concurrency: int = 8
    settle_seconds: float = 30
    fresh_seconds: float = 5
    timeout_seconds: float = 60
    uploads_per_minute: int = 1000
    attaches_per_minute: int = 300
    members_per_minute: int = 2000
    indexing_seconds: float = 600


@dataclass(frozen=True, slots=True)
class ListStyle:
    """How every object of a kind is read, and what tells where the next page begins.

    `after`: the id of the last object seen; `more` says whether others follow. `last`: the same, where nothing says
    whether, and an empty page ends the list. `page`: an opaque token that the answer
    has at `more`, null on the last page. `offset`: how many objects come before. `time`, newest first: up to when the
    last object seen was made, itself included. The two last ones end with a page that shows nothing new.

    `items` and `more` are dotted paths in the response; empty, the response itself. `cursor` and `size` are parameters
    of the query or, with `verb: POST`, of the body; every request has `query`. Without `path`, it is the path of the
    kind. `oldest_first` is merged into `query` to read the list in reverse. It is only set if the list is sorted by the
    kind's `created_field`, newest first with `query` alone: then several pages can be read at the same time. If a list
    shows `summaries`, every object is read by itself.
    """

    style: Literal["after", "last", "page", "offset", "time"] = "after"
    verb: Literal["GET", "POST"] = "GET"
    path: str | None = None
    items: str = "data"
    more: str = "has_more"
    cursor: str = "after"
    size: str = "limit"
    limit: int = 100
    query: Query = field(default_factory=dict)
    oldest_first: Mapping[str, str] = field(default_factory=dict)
    summaries: bool = False


@dataclass(frozen=True, slots=True)
class CreateStyle:
    """How an object is made: with an id of our choosing where `id_field` takes one, and with some `fields` always.

    A create that says its id can be repeated where `fields` ask the remote for the object that has it already. Where
    the answer has the id alone, the object is `read_back`.
    """

    path: str | None = None
    id_field: str | None = None
    fields: Mapping[str, Json] = field(default_factory=dict)
    read_back: bool = False


@dataclass(frozen=True, slots=True)
class UpdateStyle:
    """How a modify request is understood.

    `nested` says what happens to the parts of an object value that a request leaves out: they go (`replace`), stay
    (`merge`), or nobody knows (`unknown`: then parts to be cleared are sent explicitly, which is right either way).
    `absent` says the same of whole fields. Maps owned entry by entry are sent `whole`, foreign entries included, or
    entry by entry where the remote merges them: with null for those that go (`patch`), or, where nothing takes an entry
    out, with what the kind's schema gives as `x-on-remove` for entries (`merge`).

    `lock` names a field that counts versions: it is sent back, so that the remote refuses a write to an object that has
    changed since it was read.
    """

    verb: Literal["POST", "PATCH", "PUT"] = "POST"
    nested: Literal["replace", "merge", "unknown"] = "unknown"
    absent: Literal["keep", "clear"] = "keep"
    maps: Literal["whole", "patch", "merge"] = "whole"
    lock: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteStyle:
    """How an object is removed.

    Where nothing can be deleted, `archive` is the route below the object that archives it (by POST), and
    `archived_field` the field that is null on objects that are live.
    """

    archive: str | None = None
    archived_field: str | None = None


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

    `id_field` names the member inside an entry, `status_field` how far the remote is with it: ready where it says
    `done`, still at work where it says one of `waiting`; any other word is a failure. Of a member that is in, only the
    fields in `modifiable` can be changed; `sent` are the fields that are sent when it is put in. `filter` is the
    parameter that lists one status.
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

    `headers` go with its requests alone. `id_field` is where an object has its id; `envelope` is where an answer about
    one object has it (empty: everywhere). `created_field` holds Unix seconds, or a time as RFC 3339 writes it.
    `upload` says that its objects are files, `members` which fields are collections, `expired` which field and value
    tell that an object's time is over. `ids_of` names fields that take ids, and for each the field that shows the
    objects themselves.
    """

    schema: str
    path: str
    mark_field: str | None = None
    name_field: str | None = None
    prose_field: str | None = None
    created_field: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    id_field: str = "id"
    ids_of: Mapping[str, str] = field(default_factory=dict)
    envelope: str = ""
    list: ListStyle = ListStyle()
    create: CreateStyle = CreateStyle()
    update: UpdateStyle = UpdateStyle()
    delete: DeleteStyle = DeleteStyle()
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
class HeaderShape:
    """What the settings may say in a header.

    Text that all of `matches` fits; with `host`, a `url` that may get the credentials, or a name that a gateway makes
    a host of, where `{}` stands; with `members`, a JSON object of these, at any depth (`*`: of any name), each of whose
    texts has the member's own shape. `needs` says for a text what has to stand beside it, one of these at least.
    """

    matches: str | None = None
    host: str | None = None
    members: Mapping[str, HeaderShape] = field(default_factory=dict)
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_place(self) -> bool:
        """Whether it is itself a text that decides where the credentials go on to."""
        return self.host is not None or bool(self.needs)

    @property
    def hosts(self) -> bool:
        """Whether it can say where a gateway sends the credentials on to."""
        return self.host is not None or any(each.hosts or each.needs for each in self.members.values())


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider. `hosts` are those its credentials are meant for, and `base_path`, a regular expression, is what the
    path of a target's url may be besides that of `url`; `embedded` names a profile of the embedded server.

    `query` goes with every request. `unknown_route` is what a 404 says when the path, and not an object, is unknown;
    `not_found_field` is where a 404 about an object says so (without it: an object `error`). `account_header` names the
    account that a credential belongs to. `retried_header` tells how often a gateway sent a request again by itself,
    `route_header` which of several upstreams answered; `route_config` is the header that takes a gateway's routing, and
    `route_options` the member of it that lists upstreams. `trace_header` takes the run's id.
    `allowed_headers`, by their names in lower case, are those that the settings may say.
    """

    name: str
    kinds: Mapping[str, ProviderKind]
    url: str | None = None
    base_path: str | None = None
    hosts: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Query = field(default_factory=dict)
    credentials: Mapping[str, Credential] = field(default_factory=dict)
    limits: Limits = Limits()
    reads: ReadStyle = ReadStyle()
    unknown_route: str | None = None
    not_found_field: str | None = None
    account_header: str | None = None
    retried_header: str | None = None
    route_header: str | None = None
    route_config: str | None = None
    route_options: str | None = None
    trace_header: str | None = None
    allowed_headers: Mapping[str, HeaderShape] = field(default_factory=dict)
    embedded: str | None = None


def default_kind(provider: Provider) -> str:
    """The kind of a manifest that names none."""
    return next(iter(provider.kinds)) if len(provider.kinds) == 1 else "assistant"
