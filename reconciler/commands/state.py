"""Where a project keeps what is this machine's alone: the embedded server's objects, the journal of creates."""

from __future__ import annotations

from pathlib import Path

from reconciler.tree import Tree

NAME = ".reconciler"
GUARD = f"{NAME}/lock-file.run"
"""What a run holds while it writes the lock file."""
_IGNORE = ".gitignore"


def database_of(target: str) -> str:
    """The file of the embedded server's objects for a target: two targets are two accounts."""
    return f"{target}.db"


def state_of(root: Path) -> Tree:
    """The project's state directory, which need not be there."""
    return Tree(root, NAME)


def state_directory(root: Path) -> Tree:
    """The project's state directory, made where it is missing; git is told to leave it alone. Raises OSError."""
    state = state_of(root)
    state.make()
    if _IGNORE not in state.names():
        state.replace(_IGNORE, b"*\n")  # an empty one, left where there was no room, would ignore nothing
    return state
