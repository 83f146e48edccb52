"""The text of a comment: it begins with the hidden line that it is found again by, and fits what forges take."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from reconciler.config.errors import ConfigError, error
from reconciler.diagnostics import Code, Source
from reconciler.drivers.forge.posts import header_of
from reconciler.tree import tree_of

LONGEST: Final = 65_536
"""Characters that GitHub takes; GitLab takes more."""
_LARGEST: Final = 1 << 24
"""Bytes of the text: far more than any forge takes."""


def load_comment(root: Path, file: Path) -> tuple[str, str]:
    """The header and the whole text of a file. Raises ConfigError where it has no header, OSError for a link."""
    tree, path = tree_of(root, file)
    body = tree.read(path, _LARGEST).decode("utf-8", "replace")
    if header := header_of(body):
        return header, body
    detail = "expected the hidden line <!-- reconciler:… --> in the first line"
    hint = f"write it with `reconciler plan --format markdown={file.name}`"
    summary = "the text has no header, so a comment with it could not be found again"
    raise ConfigError([error(Code.BAD_PLAN_FILE, summary, Source(str(file), 1, 1), detail, hint)])


def with_note(header: str, body: str, note: str) -> str:
    """The text with the note under its header; the note alone where both do not fit."""
    above = f"{header}\n\n> {note}\n"
    noted = above + body.partition("\n")[2]
    return (
        noted
        if len(noted) <= LONGEST
        else f"{above}\nThe plan is too long for a comment; it is in the job's summary.\n"
    )
