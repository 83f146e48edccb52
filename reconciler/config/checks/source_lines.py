"""Reads the lines of a file that a message shows, with everything that looks like a key masked."""

from __future__ import annotations

import os
import re
from typing import Final

from reconciler.config.checks.secret_detection import find_secrets
from reconciler.config.source.project_files import ProjectFiles
from reconciler.config.syntax.document_builder import UnreadableFile

_LARGEST: Final = 2 * 1024 * 1024
_LINE_BREAK: Final = re.compile(r"\r\n|\n|\r")  # as the parser counts, so not all that `splitlines` splits at
_KEY_BLOCK: Final = re.compile(r"-----BEGIN [^\r\n]*?-----.*?(?:-----END [^\r\n]*|\Z)", re.DOTALL)
# Looser than what is refused: hiding too much of a shown line costs nothing.
_LOOSELY: Final = re.compile(
    r"(?:\b(?:sk|pk|rk|ghp|gho|ghs|github_pat|glpat|xox[abeoprs]|xapp|hf|gsk|npm|pypi|xai)[-_]"
    r"|\b(?:AKIA|ASIA|AIza)|\bBearer\s+|\beyJ)[\w./+=-]{8,}"
)
_SHOWN: Final = re.compile(r"[^\s]")


def lines_of(project: ProjectFiles, name: str) -> list[str] | None:
    """The lines of a file of the project, by its name in messages; None where there is no text that may be shown."""
    path = os.path.join(project.root, name)
    try:
        content = project.read(project.followed(path), _LARGEST)
    except (UnreadableFile, ValueError, OSError):
        return None
    if len(content) > _LARGEST or b"\0" in content:
        return None
    return _LINE_BREAK.split(_without_keys(content.decode("utf-8-sig", "backslashreplace")))


def _without_keys(text: str) -> str:
    """The text with `*` for every character of what is shaped like a key, so that columns stay right."""
    spans = [(found.start, found.end) for found in find_secrets(text)]
    spans += [found.span() for pattern in (_KEY_BLOCK, _LOOSELY) for found in pattern.finditer(text)]
    for start, end in spans:
        text = text[:start] + _SHOWN.sub("*", text[start:end]) + text[end:]
    return text
