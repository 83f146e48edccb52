"""Stores the bytes of files in parts, so that no upload or download is held whole in memory."""

import codecs
from collections.abc import Iterator
from typing import IO

from reconciler.server.store import Store

_PART = 256 * 1024


class Contents:
    """What is inside the files of one server."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def save(self, file: str, content: IO[bytes]) -> None:
        """Keep what `content` has from here on; inside `Store.writing`, so that it is kept whole or not at all."""
        number = 0
        while part := content.read(_PART):
            self._store.run("INSERT INTO contents (file, part, bytes) VALUES (?, ?, ?)", (file, number, part))
            number += 1

    def remove(self, file: str) -> None:
        """Forget them."""
        self._store.run("DELETE FROM contents WHERE file = ?", (file,))

    def parts(self, file: str) -> Iterator[bytes]:
        """The bytes, in order. They end early when the file is deleted meanwhile."""
        number = 0
        while rows := self._store.run("SELECT bytes FROM contents WHERE file = ? AND part = ?", (file, number)):
            yield rows[0][0]
            number += 1

    def text(self, file: str) -> Iterator[str]:
        """The same as text; nothing for a file whose beginning is not UTF-8, nor UTF-16 with its mark."""
        first = next(self.parts(file), b"")
        encoding = "utf-16" if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
        try:
            beginning = codecs.getincrementaldecoder(encoding)().decode(first)
        except UnicodeDecodeError:
            return
        if "\0" in beginning:
            return
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        for part in self.parts(file):
            yield decoder.decode(part)
        yield decoder.decode(b"", final=True)
