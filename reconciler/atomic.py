"""Files written whole or not at all: after a crash there is the old file or the new one, never a part."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o600


def replace_file(path: Path, content: bytes | Iterable[bytes], mode: int | None = None) -> None:
    """Put `content` at `path`: a new file beside it, flushed to the disk, then renamed over it. Raises OSError.

    The content may come in parts. Without a mode, it is that of the file that was there, or of any new file. The name
    of the file beside it starts with a dot: while it is there, it is no manifest.
    """
    import shutil  # they bring compressors: not for those who only print
    import tempfile

    handle, name = tempfile.mkstemp(prefix=f".{path.name[:64]}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        if mode is None and path.exists():
            shutil.copymode(path, name)
        else:
            os.chmod(name, 0o666 & ~_umask() if mode is None else mode)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    _sync_directory(path.parent)


def _umask() -> int:
    # It can only be read by setting it.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync_directory(directory: Path) -> None:
    """Make the rename durable; where directories cannot be opened (Windows) the system has its own ways."""
    with suppress(PermissionError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
