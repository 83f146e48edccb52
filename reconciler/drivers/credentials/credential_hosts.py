"""Sends a credential only to hosts it is meant for, whatever URL a file names."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from reconciler.diagnostics import Code, Diagnostic, Severity, Source
from reconciler.drivers.credentials.allow_lists import HOSTS, allow_hint, allow_list
from reconciler.drivers.credentials.header_shapes import fitted_value, missing_destination
from reconciler.drivers.provider import Provider

_NETLOC: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?")
_LARGEST_PORT: Final = 65535
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


class _Url(NamedTuple):
    scheme: str
    host: str
    path: str


class _HostRefused(Exception):
    """Nothing may be sent: what is wrong, and what to do."""

    def __init__(self, summary: str, hint: str) -> None:
        super().__init__(summary)
        self.hint = hint


def refuse_host(
    provider: Provider, url: str, headers: Mapping[str, str], environment: Mapping[str, str], place: Source | None
) -> Diagnostic | None:
    """Why no credential may be sent to `url` with these headers; None when all is well.

    Allowed are the provider's own hosts, loopback, and those in the environment's RECONCILER_ALLOWED_HOSTS. The path is
    the provider's own, or the one that is listed there with the host: a gateway can read another host in a path. A
    header that makes a gateway pass the credential on is held to the same rule, and so is a member of a header's JSON.
    """
    try:
        to = _address(url)
        _check_host(provider, to, environment)
        _check_path(provider, to, environment)
        for sent in _request_headers(provider, headers):
            _check_headers(provider, sent, to, environment)
    except _HostRefused as refused:
        return Diagnostic(Severity.ERROR, Code.HOST_REFUSED, str(refused), hint=refused.hint, source=place)
    return None


def refuse_path(
    provider: Provider, url: str, environment: Mapping[str, str], place: Source | None
) -> Diagnostic | None:
    """Why no file may say this url for a provider, whatever its host; None when its path is the provider's own."""
    try:
        _check_path(provider, _address(url), environment)
    except _HostRefused as refused:
        return Diagnostic(Severity.ERROR, Code.HOST_REFUSED, str(refused), hint=refused.hint, source=place)
    return None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, and nobody between can read what is sent there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(url: str) -> _Url:
    """Where a url leads, where any reader of it says the same. Raises _Refused."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _HostRefused(f"{url!r} is not a url", "expected https://HOST/…") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise _HostRefused(
            f"the url of {parts.hostname} contains more than an address", "credentials go under `credentials:`"
        )
    found = _NETLOC.fullmatch(parts.netloc)
    if found is None or parts.scheme not in ("http", "https") or int(found[1] or 0) > _LARGEST_PORT:
        raise _HostRefused(f"{url!r} is not a url", "expected https://HOST/…, or https://HOST:PORT/…")
    return _Url(parts.scheme, (parts.hostname or "").lower(), parts.path.rstrip("/"))


def _check_host(provider: Provider, to: _Url, environment: Mapping[str, str]) -> None:
    """Raise _Refused where a credential may not go to a host."""
    if is_loopback(to.host):
        return
    if to.scheme == "http":
        raise _HostRefused(f"http://{to.host} would send the credential unencrypted", "use https")
    listed = {each.lower() for each in allow_list(environment, HOSTS)}
    if to.host not in {host.lower() for host in provider.hosts} | listed and not _is_listed(to, environment):
        more = allow_hint(environment, HOSTS, to.host)
        hint = f"if the credential is meant for it, set {more} in the environment (not in these files)"
        raise _HostRefused(f"the credential is not meant for {to.host}", hint)


def _check_path(provider: Provider, to: _Url, environment: Mapping[str, str]) -> None:
    """Raise _Refused where the path of a url is not the provider's, nor one that the environment lists."""
    usual = urlsplit(provider.url or "").path.rstrip("/")
    is_own = to.path in ("", usual) or re.fullmatch(provider.base_path or "", to.path) is not None
    if (is_own and not _has_host(to.path)) or _is_listed(to, environment):
        return
    more = allow_hint(environment, HOSTS, f"{to.host}{to.path}")
    hint = f"if the credential is meant for it, set {more} in the environment (not in these files)"
    raise _HostRefused(f"the path {to.path} of the url is not the one of {provider.name}", hint)


def _is_listed(to: _Url, environment: Mapping[str, str]) -> bool:
    """Whether the environment has this host with this very path."""
    listed = (each.partition("/") for each in allow_list(environment, HOSTS) if "/" in each)
    return (to.host, to.path) in {(host.lower(), f"/{path}".rstrip("/")) for host, _, path in listed}


def _has_host(path: str) -> bool:
    """Whether a segment of a path can be read as a host, or a host and a port; `v1.0` and `gpt-4.1` cannot."""
    for segment in path.split("/"):
        labels = segment.rstrip(".").split(".")
        numbers = all(_NUMBER.fullmatch(each) for each in labels)
        if ":" in segment or ("." in segment and (numbers or not labels[-1].isdigit())):
            return True
    return False


def _request_headers(provider: Provider, headers: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """What requests of each kind say in their headers, reads and writes, by names in lower case."""
    for kind in ({}, *(each.headers for each in provider.kinds.values())):
        for reads in ({}, provider.reads.headers):
            pairs = (pair for each in (provider.headers, headers, kind, reads) for pair in each.items())
            yield {name.lower(): text for name, text in pairs}


def _check_headers(provider: Provider, sent: Mapping[str, str], to: _Url, environment: Mapping[str, str]) -> None:
    """Raise _Refused where a gateway at `to` may send a credential on to a host that it is not meant for."""
    shapes = {name: provider.allowed_headers[name] for name in sent if name in provider.allowed_headers}
    for name, shape in shapes.items():
        if wanted := missing_destination(shape, sent[name], sent):
            summary = f"the header {name} is {sent[name].strip()}, but no header gives its host"
            raise _HostRefused(summary, f"add the header {' or '.join(wanted)}")
        try:
            urls = fitted_value(shape, sent[name])[1] if shape.hosts else []
        except ValueError as wrong:
            raise _HostRefused(f"it is unclear where a header sends the credential: it {wrong}", "correct it") from None
        for url in urls:
            on = _address(url)
            if is_loopback(on.host) and not is_loopback(to.host):
                raise _HostRefused(f"the header {name} names the loopback of {to.host}", "give a host, or remove it")
            _check_host(provider, on, environment)
            if _has_host(on.path) and not _is_listed(on, environment):
                raise _HostRefused(f"the header {name} has a url with a host in its path", "give only a host")
