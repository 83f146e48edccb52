"""A credential goes only to hosts it is meant for, so that a changed url in a pull request cannot carry a key away."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from reconciler.core.codes import Code
from reconciler.core.model import Diagnostic, Severity, Source
from reconciler.drivers.provider import Provider

ALLOWED_HOSTS = "RECONCILER_ALLOWED_HOSTS"


def refuse_host(
    provider: Provider, url: str, headers: Mapping[str, str], environment: Mapping[str, str], place: Source | None
) -> Diagnostic | None:
    """Why no credential may be sent to `url` with these headers; None when all is well.

    Allowed are the provider's own hosts, loopback, and those in the environment's RECONCILER_ALLOWED_HOSTS. A header
    that makes a gateway pass the credential on is held to the same rule.
    """
    allowed = {*provider.hosts, *_listed(environment.get(ALLOWED_HOSTS, ""))}
    carriers = {name.lower() for name in provider.host_headers}
    said = [*headers.items(), *(each for kind in provider.kinds.values() for each in kind.headers.items())]
    urls = [url, *(value for name, value in said if name.lower() in carriers)]
    return next((problem for each in urls if (problem := _refuse(each, allowed, place))), None)


def _refuse(url: str, allowed: set[str], place: Source | None) -> Diagnostic | None:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        return _problem(f"{url!r} is not a url", "expected https://HOST/…", place)
    if parts.username or parts.password or parts.query or parts.fragment:
        return _problem(f"the url of {host} holds more than an address", "credentials go under `credentials:`", place)
    if _is_loopback(host):
        return None
    if parts.scheme == "http":
        return _problem(f"http://{host} would send the credential in clear", "use https", place)
    if host in allowed:
        return None
    hint = f"if the credential is meant for it, set {ALLOWED_HOSTS}={host} in the environment (not in these files)"
    return _problem(f"the credential is not meant for {host}", hint, place)


def _problem(summary: str, hint: str, place: Source | None) -> Diagnostic:
    return Diagnostic(Severity.ERROR, Code.HOST_REFUSED, summary, hint=hint, source=place)


def _listed(text: str) -> Iterable[str]:
    return (host.strip().lower() for host in text.split(",") if host.strip())


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
