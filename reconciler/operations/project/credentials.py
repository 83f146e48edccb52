"""What the environment keeps secret: the headers and credentials of requests to a target, and the keys of marks."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from hashlib import blake2s
from secrets import token_hex
from typing import Final

from reconciler.config.allowed_headers import header_text
from reconciler.config.env_values import is_given, resolve
from reconciler.config.errors import ConfigError, error, install_hint
from reconciler.config.targets import EnvRef, Target
from reconciler.diagnostics import Code, Source
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.credentials.credential_hosts import refuse_host
from reconciler.drivers.credentials.expiring_credential import ExpiringCredential
from reconciler.drivers.gateway_routes import has_several_routes
from reconciler.drivers.provider import Limits, Provider

MARK_KEY: Final = "RECONCILER_MARK_KEY"
"""A secret of whoever applies: from the environment, and from nowhere else."""
SHORTEST_MARK_KEY: Final = 32
"""Characters of a key: those of 128 random bits in hexadecimal."""


def connection_to(
    provider: Provider, target: Target, url: str, limits: Limits, environment: Mapping[str, str]
) -> ConnectionSettings:
    """How to reach a target. Raises ConfigError for a missing credential, and for one that its host may not get."""
    headers = {name.lower(): text for name, text in provider.headers.items()}
    sent, secrets = headers_of(provider, target, environment)
    headers |= sent
    for name, secret in _credentials(provider, target, environment):
        spec = provider.credentials[name]
        headers[spec.header.lower()] = spec.format.format(secret)
        secrets.append(secret)
    for name, text in (*headers.items(), *(pair for kind in provider.kinds.values() for pair in kind.headers.items())):
        if has_several_routes(provider, name, text):
            summary = f"the header {name} of the target {target.name} routes to several upstreams"
            hint = "choose one upstream: each has its own objects"
            raise ConfigError([error(Code.INVALID_SETTINGS, summary, target.source, hint=hint)])
    problem = refuse_host(provider, url, headers, environment, target.source)
    if problem and not provider.embedded:
        raise ConfigError([problem])
    if provider.trace_header and provider.trace_header.lower() not in headers:
        headers[provider.trace_header] = f"reconciler-{token_hex(8)}"
    return ConnectionSettings(
        url,
        headers,
        tuple(secrets),
        limits.timeout_seconds,
        limits.reads_per_minute,
        limits.writes_per_minute,
        limits.requests_per_minute,
        _renewed(provider, target, headers),
    )


def credential_name(connection: ConnectionSettings) -> str:
    """The same for all who share a credential and with it the limits of the remote; it does not tell the credential."""
    identity = json.dumps([connection.url, sorted(connection.secrets)])
    return blake2s(identity.encode(), person=b"gate").hexdigest()[:16]


def headers_of(provider: Provider, target: Target, environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The headers of the settings, by their names in lower case, and the secrets in them. Raises ConfigError."""
    headers: dict[str, str] = {}
    secrets: list[str] = []
    for name, value in target.headers.items():
        if isinstance(value, EnvRef):
            secret = resolve(environment, value)
            headers[name.lower()] = header_text(provider, name, secret, environment, value.source)
            secrets += {secret, headers[name.lower()]}
        else:
            headers[name.lower()] = header_text(provider, name, value, environment, target.source)
    return headers, secrets


def known_secrets(provider: Provider, target: Target, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The secrets of a target that the environment has, whatever is wrong with others: to be masked, not to be sent."""
    place = target.source or Source("environment", 1, 1)
    named = [each for each in (*target.headers.values(), *target.credentials.values()) if isinstance(each, EnvRef)]
    named += [EnvRef(each.env, place, target.name, "headers.any") for each in provider.credentials.values() if each.env]
    found = []
    for reference in named:
        with suppress(ConfigError):
            found.append(resolve(environment, reference, reference.name))
    return tuple(found)


def _credentials(provider: Provider, target: Target, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The secrets of the target: those the settings name, else those in the provider's own variables."""
    for name, spec in provider.credentials.items():
        if reference := target.credentials.get(name):
            yield name, resolve(environment, reference, spec.own)
        elif spec.env and is_given(environment, spec.env):
            place = target.source or Source("environment", 1, 1)
            yield name, resolve(environment, EnvRef(spec.env, place, target.name, f"credentials.{name}"), spec.own)


def _renewed(provider: Provider, target: Target, headers: Container[str]) -> ExpiringCredential | None:
    """The credential of a target that `headers` lack, where it can be asked for: no request is made yet.

    Raises ConfigError where that takes a package that is not installed.
    """
    for spec in provider.credentials.values():
        if spec.entra_scope is None or spec.header.lower() in headers:
            continue
        try:
            from reconciler.drivers.credentials.entra import tokens_for
        except ModuleNotFoundError:
            summary = f"target {target.name!r} has no credential, and azure-identity is not installed"
            hint = f"set {spec.env} to a token, or run `{install_hint('azure')}` to request one"
            raise ConfigError([error(Code.MISSING_EXTRA, summary, target.source, "", hint)]) from None
        return ExpiringCredential(spec.header, spec.format, tokens_for(spec.entra_scope))
    return None


def mark_keys(environment: Mapping[str, str], target: str) -> tuple[bytes, ...]:
    """The keys in `RECONCILER_MARK_KEY` (or in the file that `RECONCILER_MARK_KEY_FILE` names), separated by commas.

    The first one signs, all of them verify; none where no variable is set. Raises ConfigError, never with a key in it.
    """
    if not is_given(environment, MARK_KEY):
        return ()
    place = Source("environment", 1, 1)
    reference = EnvRef(MARK_KEY, place, target, "the signature of marks")
    keys = resolve(environment, reference, own=MARK_KEY).split(",")
    if any(len(key) < SHORTEST_MARK_KEY for key in keys):
        summary = f"a key in {MARK_KEY} has less than {SHORTEST_MARK_KEY} characters"
        hint = "make one with `openssl rand -hex 32`; several are separated by commas, the first one signs"
        raise ConfigError([error(Code.MISSING_ENVIRONMENT, summary, place, hint=hint)])
    return tuple(key.encode() for key in keys)
