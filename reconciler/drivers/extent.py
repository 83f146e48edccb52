"""How much of one list is read: a remote whose pages never end fills the memory of whoever believes in their end."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Final

from reconciler.core.model import Body
from reconciler.drivers.base import IncompleteList

MAX_PAGES: Final = 20_000
MAX_OBJECTS: Final = 2_000_000
"""So many in pages of a hundred."""
MAX_LIST_BYTES: Final = 2 * 1024**3
"""Unpacked: 100,000 objects of 20 KB, or 600,000 of the usual size."""
_HINT: Final = "its paging is broken, or the account has more than this tool reads: nothing was concluded from it"


class Extent:
    """What came of the list at a path so far. Safe from several threads."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._pages = 0
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, size: int, *, pages: int = 1) -> None:
        """One more answer of so many bytes. Raises IncompleteList where that is too much."""
        with self._lock:
            self._pages += pages
            self._bytes += size
            if self._pages > MAX_PAGES:
                raise IncompleteList(f"the list of {self._path} has more than {MAX_PAGES:,} pages", hint=_HINT)
            if self._bytes > MAX_LIST_BYTES:
                limit = f"{MAX_LIST_BYTES // 1024**3} GiB"
                raise IncompleteList(f"the list of {self._path} is larger than {limit}", hint=_HINT)

    def counted(self, found: Iterable[Body]) -> Iterator[Body]:
        """The objects of the list. Raises IncompleteList where there are too many."""
        for number, body in enumerate(found):
            if number >= MAX_OBJECTS:
                raise IncompleteList(f"the list of {self._path} has more than {MAX_OBJECTS:,} objects", hint=_HINT)
            yield body
