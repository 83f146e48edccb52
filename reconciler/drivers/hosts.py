"""A credential goes only to hosts it is meant for, so that a changed url in a pull request cannot carry a key away."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from reconciler.diagnostics import Code, Diagnostic, Severity, Source
from reconciler.drivers.allowed import HOSTS, allowed, to_allow
from reconciler.drivers.header_shapes import fitted
from reconciler.drivers.provider import Provider


def refuse_host(
    provider: Provider, url: str, headers: Mapping[str, str], environment: Mapping[str, str], place: Source | None
) -> Diagnostic | None:
    """Why no credential may be sent to `url` with these headers; None when all is well.

    Allowed are the provider's own hosts, loopback, and those in the environment's RECONCILER_ALLOWED_HOSTS. A header
    that makes a gateway pass the credential on is held to the same rule, and so is a member of a header's JSON.
    """
    may = {host.lower() for host in (*provider.hosts, *allowed(environment, HOSTS))}
    kinds = (each.headers for each in provider.kinds.values())
    said = [pair for each in (headers, provider.headers, provider.reads.headers, *kinds) for pair in each.items()]
    try:
        named = [host for name, text in said for host in _named(provider, name, text)]
    except ValueError as wrong:
        return _problem(f"where a header sends the credential cannot be told: it {wrong}", "correct it", place)
    for each in (url, *(host for host in named if "://" in host)):
        if problem := _refuse(each, may, environment, place):
            return problem
    # What has no scheme is a name that a gateway makes a host of: never this machine, whatever the name.
    unknown = (host for host in named if "://" not in host and host.lower() not in may)
    return next((_not_meant(host, environment, place) for host in unknown), None)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, and nobody between can read what is sent there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _named(provider: Provider, name: str, text: str) -> Iterator[str]:
    """The hosts that a header names, where its shape says that it names any. Raises ValueError."""
    shape = provider.allowed_headers.get(name.lower())
    if shape and shape.hosts:
        yield from fitted(shape, text)[1]


def _refuse(url: str, may: set[str], environment: Mapping[str, str], place: Source | None) -> Diagnostic | None:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        return _problem(f"{url!r} is not a url", "expected https://HOST/…", place)
    if parts.username or parts.password or parts.query or parts.fragment:
        return _problem(f"the url of {host} holds more than an address", "credentials go under `credentials:`", place)
    if is_loopback(host):
        return None
    if parts.scheme == "http":
        return _problem(f"http://{host} would send the credential in clear", "use https", place)
    return None if host in may else _not_meant(host, environment, place)


def _not_meant(host: str, environment: Mapping[str, str], place: Source | None) -> Diagnostic:
    more = to_allow(environment, HOSTS, host)
    hint = f"if the credential is meant for it, set {more} in the environment (not in these files)"
    return _problem(f"the credential is not meant for {host}", hint, place)


def _problem(summary: str, hint: str, place: Source | None) -> Diagnostic:
    return Diagnostic(Severity.ERROR, Code.HOST_REFUSED, summary, hint=hint, source=place)
