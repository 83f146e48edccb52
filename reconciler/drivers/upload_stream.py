"""Reads project files in pieces for upload, and refuses one that is not what was planned."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from reconciler.core.values.model import Body, Json
from reconciler.diagnostics import Code
from reconciler.drivers.base import RemoteError
from reconciler.drivers.provider import UploadStyle
from reconciler.tree import NotBelow, Tree, real_directory_of


class FileChanged(RemoteError):
    """The file is not the one that was planned; nothing of it was taken by the remote."""

    code = Code.UPLOAD_CHANGED


@dataclass(frozen=True, slots=True)
class Upload:
    """One file to send as the part `part` of a form, under `name`, beside the form's other `fields`.

    `path` is where it is in `files`; `sha256` (hexadecimal) what it holds. `sent` hears of bytes as they go out, or
    back in (negative) where they have to go out again.
    """

    files: Tree
    path: str
    name: str
    sha256: str
    part: str = "file"
    fields: Mapping[str, str] = field(default_factory=dict)
    sent: Callable[[int], None] = lambda count: None

    @contextmanager
    def opened(self) -> Iterator[CheckedFile]:
        """The file, open for one try at sending it. Raises FileChanged where it cannot be read any more."""
        try:
            descriptor = self.files.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise _changed(self.path, f"cannot be read: {error.strerror}") from None
        with os.fdopen(descriptor, "rb") as file:
            yield CheckedFile(file, self)


class CheckedFile:
    """An open file that ends in an error, and not in an end, where it does not hold what was planned.

    The form around it is never completed then, so that the remote takes nothing.
    """

    def __init__(self, file: IO[bytes], upload: Upload) -> None:
        self._file = file
        self._upload = upload
        self._size = os.fstat(file.fileno()).st_size
        self._read = 0
        self._hash = hashlib.sha256()

    def fileno(self) -> int:
        """The file's descriptor: how its length is known beforehand."""
        return self._file.fileno()

    def seek(self, offset: int) -> int:
        """Begin again."""
        self._upload.sent(-self._read)
        self._read, self._hash = 0, hashlib.sha256()
        return self._file.seek(offset)

    def read(self, size: int) -> bytes:
        """The next bytes. Raises FileChanged where the last of them shows that the content is another."""
        try:
            piece = self._file.read(size)
        except OSError as error:
            raise _changed(self._upload.path, f"cannot be read: {error.strerror}") from None
        self._read += len(piece)
        self._hash.update(piece)
        if (self._read >= self._size or not piece) and (
            self._read != self._size or self._hash.hexdigest() != self._upload.sha256
        ):
            raise _changed(self._upload.path, "has changed since the plan was made")
        self._upload.sent(len(piece))
        return piece


def _changed(path: str, what: str) -> FileChanged:
    return FileChanged(f"{path} {what}: it was not uploaded", hint="plan again and review what changed")


def upload_of(style: UploadStyle, body: Body, roots: Sequence[str], sent: Callable[[int], None]) -> Upload:
    """The file that a body names: relative to the first of the `roots`, and below one of them, wherever links lead.

    Raises FileChanged where it is not in the project (any more).
    """
    try:
        bases = [real_directory_of(Path(roots[0]), root) for root in roots]
    except NotBelow as wrong:
        raise FileChanged(f"{wrong.strerror}: it was not uploaded") from None
    path = os.path.realpath(os.path.join(bases[0], body[style.source]))
    base = next((each for each in bases if path.startswith(each + os.sep)), None)
    if base is None:
        raise FileChanged(f"{body[style.source]} points outside the project: it was not uploaded")
    ours = (style.source, style.digest, style.name)
    fields = form_fields({name: value for name, value in body.items() if name not in ours})
    return Upload(Tree(base), path, body[style.name], body[style.digest], style.part, fields, sent)


def form_fields(value: Json, name: str = "") -> dict[str, str]:
    """A body as the fields of a form, which has no nesting: `expires_after[seconds]` is how one spells it."""
    if not isinstance(value, dict):
        return {name: str(value)}
    parts = (form_fields(each, f"{name}[{key}]" if name else key) for key, each in value.items() if each is not None)
    return {key: text for part in parts for key, text in part.items()}
