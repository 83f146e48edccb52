"""Where a project keeps what is this machine's alone: the embedded server's objects, the journal of creates."""

from __future__ import annotations

import errno
from pathlib import Path

from reconciler.atomic import replace_file

NAME = ".reconciler"


def database_of(target: str) -> str:
    """The file of the embedded server's objects for a target: two targets are two accounts."""
    return f"{target}.db"


def state_directory(root: Path) -> Path:
    """The project's state directory, made where it is missing; git is told to leave it alone. Raises OSError."""
    directory = root / NAME
    for path in (directory, directory / "journal", *directory.glob("*.db")):
        if path.is_symlink():
            # The files of a pull request may bring it, and name any place that this user can write to.
            raise OSError(errno.ELOOP, "it is a link: remove it, what this tool writes stays in the project", str(path))
    directory.mkdir(exist_ok=True)
    ignore = directory / ".gitignore"
    if not ignore.exists():
        try:
            replace_file(ignore, b"*\n")  # an empty one, left where there was no room, would ignore nothing
        except OSError as wrong:
            raise OSError(wrong.errno, wrong.strerror, str(ignore)) from wrong
    return directory
