"""Reads and changes a collection inside one object, such as `/vector_stores/{id}/files`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import quote

from reconciler.core.values.model import Body
from reconciler.drivers.base import BadResponse, NotFound
from reconciler.drivers.provider import Limits, ListStyle, MembersStyle
from reconciler.drivers.transport.json_encoding import mapped
from reconciler.drivers.transport.response import Response

Send = Callable[..., Response]
"""Sends a request: method, path, and perhaps a body."""
Pages = Callable[[str, ListStyle, Mapping[str, str]], Iterator[Body]]
"""Every object of the list at a path, with these parameters besides the style's own."""
Places = Callable[[str, int, int], None]
"""Waits until a rate has room: its name, how many a minute, and for how many."""

Mask = Callable[[str], str]
"""A text without the secrets of the connection."""


class RestCollection:
    """The members of one object. Writes have a rate of their own for each object, members one for all objects."""

    def __init__(
        self, send: Send, pages: Pages, take_places: Places, path: str, style: MembersStyle, limits: Limits, mask: Mask
    ) -> None:
        self._send = send
        self._pages = pages
        self._take_places = take_places
        self._path = path
        self._style = style
        self._mask = mask
        self._bucket = (path, limits.attaches_per_minute)
        self._per_minute = limits.members_per_minute

    def list(self, status: str | None = None) -> Iterator[Body]:
        """Every member, or those of one status. Raises when the list cannot be read to its end."""
        query = {self._style.filter: status} if status else {}
        return map(self._masked, self._pages(self._path + self._style.path, self._style.list, query))

    def read(self, id: str) -> Body:
        """One member. Raises NotFound where it is not in."""
        response = self._send("GET", self._member(id))
        if not isinstance(response.body, dict) or response.body.get("id") != id:
            raise BadResponse(f"the response is not the member {id}")
        return self._masked(response.body)

    def attach(self, entries: Sequence[Body]) -> None:
        """Put members in, as few requests as the remote takes them in; one that is in already is put in anew."""
        most = min(self._style.batch_limit, self._per_minute)
        for start in range(0, len(entries), most):
            chunk = entries[start : start + most]
            path = self._path + self._style.batch_path
            self._take_places(self._style.of, self._per_minute, len(chunk))
            self._send("POST", path, body={self._style.batch_items: list(chunk)}, bucket=self._bucket)

    def modify(self, id: str, patch: Body) -> None:
        """Change what can be changed of a member."""
        self._send("POST", self._member(id), body=patch, bucket=self._bucket)

    def detach(self, id: str) -> None:
        """Take a member out; one that is not in is out."""
        try:
            self._send("DELETE", self._member(id), bucket=self._bucket)
        except NotFound:
            return

    def _masked(self, body: Body) -> Body:
        """A member whose error, which is shown, has no secret in it."""
        field = self._style.error_field
        return {**body, field: mapped(body[field], self._mask)} if body.get(field) else body

    def _member(self, id: str) -> str:
        return f"{self._path}{self._style.path}/{quote(id, safe='')}"
