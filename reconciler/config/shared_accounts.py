"""Finds targets that share an account, as far as the settings alone show it.

Two targets with one account and one owner would each delete what only the other has a manifest for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TypeAlias
from urllib.parse import urlsplit

from reconciler.config.errors import error
from reconciler.config.message_text import cut
from reconciler.config.schema.schemas import Schemas
from reconciler.config.targets import EnvRef, HeaderValue, Settings, Target
from reconciler.diagnostics import Code, Diagnostic
from reconciler.drivers.provider import Provider

Headers: TypeAlias = frozenset[tuple[str, str]]


def owner_of(settings: Settings, target: Target) -> str | None:
    """Who manages on a target: its own `owner`, or that of the settings."""
    return target.owner or settings.owner


def remote_of(target: Target, provider: Provider) -> str | None:
    """The url of a target in one spelling; None for the embedded server, which has a database for each target."""
    url = target.url or provider.url
    if url is None or provider.embedded:
        return None
    parts = urlsplit(url)
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def targets_at_same_url(settings: Settings, target: Target, schemas: Schemas) -> Iterator[Target]:
    """The other targets at the same url with the same owner. Raises ConfigError for an unknown provider."""
    here = remote_of(target, schemas.provider(target.provider, target.source))
    for other in settings.targets.values():
        there = remote_of(other, schemas.provider(other.provider, other.source))
        same = here is not None and here == there and owner_of(settings, target) == owner_of(settings, other)
        if same and other.name != target.name:
            yield other


def shared_accounts(settings: Settings, schemas: Schemas) -> Iterator[Diagnostic]:
    """A problem for each target that sends the same credentials to the same url as one before it, with one owner."""
    first: dict[tuple[str, str | None, Headers], Target] = {}
    for target in settings.targets.values():
        provider = schemas.provider(target.provider, target.source)
        if (remote := remote_of(target, provider)) is None:
            continue
        one = first.setdefault((remote, owner_of(settings, target), _written(target, provider)), target)
        if one is not target:
            yield shared(settings, one, target, "both send the same credentials to the same url")


def shared(settings: Settings, one: Target, other: Target, why: str) -> Diagnostic:
    """The problem of two targets that have one account and one owner; `why` says how that is known."""
    owner = owner_of(settings, other) or "team"
    summary = f"the targets {one.name} and {other.name} share an account and the owner {cut(owner)}: {why}"
    new = f"{owner}-{other.name}"[:32].rstrip("._-")
    hint = (
        f"write `owner: {new}` into the target {other.name}; for existing objects: `reconciler --target "
        f"{other.name} takeover --from {owner}`"
    )
    return error(Code.SHARED_ACCOUNT, summary, other.source, hint=hint)


def _written(target: Target, provider: Provider) -> Headers:
    """The headers that may decide which account answers, as the settings have them; secrets by their variables."""
    written = [(name.lower(), _header(value)) for name, value in target.headers.items()]
    for name, spec in provider.credentials.items():
        reference = target.credentials.get(name)
        if variable := reference.name if reference else spec.env:
            written.append((spec.header.lower(), f"!env {variable}"))
    return frozenset(written)


def _header(value: HeaderValue) -> str:
    if isinstance(value, EnvRef):
        return f"!env {value.name}"
    return json.dumps(value, sort_keys=True) if isinstance(value, Mapping) else value
