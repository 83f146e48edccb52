"""A driver that keeps marks in the names of uploaded files, and shows them as fields.

`FilenameMarkDriver` stands between the engine and a remote. What comes in has the name without the mark in it, the mark
in a field, and the content as far as the name tells it; what goes out is uploaded under a name that carries all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from reconciler.core.values.marks import Signing
from reconciler.core.values.model import Body
from reconciler.core.values.semantics import MARK_ENTRY
from reconciler.drivers import filename_marks
from reconciler.drivers.base import Driver, DriverInFront
from reconciler.drivers.provider import Provider, UploadStyle

MARK: Final = "mark"
"""The field of an uploaded file that stands for the mark in its name."""


class FilenameMarkDriver(DriverInFront):
    """A driver whose uploaded files carry marks. `owner` gives ours, `keys` the keys that may be met, by their code.

    `signing` gives what names are signed with, where they are.
    """

    def __init__(
        self,
        driver: Driver,
        provider: Provider,
        owner: Callable[[], str],
        keys: Callable[[], Mapping[str, str]],
        signing: Callable[[], Signing | None] = lambda: None,
    ) -> None:
        self._signing = signing
        super().__init__(driver)
        self._uploads = {kind: spec.upload for kind, spec in provider.kinds.items() if spec.upload}
        self._owner = owner
        self._keys = keys

    def list(self, kind: str) -> Iterator[Body]:
        """Every object of a kind. Raises when the list cannot be read to its end."""
        bodies = self._driver.list(kind)
        style = self._uploads.get(kind)
        return bodies if style is None else (self._shown(body, style) for body in bodies)

    def read(self, kind: str, id: str) -> Body:
        """One object. Raises NotFound when it is absent."""
        body = self._driver.read(kind, id)
        return self._shown(body, style) if (style := self._uploads.get(kind)) else body

    def create(self, kind: str, body: Body, sending: Callable[[], None] | None = None) -> Body:
        """Make an object, or upload a file. Raises Ambiguous when the answer is lost."""
        if (style := self._uploads.get(kind)) is None:
            return self._driver.create(kind, body, sending)
        rest = {name: value for name, value in body.items() if name not in (MARK, style.content)}
        mark, digest = body[MARK][MARK_ENTRY], body[style.digest]
        name = filename_marks.with_mark(body[style.name], mark, digest, self._signing())
        return self._shown(self._driver.create(kind, {**rest, style.name: name}, sending), style)

    def _shown(self, body: Body, style: UploadStyle) -> Body:
        name, size = body.get(style.name), body.get(style.size)
        if not isinstance(name, str):
            return body
        count = int(size) if isinstance(size, int | float) else 0
        marked = filename_marks.read(name, count, self._owner(), self._keys(), self._signing())
        mark = {} if marked.mark is None else {MARK: {MARK_ENTRY: marked.mark}}
        return {**body, style.name: marked.name, style.content: marked.content, **mark}
