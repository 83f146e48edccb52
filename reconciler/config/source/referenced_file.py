"""Finds a file that a manifest names: relative to the manifest, and inside the project."""

from __future__ import annotations

import os
from typing import Final

from reconciler.config.errors import error
from reconciler.config.message_text import closest, cut, listed
from reconciler.config.source.file_source import FileMention, FileSource
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.diagnostics import Code, Source

MAX_FILE_BYTES: Final = 2 * 1024 * 1024
_NO_TEMPLATE: Final = (
    "file names are not templates, not even with `for_each`: put what differs into `extends:` or separate "
    "manifests, or use one file with `{% if %}`"
)


def named_file(project: FileSource, word: str, text: str, place: Source, file: str) -> str:
    """The path of the file that `word` (`!csv`, `extends`) names as `text` in `file`. Raises Refused, with a remedy."""
    summary = ""
    hint = "use a file of the project, relative to the manifest"
    path = os.path.join(os.path.dirname(file), text)
    if not text or "\0" in text:
        summary = f"{word} needs the path of a file"
    elif os.path.isabs(text) or text.startswith("~"):
        summary = f"{word} {cut(text)} is not a relative path"
    else:
        try:
            real = project.followed(path)
            project.named.setdefault(real, FileMention(f"{word} {cut(text)}", place))
            return real
        except ValueError as wrong:
            summary = f"{word} {cut(text)} {wrong}"
        except OSError as wrong:
            summary = f"{word} {cut(text)} cannot be read: {wrong.strerror}"
            hint = _NO_TEMPLATE if "{{" in text else _near_file(path, text) or hint
    raise UnreadableFile(error(Code.FILE_REFUSED, summary, place, hint=hint))


def _near_file(path: str, text: str) -> str:
    folder, name = os.path.split(path)
    prefix = os.path.dirname(text)
    try:
        names = sorted(each for each in os.listdir(folder) if not each.startswith("."))
    except OSError:
        return f"there is no directory {cut(prefix)} beside the manifest" if prefix else ""
    stem = os.path.splitext(name)[0]
    near = closest(name, names) or next((each for each in names if os.path.splitext(each)[0] == stem), None)
    if near:
        return f"did you mean {cut(os.path.join(prefix, near))}?"
    return f"that directory has {listed(map(cut, names[:5]))}"
