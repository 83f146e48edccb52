"""Requests to a forge's API: allowed hosts, pages, and errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from reconciler.core.values.model import Body
from reconciler.diagnostics import Diagnostic
from reconciler.drivers.base import (
    BadResponse,
    CredentialRefused,
    IncompleteList,
    NotFound,
    RateLimited,
    Rejected,
    RemoteError,
    ServerFailed,
)
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.credentials.credential_hosts import refuse_host
from reconciler.drivers.lists.list_limits import ListExtent
from reconciler.drivers.provider import Provider
from reconciler.drivers.response_fields import error_text
from reconciler.drivers.transport.http import HttpClient
from reconciler.drivers.transport.response import Response

PAGE: Final = 100
MOST_PAGES: Final = 200


def refuse_url(name: str, url: str) -> Diagnostic | None:
    """Why no token may be sent to this API URL; None for https and for loopback."""
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        host = ""
    return refuse_host(Provider(name, {}, url=url, hosts=(host,)), url, {}, {}, None)


class ForgeApi:
    """One forge's API at `url`. Answers are JSON; any that is not, or not as expected, raises RemoteError.

    A context manager: leaving it closes the connection.
    `refused` is the hint for a token that lacks a right. `trace` hears a line about each request.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        token: str,
        refused: str,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        self._client = HttpClient(ConnectionSettings(url, headers, (token,)), trace=trace)
        self._refused = refused

    def __enter__(self) -> ForgeApi:
        return self

    def __exit__(self, *problem: object) -> None:
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
        repeatable: bool = True,
    ) -> Body:
        """One request whose answer is an object."""
        answer = self._send(method, path, query, body, repeatable)
        if not isinstance(answer.body, dict):
            raise BadResponse(f"{path} did not return an object: {error_text(answer)}")
        return answer.body

    def pages(self, path: str, query: Mapping[str, str]) -> Iterator[Body]:
        """Every object of a list. Raises IncompleteList where it does not end."""
        extent = ListExtent(path)
        for number in range(1, MOST_PAGES + 1):
            answer = self._send("GET", path, {**query, "per_page": str(PAGE), "page": str(number)}, None, True)
            extent.add(answer.raw)
            page = answer.body
            if not isinstance(page, list) or not all(isinstance(each, dict) for each in page):
                raise BadResponse(f"{path} did not return a list: {error_text(answer)}")
            yield from page
            if len(page) < PAGE:
                return
        raise IncompleteList(f"{path} has more than {MOST_PAGES * PAGE} entries")

    def _send(
        self, method: str, path: str, query: Mapping[str, str] | None, body: Body | None, repeatable: bool
    ) -> Response:
        answer = self._client.send(method, path, query=query, body=body, repeatable=repeatable)
        if 200 <= answer.status < 300:
            return answer
        raise self._error(answer)

    def _error(self, answer: Response) -> RemoteError:
        status, text = answer.status, self._client.mask(error_text(answer))
        if status == 429 or (status == 403 and _is_limit(answer)):
            return RateLimited(f"too many requests ({status}): {text}", hint="run the job again later", status=status)
        if status in (401, 403):
            return CredentialRefused(f"the token is refused ({status}): {text}", hint=self._refused, status=status)
        if status == 404:
            hint = f"check the repository and the number; {self._refused}"
            return NotFound(f"not there, or not for this token (404): {text}", hint=hint, status=status)
        if status >= 500:
            return ServerFailed(f"the forge failed ({status}): {text}", status=status)
        if 300 <= status < 400:
            hint = "redirects are not followed; was the repository renamed?"
            return BadResponse(f"the forge redirects ({status})", hint=hint, status=status)
        return Rejected(f"the forge refused the request ({status}): {text}", status=status)


def _is_limit(answer: Response) -> bool:
    """GitHub's rate limits answer with 403 too."""
    return "retry-after" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0"


def text_at(body: Body, *path: str) -> str:
    """The text or number at a path, as text; empty where there is none (a deleted account has no login)."""
    here: object = body
    for name in path:
        here = here.get(name) if isinstance(here, dict) else None
    return str(here) if isinstance(here, str | int) and not isinstance(here, bool) else ""
