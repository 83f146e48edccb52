"""Where a project keeps what is this machine's alone: the embedded server's objects, the journal of creates."""

from __future__ import annotations

from pathlib import Path

NAME = ".reconciler"
LOCAL_DATABASE = "local.db"


def state_directory(root: Path) -> Path:
    """The project's state directory, made where it is missing; git is told to leave it alone. Raises OSError."""
    directory = root / NAME
    directory.mkdir(exist_ok=True)
    ignore = directory / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    return directory
