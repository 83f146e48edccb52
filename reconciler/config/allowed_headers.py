"""Decides which HTTP headers a file may set: those the provider lists, and those the environment allows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from reconciler.config.errors import ConfigError, error
from reconciler.config.message_text import cut, listed
from reconciler.core.values.model import Json
from reconciler.diagnostics import Code, Source
from reconciler.drivers.credentials.allow_lists import HEADERS, allow_hint, allow_list
from reconciler.drivers.credentials.header_shapes import URL, UnknownMember, fitted_value, is_never_sent
from reconciler.drivers.provider import HeaderShape, Provider

# Headers whose value is a secret wherever they are met; more names than that would refuse what is none.
_SECRET: Final = ("authorization", "cookie", "api-key")


def header_text(
    provider: Provider, name: str, value: str | Mapping[str, Json], environment: Mapping[str, str], place: Source | None
) -> str:
    """What is sent for a header whose value is known. Raises ConfigError, never with the value in it."""
    if not check_name(provider, name, environment, place):
        return value if isinstance(value, str) else json.dumps(value)
    shape = provider.allowed_headers[name.lower()]
    try:
        return fitted_value(shape, value)[0]
    except ValueError as wrong:
        lifted = name.lower() in _named(environment) and not (shape.host or shape.members)
        if lifted and isinstance(value, str):
            return value
        hint = f"expected {_expected(shape)}"
        if not (shape.host or shape.members):
            hint += f"; for any other text set {allow_hint(environment, HEADERS, name)} in the environment"
        if isinstance(wrong, UnknownMember) and wrong.name in provider.credentials:
            hint = f"keys go under `credentials:` of the target, as `!env NAME`: {', '.join(provider.credentials)}"
            hint += "; or save the config with its keys at the gateway and use its name, `pc-…`"
        raise ConfigError([error(Code.HEADER_REFUSED, f"the header {cut(name)} {wrong}", place, hint=hint)]) from None


def check_name(provider: Provider, name: str, environment: Mapping[str, str], place: Source | None) -> bool:
    """Whether the provider has a shape for a header that may be set. Raises ConfigError for one that may not."""
    if is_never_sent(name):
        summary = f"the header {cut(name)} cannot be set"
        hint = "remove it: it controls the connection, the body or the route of a request"
        raise ConfigError([error(Code.HEADER_REFUSED, summary, place, hint=hint)])
    if name.lower() in provider.allowed_headers:
        return True
    if name.lower() in _named(environment):
        return False
    summary = f"the header {cut(name)} is not in the list of {provider.name}"
    more = allow_hint(environment, HEADERS, name)
    hint = f"if it is safe with any value, set {more} in the environment (not in these files)"
    if credential := next((key for key, it in provider.credentials.items() if it.header.lower() == name.lower()), None):
        hint = f"write `credentials: {{{credential}: !env NAME}}`"
    raise ConfigError([error(Code.HEADER_REFUSED, summary, place, hint=hint)])


def is_secret(provider: Provider, name: str) -> bool:
    """Whether the value of a header is a secret, which no file may hold."""
    carriers = {each.header.lower() for each in provider.credentials.values()} - provider.allowed_headers.keys()
    return name.lower() in carriers or name.lower().replace("_", "-").endswith(_SECRET)


def _named(environment: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name.lower() for name in allow_list(environment, HEADERS))


def _expected(shape: HeaderShape) -> str:
    if shape.host:
        return "https://HOST/…" if shape.host == URL else "one name, without dots"
    texts = [f"text like {shape.matches}"] if shape.matches else []
    known = "any names" if "*" in shape.members else ", ".join(shape.members)
    return listed([*texts, *([f"an object of {known}"] if shape.members else [])])
