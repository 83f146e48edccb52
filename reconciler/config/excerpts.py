"""The lines of a file that a message is about, read again to be shown."""

from __future__ import annotations

import os
import re
from typing import Final

from reconciler.config.build import Refused
from reconciler.config.files import Project

_LARGEST: Final = 2 * 1024 * 1024
_LINE_BREAK: Final = re.compile(r"\r\n|\n|\r")  # as the parser counts, so not all that `splitlines` splits at


def lines_of(project: Project, name: str) -> list[str] | None:
    """The lines of a file of the project, by its name in messages; None where there is no text that may be shown."""
    path = os.path.join(project.root, name)
    try:
        content = project.read(project.followed(path), _LARGEST)
    except (Refused, ValueError, OSError):
        return None
    if len(content) > _LARGEST or b"\0" in content:
        return None
    return _LINE_BREAK.split(content.decode("utf-8-sig", "backslashreplace"))
