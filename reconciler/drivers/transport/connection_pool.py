"""Keeps the connections to one remote open from one session to the next.

One httpx client for each request in flight (a pool shared by many threads is slow). A client that is free is taken by
whoever needs one next, so that connections outlive the threads that opened them. All share one TLS context: it takes
a megabyte, and there may be a thousand channels.
"""

from __future__ import annotations

import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from reconciler.drivers.base import Interrupted, Unreachable
from reconciler.drivers.credentials.credential_hosts import is_loopback
from reconciler.drivers.transport.content_encoding import ASKED_FOR
from reconciler.drivers.transport.deadline import Deadline
from reconciler.drivers.transport.retry import RetryBudget


class ConnectionPool:
    """The way to the remote at `url`. Safe from several threads. A context manager: leaving it closes every connection.

    `wsgi_app` answers in this process instead of the network. What is in flight while it is closed ends by itself, and
    its connection then. What requests may be sent again is counted here: a remote that is down stays down for the next
    session.
    """

    def __init__(
        self,
        url: str,
        timeout_seconds: float,
        *,
        wsgi_app: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._retries = RetryBudget()
        self._timeout_seconds = timeout_seconds
        self._wsgi_app = wsgi_app
        self._clock = clock
        self._url = url
        self._tls = _tls_context(url)
        self._lock = threading.Lock()
        self._free: list[tuple[httpx.Client, Deadline]] = []
        self._closed = False

    def __enter__(self) -> ConnectionPool:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what is free now, and what is in use when it is given back. Closing twice is fine."""
        with self._lock:
            self._closed = True
        self.close_idle()

    def close_idle(self, spare: int = 0) -> None:
        """Close what is free, but for as many clients as are to be spared: those used last."""
        with self._lock:
            end = max(0, len(self._free) - spare)
            idle, self._free = self._free[:end], self._free[end:]
        for client, _ in idle:
            client.close()

    def may_retry(self) -> bool:
        """Take the cost of one request that is sent again; False when there is not enough left."""
        with self._lock:
            return self._retries.spend()

    def earn_retry(self) -> None:
        """Give some of it back, for a request that was answered well."""
        with self._lock:
            self._retries.earn()

    @contextmanager
    def client(self) -> Iterator[tuple[httpx.Client, Deadline]]:
        """A client that nobody else uses meanwhile, and what ends its waits. Raises Interrupted once it is closed."""
        with self._lock:
            if self._closed:
                raise Interrupted("the connection to the target is closed already")
            # The one used last, whose connection is the least likely to have been closed.
            taken = self._free.pop() if self._free else None
        client, deadline = taken or (self._new_client(), Deadline(self._timeout_seconds, self._clock))
        try:
            yield client, deadline
        finally:
            with self._lock:
                if kept := not self._closed:
                    self._free.append((client, deadline))
            if not kept:
                client.close()

    def _new_client(self) -> httpx.Client:
        usual: dict[str, Any] = {"headers": {"accept-encoding": ASKED_FOR}, "cookies": _no_cookies()}
        if self._wsgi_app is not None:
            return httpx.Client(transport=httpx.WSGITransport(app=self._wsgi_app), **usual)
        timeout = httpx.Timeout(self._timeout_seconds, connect=min(10, self._timeout_seconds))
        try:
            own = is_loopback(httpx.URL(self._url).host)
            # To this machine no proxy is asked: it would read the key, which is not encrypted on this way.
            return httpx.Client(verify=self._tls, timeout=timeout, trust_env=not own, **usual)
        except (ValueError, ImportError, httpx.InvalidURL):  # what it says quotes the proxy, password and all
            hint = "http:// and https:// proxies are supported; `no_proxy` lists hosts without a proxy"
            raise Unreachable("the proxy in the environment cannot be used", reached=False, hint=hint) from None


def _no_cookies() -> CookieJar:
    """A jar that takes none: an API needs none, and a server could send more of them with every answer."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


def _tls_context(url: str) -> ssl.SSLContext:
    """What says whom to trust. Without TLS nobody: loading certificates takes 40 ms."""
    if not url.startswith("https:"):
        return _nobody()
    place = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
    try:
        return _authorities(place, os.stat(place).st_mtime_ns if place else 0)
    except OSError as wrong:
        hint = "check the files that SSL_CERT_FILE and SSL_CERT_DIR name"
        summary = f"the CA certificates cannot be read: {wrong.strerror or wrong}"
        raise Unreachable(summary, reached=False, hint=hint) from None


@cache
def _nobody() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@lru_cache(maxsize=2)
def _authorities(place: str | None, changed: int) -> ssl.SSLContext:
    """Those that the environment names, read again when they have changed; else those that come with httpx."""
    return httpx.create_ssl_context()
