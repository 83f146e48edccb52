"""Parses YAML 1.2 files into documents. Only this module and `positions` use the YAML library.

It walks the parser's events itself: the library's own constructors read YAML 1.1 (`no` is false, `12:30:45` is
45045), let the last of two equal keys win, make dates and bytes, and crash the process on deep nesting.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from reconciler.config.errors import error
from reconciler.config.syntax import json
from reconciler.config.syntax.document import Document
from reconciler.config.syntax.document_builder import MAX_DEPTH, MAX_NODES, Builder, UnreadableFile
from reconciler.config.syntax.yaml_hints import yaml_hint
from reconciler.config.syntax.yaml_scalars import KNOWN_TAGS, WORDS, RefusedScalar, Tagged, is_plain_text, read_plain
from reconciler.core.values.model import Json, Path
from reconciler.diagnostics import Code, Diagnostic, Source

_FAST_PARSER: Final[Any] = getattr(getattr(yaml, "_yaml", None), "CParser", None)  # None where libyaml is absent

MAX_BYTES: Final = 1024 * 1024
_LINE_BREAK: Final = re.compile(r"\r\n|\n|\r")

# What YAML 1.2 takes as ordinary characters and this parser, which reads 1.1, as line breaks or not at all; each is
# replaced by a private one of the same width, so that columns stay right, and put back in the scalars.
_ODD = ("\x7f", "\x85", "\u2028", "\u2029")
_STAND_INS = ("\uf8f0", "\uf8f1", "\uf8f2", "\uf8f3")
_TO_STAND_INS = str.maketrans(dict(zip(_ODD, _STAND_INS, strict=True)))
_FROM_STAND_INS = str.maketrans(dict(zip(_STAND_INS, _ODD, strict=True)))


def read_yaml(content: bytes, file: str) -> tuple[list[Document], list[Diagnostic]]:
    """Every document of a file, and its problems; a file that cannot be read to its end yields no documents.

    `file` is how messages name it. JSON files (`.json`) are read as strict JSON, with the same limits and places.
    """
    try:
        text = decode(content, file)
        builder = Builder(file)
        if file.endswith(".json"):
            json.read(text, builder)
        else:
            _read(text, builder)
    except UnreadableFile as refused:
        return [], [refused.diagnostic]
    return builder.documents, builder.problems


class Unusual(Exception):
    """Something that only `read_yaml` reads, or has words for."""


def read_unplaced(content: bytes, file: str) -> tuple[list[Document], list[Diagnostic]]:
    """The same for a file with one document in which nothing is unusual: faster, and without places. Raises Unusual."""
    if file.endswith(".json"):
        documents, problems = read_yaml(content, file)
        if len(documents) != 1 or problems:
            raise Unusual
        return documents, problems
    try:
        text = decode(content, file)
        if any(each in text for each in (_ODD[:1] if text.isascii() else _ODD)):
            raise Unusual
        return [_unplaced(_next_event(text), file)], []
    except (UnreadableFile, RefusedScalar, yaml.YAMLError):
        raise Unusual from None


def decode(content: bytes, file: str, largest: int = MAX_BYTES) -> str:
    """Bytes → text: UTF-8, with or without a byte order mark. Raises Refused for anything else."""
    start = Source(file, 1, 1)
    if len(content) > largest:
        hint = "put long texts and rows into separate files (!file, !csv, !json)"
        hint = hint if largest == MAX_BYTES and not file.endswith(".schema.json") else ""
        raise UnreadableFile(error(Code.TOO_LARGE, f"the file is larger than {largest:,} bytes", start, hint=hint))
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableFile(error(Code.BAD_ENCODING, "the file is UTF-16, not UTF-8", start, hint="save it as UTF-8"))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as wrong:
        before = content[: wrong.start].decode("utf-8")
        place = Source(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        summary = f"the file is not UTF-8: byte {content[wrong.start]:#04x} is not valid here"
        raise UnreadableFile(error(Code.BAD_ENCODING, summary, place, hint="save it as UTF-8")) from None
    text = text.removeprefix("\ufeff")
    if (at := text.find("\0")) >= 0:
        place = Source(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
        raise UnreadableFile(error(Code.BAD_ENCODING, "the file contains a NUL character", place))
    return text


def _read(text: str, builder: Builder) -> None:
    odd = any(each in text for each in (_ODD[:1] if text.isascii() else _ODD))
    if odd and not any(each in text for each in _STAND_INS):
        text = text.translate(_TO_STAND_INS)
    else:
        odd = False
    try:
        _walk(_next_event(text), builder, odd)
    except yaml.MarkedYAMLError as wrong:
        raise UnreadableFile(_syntax(wrong, text, builder.file)) from None
    except yaml.reader.ReaderError as wrong:
        raise UnreadableFile(_unprintable(wrong, text, builder.file)) from None


def _next_event(text: str) -> Callable[[], Any]:
    if _FAST_PARSER is None:
        return _pure_python(text)
    next_event: Callable[[], Any] = _FAST_PARSER(text.encode("utf-8")).get_event
    return next_event


def _pure_python(text: str) -> Callable[[], Any]:
    """The parser for where libyaml is absent; unlike that one it takes half a surrogate pair for a character."""
    parser: Any = yaml.SafeLoader(text)

    def next_event() -> Any:
        event = parser.get_event()
        if type(event) is ScalarEvent and any("\ud800" <= character <= "\udfff" for character in event.value):
            raise yaml.MarkedYAMLError(problem=_SURROGATE, problem_mark=parser.get_mark())
        return event

    return next_event


def _walk(next_event: Callable[[], Any], builder: Builder, odd: bool) -> None:
    scalar, opened = builder.scalar, builder.open
    while (event := next_event()) is not None:
        kind = type(event)
        mark = event.start_mark
        if kind is ScalarEvent:
            value = event.value.translate(_FROM_STAND_INS) if odd else event.value
            scalar(value, mark, event.anchor, event.tag, event.implicit[0])
        elif kind is MappingStartEvent:
            opened({}, mark, event.anchor, event.tag)
        elif kind is SequenceStartEvent:
            opened([], mark, event.anchor, event.tag)
        elif kind is AliasEvent:
            builder.alias(event.anchor, mark)
        elif kind is DocumentStartEvent:
            builder.start_document(mark)
        elif kind is DocumentEndEvent:
            builder.end_document()
        elif kind in _CLOSING:
            builder.close()


def _unplaced(next_event: Callable[[], Any], file: str) -> Document:
    """What `Builder` makes of the events, as long as they are those of one plain document. Raises Unusual."""
    # This runs for every value of every file: hence so few calls, and only for what is not ordinary.
    document = Document(None, Source(file, 1, 1))
    stack: list[tuple[Json, str | int | None]] = []  # what is open, and where in it the next inner value stands
    container: Json = None
    in_mapping = False
    key: str | None = None
    nodes = 0
    while (event := next_event()) is not None:
        kind = type(event)
        if kind is ScalarEvent:
            value = event.value
            ordinary = event.tag is None and event.anchor is None
            # Nothing but text begins with a letter, but for a few words.
            ordinary = ordinary and not (event.implicit[0] and (value[:1] <= "9" or value in WORDS))
            if in_mapping and key is None:
                key = value if ordinary and value != "<<" and value not in container else _odd_key(event, container)
                continue
            value = value if ordinary else _odd_leaf(event)
        elif kind in _CLOSING:
            container, _ = stack.pop()
            in_mapping = type(container) is dict
            continue
        elif (value := _opened(event, nodes, is_key=in_mapping and key is None)) is None:
            continue
        nodes += 1
        place: str | int | None = key
        if in_mapping:
            container[key] = value
            key = None
        elif container is not None:
            place = len(container)
            container.append(value)
        else:
            document.value, document.source = value, _start(event, file)
        if kind is not ScalarEvent:
            stack.append((container, place))
            container, in_mapping = value, type(value) is dict
        elif type(value) is Tagged:
            document.tagged[_path(stack, place)] = value
        if nodes > MAX_NODES or len(stack) > MAX_DEPTH:
            raise Unusual
    if not nodes:
        raise Unusual
    return document


def _opened(event: Any, nodes: int, *, is_key: bool) -> Json:
    """The mapping or sequence that begins; None where there is no value, or not yet. Raises Unusual."""
    kind = type(event)
    if kind is AliasEvent or (kind is DocumentStartEvent and nodes):
        raise Unusual
    if kind is not MappingStartEvent and kind is not SequenceStartEvent:
        return None
    if event.anchor is not None or event.tag is not None or is_key:
        raise Unusual
    return {} if kind is MappingStartEvent else []


def _start(event: Any, file: str) -> Source:
    return Source(file, event.start_mark.line + 1, event.start_mark.column + 1)


def _path(stack: list[tuple[Json, str | int | None]], place: str | int | None) -> Path:
    steps = (*(step for _, step in stack), place)
    return tuple(step for step in steps if step is not None)


def _odd_key(event: Any, container: Container[str]) -> str:
    key: str = event.value
    if event.tag is not None or event.anchor is not None or key in container:
        raise Unusual
    if event.implicit[0] and not is_plain_text(key):
        raise Unusual
    return key


def _odd_leaf(event: Any) -> Json:
    if event.anchor is not None:
        raise Unusual
    if event.tag is None:
        return read_plain(event.value)
    if event.tag in KNOWN_TAGS:
        return Tagged(event.tag, event.value)
    raise Unusual


_SURROGATE: Final = "found invalid Unicode character escape code"
_CLOSING: Final = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


def _syntax(wrong: yaml.MarkedYAMLError, text: str, file: str) -> Diagnostic:
    mark = wrong.problem_mark or wrong.context_mark
    problem = wrong.problem or "not valid YAML"
    # These stand where the parser gave up, which may be the end of the file; the context is where it began.
    if wrong.context_mark and any(words in problem for words in ("unexpected end of stream", "expected ':'")):
        mark = wrong.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    hint, line, column = yaml_hint(problem, _LINE_BREAK.split(text), line, column)
    context = f" {wrong.context}" if wrong.context else ""
    return error(Code.INVALID_YAML, f"not valid YAML: {problem}{context}", Source(file, line, column), hint=hint)


def _unprintable(wrong: yaml.reader.ReaderError, text: str, file: str) -> Diagnostic:
    code = wrong.character if isinstance(wrong.character, int) else ord(wrong.character[:1] or "\0")
    at = max(text.find(chr(code)), 0)
    place = Source(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
    summary = f"the control character U+{code:04X} is not allowed in a file"
    return error(Code.BAD_ENCODING, summary, place, hint='remove it, or write it as an escape in "double quotes"')
