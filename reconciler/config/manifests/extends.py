"""`extends`: a manifest merged over a file with shared defaults, which may extend another."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final

from reconciler.config.errors import error, has_errors
from reconciler.config.manifests.layers import FOR_EACH, Written, merged
from reconciler.config.message_text import cut, listed
from reconciler.config.source.project_files import SUFFIXES, Files, Found
from reconciler.config.source.referenced_file import named_file
from reconciler.config.syntax.document import BLOCK
from reconciler.config.syntax.document_builder import Refused
from reconciler.diagnostics import Code, Diagnostic, Source

EXTENDS: Final = "extends"
MAX_CHAIN: Final = 8
Read = Callable[[Found], tuple[list[Written], list[Diagnostic]]]
"""Reads the documents of a file, and says what is wrong with them. Raises Refused."""


def extended(written: Written, found: Found, project: Files, read: Read) -> Written:
    """The document over all that it extends; the same one where it extends nothing. Raises Refused."""
    chain = [found.path]
    result, text = written, written.block.get(EXTENDS)
    place = written.document.place((BLOCK, EXTENDS))
    while isinstance(text, str):
        file = named_file(project, EXTENDS, text, place, chain[-1])
        _check(file, chain, project, place)
        base = _only(file, read, project, place)
        result = merged(base, result, result)
        chain.append(file)
        text, place = base.block.get(EXTENDS), base.document.place((BLOCK, EXTENDS))
    if result is not written:
        result.document.value[BLOCK] = {name: value for name, value in result.block.items() if name != EXTENDS}
    return result


def _check(file: str, chain: Sequence[str], project: Files, place: Source) -> None:
    """Raises Refused where the file is a manifest of its own, or the chain is no chain."""
    name = project.name(file)
    summary = hint = ""
    if file in chain:
        summary, hint = f"extends leads in a circle, back to {name}", "take one of them out"
    elif len(chain) > MAX_CHAIN:
        summary, hint = f"extends leads through more than {MAX_CHAIN} files", "merge some of them"
    elif not any(part.startswith("_") for part in name.split("/")):
        summary = f"{name} is a manifest of its own, and cannot be extended"
        hint = "start its name, or that of its directory, with _"
    elif os.path.splitext(file)[1] not in SUFFIXES:
        summary, hint = f"{name} cannot be extended", f"its name has to end with {listed(SUFFIXES)}"
    if summary:
        raise Refused(error(Code.FILE_REFUSED, summary, place, hint=hint))


def _only(file: str, read: Read, project: Files, place: Source) -> Written:
    """The one document of a file. Raises Refused."""
    name = project.name(file)
    documents, problems = read(Found(file, name, "", os.path.splitext(file)[1]))
    if wrong := next((each for each in problems if has_errors([each])), None):
        raise Refused(wrong)
    if len(documents) != 1 or not isinstance(documents[0].document.value, dict):
        summary = f"{cut(name)} cannot be extended: it has to hold one mapping"
        raise Refused(error(Code.INVALID_VALUE, summary, place))
    if documents[0].block.get(FOR_EACH) is not None:
        summary = f"{cut(name)} cannot be extended: it has rows of its own"
        raise Refused(error(Code.INVALID_VALUE, summary, place, hint="write for_each in the manifest"))
    return documents[0]
