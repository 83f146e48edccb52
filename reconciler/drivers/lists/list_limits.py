"""Limits how much of one list is read, because a remote may never end its pages."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Final

from reconciler.core.values.model import Body
from reconciler.drivers.base import IncompleteList
from reconciler.drivers.transport.json_encoding import count_values

MAX_PAGES: Final = 20_000
MAX_OBJECTS: Final = 2_000_000
"""So many in pages of a hundred."""
MAX_LIST_BYTES: Final = 2 * 1024**3
"""Unpacked: 100,000 objects of 20 KB, or 600,000 of the usual size."""
MAX_LIST_VALUES: Final = 20_000_000
"""Objects of 200 values each, 100,000 of them; a value takes up to a hundred bytes."""
_PROSE: Final = 20_000
"""Commas of one answer that may be prose; where there are more, those outside of texts are counted."""
_HINT: Final = "its pagination is broken, or the account has more objects than this tool reads: the list was not used"


class ListExtent:
    """What came of the list at a path so far. Safe from several threads."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._pages = 0
        self._bytes = 0
        self._values = 0
        self._lock = threading.Lock()

    def add(self, raw: bytes, *, pages: int = 1) -> None:
        """One more answer. Raises IncompleteList where that is too much."""
        values = count_values(raw, _PROSE)
        with self._lock:
            self._pages += pages
            self._bytes += len(raw)
            self._values += values
            if self._pages > MAX_PAGES:
                raise IncompleteList(f"the list of {self._path} has more than {MAX_PAGES:,} pages", hint=_HINT)
            if self._bytes > MAX_LIST_BYTES:
                limit = f"{MAX_LIST_BYTES // 1024**3} GiB"
                raise IncompleteList(f"the list of {self._path} is larger than {limit}", hint=_HINT)
            if self._values > MAX_LIST_VALUES:
                raise IncompleteList(f"the list of {self._path} has more than {MAX_LIST_VALUES:,} values", hint=_HINT)

    def counted(self, found: Iterable[Body]) -> Iterator[Body]:
        """The objects of the list. Raises IncompleteList where there are too many."""
        for number, body in enumerate(found):
            if number >= MAX_OBJECTS:
                raise IncompleteList(f"the list of {self._path} has more than {MAX_OBJECTS:,} objects", hint=_HINT)
            yield body
