"""The way to a target, step by step and without any credential: name, connection, TLS and HTTP, and the clock."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from reconciler.drivers.base import Unreachable
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.credentials.credential_hosts import is_loopback
from reconciler.drivers.transport.http import HttpClient
from reconciler.drivers.transport.response import Response
from reconciler.operations.doctor.doctor_checks import Check, CheckResult, Status
from reconciler.operations.project.credentials import known_secrets
from reconciler.operations.project.session import Session

_PATIENCE_SECONDS: Final = 10.0
_SKEW_SECONDS: Final = 60


class _Hop(NamedTuple):
    """What is connected to first: the target, or a proxy on the way to it."""

    host: str
    port: int
    is_proxy: bool


def _network(session: Session) -> Iterator[CheckResult]:
    if session.provider.embedded:
        yield CheckResult("network", Status.OK, "not used")
        return
    try:
        hop = _first_hop(session.url)
        via = "proxy " if hop.is_proxy else ""
        found = socket.getaddrinfo(hop.host, hop.port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as wrong:  # a ValueError is a port or a name that cannot be one
        remedy = "check the url, the proxy settings and the resolver; `getent hosts` asks the same one"
        yield CheckResult(
            "network",
            Status.FAIL,
            f"name: {session.url} does not resolve: {wrong.strerror if isinstance(wrong, OSError) else wrong}",
            remedy,
        )
        return
    addresses = sorted({str(each[4][0]) for each in found})
    yield CheckResult("network", Status.OK, f"name: {via}{hop.host} resolves to {', '.join(addresses[:3])}")
    try:
        socket.create_connection((hop.host, hop.port), timeout=_PATIENCE_SECONDS).close()
    except OSError as wrong:
        remedy = "check the port, a firewall, or whether a proxy is needed (HTTPS_PROXY)"
        reason = wrong.strerror or str(wrong)
        yield CheckResult("network", Status.FAIL, f"no connection to {via}{hop.host}:{hop.port}: {reason}", remedy)
        return
    yield CheckResult("network", Status.OK, f"connection: {via}{hop.host}:{hop.port} accepted")
    yield from _http(session)


def _http(session: Session) -> Iterator[CheckResult]:
    secure = session.url.startswith("https:")
    secrets = known_secrets(session.provider, session.target, session.environment)  # no request has them
    connection = ConnectionSettings(session.url, secrets=secrets, timeout_seconds=_PATIENCE_SECONDS)
    try:
        with HttpClient(connection, pause=session.stop.wait) as client:
            answer = client.send("GET", "/", repeatable=False)
    except Unreachable as wrong:
        if secure and any(word in str(wrong).lower() for word in ("certificate", "ssl", "tls")):
            remedy = "for an inspecting proxy or your own server, put its CA into SSL_CERT_FILE"
            yield CheckResult("network", Status.FAIL, f"TLS: {wrong}", remedy)
        else:
            yield CheckResult("network", Status.FAIL, f"HTTP: {wrong}", wrong.diagnostic.hint)
        return
    if secure:
        yield CheckResult("network", Status.OK, "TLS: the certificate is trusted")
    if 300 <= answer.status < 400:
        remedy = "redirects are not followed, because they would send the credential to another url: correct the url"
        yield CheckResult("network", Status.WARN, f"HTTP: {session.url} redirects ({answer.status})", remedy)
    else:
        yield CheckResult("network", Status.OK, "HTTP: server responded")
    yield from _clock(answer, time.time())


def _clock(answer: Response, now: float) -> Iterator[CheckResult]:
    skew = _skew(answer.headers, now)
    if skew is None:
        yield CheckResult("clock", Status.OK, "the target does not report its time")
    elif abs(skew) > _SKEW_SECONDS:
        side = "ahead of" if skew > 0 else "behind"
        remedy = "set the clock: signed credentials, certificates and the journal of creates depend on it"
        yield CheckResult("clock", Status.WARN, f"this machine is {abs(skew):,.0f} s {side} the target", remedy)
    else:
        yield CheckResult("clock", Status.OK, "the clocks of this machine and of the target match")


def _skew(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds this machine is ahead; None where the answer has no date that can be read."""
    try:
        return now - parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _first_hop(url: str) -> _Hop:
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and not is_loopback(parts.hostname or "") and not proxy_bypass(parts.hostname or ""):
        there = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        return _Hop(there.hostname or "", there.port or 8080, True)
    return _Hop(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), False)


NETWORK: Final = (Check("network", ("settings", "host"), _network),)
