"""A credential goes only to hosts it is meant for, so that a changed url in a pull request cannot carry a key away."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from reconciler.diagnostics import Code, Diagnostic, Severity, Source
from reconciler.drivers.provider import Provider

ALLOWED_HOSTS = "RECONCILER_ALLOWED_HOSTS"


def refuse_host(
    provider: Provider, url: str, headers: Mapping[str, str], environment: Mapping[str, str], place: Source | None
) -> Diagnostic | None:
    """Why no credential may be sent to `url` with these headers; None when all is well.

    Allowed are the provider's own hosts, loopback, and those in the environment's RECONCILER_ALLOWED_HOSTS. A header
    that makes a gateway pass the credential on is held to the same rule, and so is a field of a header's JSON.
    """
    allowed = {*provider.hosts, *_listed(environment.get(ALLOWED_HOSTS, ""))}
    carriers = {name.lower() for name in provider.host_headers}
    kinds = (each.headers for each in provider.kinds.values())
    said = [pair for each in (headers, provider.headers, provider.reads.headers, *kinds) for pair in each.items()]
    named = [value for name, value in said if name.lower() in carriers]
    fields = tuple({"".join(name.split("-")[-2:]) for name in carriers})
    named += [value for _, text in said for value in _inside(text, fields)] if fields else []
    problems = (_refuse(url, allowed, place), *(_refuse_named(each, allowed, place) for each in named))
    return next(filter(None, problems), None)


def _inside(text: str, fields: tuple[str, ...]) -> Iterator[str]:
    """The values of the fields that end like one of these, anywhere in a text that is JSON."""
    try:
        waiting = [json.loads(text)] if text.lstrip()[:1] in ("{", "[") else []
    except (ValueError, RecursionError):
        return
    while waiting:
        value = waiting.pop()
        for name, each in value.items() if isinstance(value, dict) else ():
            if name.lower().replace("_", "").replace("-", "").endswith(fields):
                yield each if isinstance(each, str) else json.dumps(each)
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _refuse_named(value: str, allowed: set[str], place: Source | None) -> Diagnostic | None:
    """Of a host that a header names: by a url, or by a word that a gateway makes one of."""
    if value.lower() in allowed:
        return None
    return _refuse(value if "://" in value else f"https://{value}", allowed, place)


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
