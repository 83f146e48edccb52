"""Where a project keeps what is this machine's alone: the embedded server's objects, the journal of creates."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from reconciler.config.errors import ConfigError, error
from reconciler.config.message_text import cut
from reconciler.config.source.git import tracked
from reconciler.diagnostics import Code, Source
from reconciler.tree import Tree

NAME = ".reconciler"
GUARD = f"{NAME}/lock-file.run"
"""What a run holds while it writes the lock file."""
_IGNORE = ".gitignore"
_BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite puts beside a database, and reads before it."""


def database_in(files: Tree, name: str | Path) -> Path:
    """The path of a database, as SQLite takes nothing else; a new one is for its owner alone. Raises OSError.

    Neither it nor what SQLite puts beside it is a link.
    """
    path = files.checked(name)
    for beside in _BESIDE:
        files.checked(path.with_name(path.name + beside))
    with suppress(FileExistsError):
        os.close(files.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    return path


def database_of(target: str) -> str:
    """The file of the embedded server's objects for a target: two targets are two accounts."""
    return f"{target}.db"


def state_of(root: Path) -> Tree:
    """The project's state directory, which need not be there. Raises ConfigError where git tracks a file in it.

    What this machine remembers decides what is created and deleted: it cannot come from who proposes files.
    """
    if os.path.lexists(root / NAME) and (files := tracked(root, NAME)):
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        summary = f"git tracks {cut(files[0])}{more}: the state of one machine cannot be part of a repository"
        hint = (
            f"if you committed it, `git rm -r --cached {NAME}` keeps the files on this machine; "
            f"if others did, `git rm -r {NAME}` removes them"
        )
        raise ConfigError([error(Code.FILE_REFUSED, summary, Source(files[0], 1, 1), hint=hint)])
    return Tree(root, NAME)


def ensure_state(state: Tree) -> Tree:
    """The state directory, created if it is missing, with a `.gitignore`. Raises OSError."""
    state.make()
    if _IGNORE not in state.names():
        state.replace(_IGNORE, b"*\n")  # an empty one, left where there was no room, would ignore nothing
    return state
