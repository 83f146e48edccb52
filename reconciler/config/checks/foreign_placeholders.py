"""Warns of `${NAME}`, quoted tags and file names in texts: they are sent as they are, not replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from reconciler.config.checks.text_search import may_begin_with
from reconciler.config.errors import warning
from reconciler.config.message_text import dotted, short_json
from reconciler.config.syntax.document import Document
from reconciler.config.syntax.yaml_scalars import KNOWN_TAGS
from reconciler.core.values.model import Json, Path
from reconciler.diagnostics import Code, Diagnostic
from reconciler.drivers.provider import ProviderKind

_LONGEST: Final = 200  # whole texts that are a name or a path; a prompt may speak of anything
_VARIABLE: Final = re.compile(r"\$\{\{?\s*[\w.:-]+\s*\}\}?|\$[A-Z_][A-Z0-9_]*|\{\{\s*[\w.]+\s*\}\}|%[A-Z_]+%")
_BEGINNINGS: Final = "$%{!"
_TAG: Final = re.compile(rf"(?:{'|'.join(KNOWN_TAGS)}) \S+")
_PATH: Final = re.compile(r"[\w./-]+\.(?:md|txt|prompt)")


def unreplaced_placeholders(document: Document, body: Json, kind: ProviderKind, texts: str) -> Iterator[Diagnostic]:
    """A warning for each whole text that is `${NAME}`, a quoted tag, or the path of a file in the place of prose.

    `texts` is all of them together.
    """
    prose = body.get(kind.prose_field or "")
    if not may_begin_with(texts, _BEGINNINGS) and not (isinstance(prose, str) and _meant(prose, prose=True)):
        return
    rest: list[tuple[Path, Json]] = [((), body)]
    while rest:
        path, value = rest.pop()
        if type(value) is dict:
            rest += [((*path, key), each) for key, each in value.items()]
        elif type(value) is list:
            rest += [((*path, index), each) for index, each in enumerate(value)]
        elif type(value) is str and (hint := _meant(value, prose=path == (kind.prose_field,))):
            summary = f"{dotted(path)} is the literal text {short_json(value)}: it is not replaced"
            yield warning(Code.NOT_REPLACED, summary, document.place(path), hint=hint)


def _meant(text: str, *, prose: bool) -> str:
    """What was probably meant; empty for an ordinary text."""
    if len(text) > _LONGEST:
        return ""
    if text[:1] in _BEGINNINGS and _VARIABLE.fullmatch(text):
        return "write !var NAME, and set it under `vars` of each target in reconciler.yaml"
    if text[:1] == "!" and _TAG.fullmatch(text):
        return f"remove the quotes around the tag: write {text}"
    if prose and _PATH.fullmatch(text):
        return f"to send the content of that file, write !file {text}"
    return ""
