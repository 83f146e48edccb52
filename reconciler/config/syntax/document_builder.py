"""Builds documents from parser events, with positions and with limits on size and depth.

Nothing here recurses on the input, and every limit is checked before memory is spent on what would exceed it:
a composer that builds first and checks afterwards can be crashed by forty kilobytes of brackets.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Final, NoReturn

from reconciler.config.errors import error
from reconciler.config.message_text import count, cut
from reconciler.config.syntax.document import Document, ParserPosition, Position
from reconciler.config.syntax.yaml_scalars import (
    KNOWN_TAGS,
    RefusedScalar,
    Tagged,
    is_plain_text,
    read_plain,
    spelled_differently,
    tag_name,
)
from reconciler.core.values.model import Json, Path
from reconciler.diagnostics import Code, Diagnostic, Source

MAX_DEPTH: Final = 32
MAX_NODES: Final = 20_000
MAX_ALIASES: Final = 100
MAX_PROBLEMS: Final = 50


class UnreadableFile(Exception):
    """The file cannot be read any further."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.summary)
        self.diagnostic = diagnostic


@dataclass(slots=True)
class _Anchor:
    """What an alias stands for: the entries of `places` from `start` to `end`, which is None while it is open."""

    path: Path
    value: Json
    start: int
    end: int | None = None


class Builder:
    """Builds documents from a stream of events; problems that leave the rest readable are collected."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.documents: list[Document] = []
        self.problems: list[Diagnostic] = []
        self.start_document(Position(0, 0))

    def start_document(self, at: ParserPosition) -> None:
        """A document begins."""
        self._document = Document(None, self._source(at))
        self._nodes = 0
        self._aliases = 0
        self._anchors: dict[str, _Anchor] = {}
        self._stack: list[tuple[Json, str | None, bool, Path, _Anchor | None]] = []
        self._container: Json = None
        self._key: str | None = None
        self._dropped = False
        self._path: Path = ()
        self._anchor: _Anchor | None = None

    def end_document(self) -> None:
        """The document is whole."""
        self.documents.append(self._document)

    def open(self, container: Json, at: ParserPosition, anchor: str | None, tag: str | None) -> None:
        """A mapping or sequence begins: `container` is the empty dict or list to fill."""
        if type(self._container) is dict and self._key is None:
            self._odd_key("a mapping or list", at)
        if len(self._stack) >= MAX_DEPTH:
            self._refuse(Code.UNSAFE_YAML, f"nesting is deeper than {MAX_DEPTH} levels", at)
        filled: Json = container
        if tag is not None and tag_name(tag) not in ("!!map", "!!seq", "!"):
            self._bad_tag(tag, at, scalar=False)
            filled = Tagged("", tag)
        path = self._add(filled, at)
        if type(filled) is Tagged:
            self._document.tagged[path] = filled
        self._stack.append((self._container, self._key, self._dropped, self._path, self._anchor))
        self._container, self._key, self._dropped, self._path = container, None, False, path
        self._anchor = None if anchor is None else self._remember(anchor, path, container, None)

    def close(self) -> None:
        """The innermost mapping or sequence ends."""
        if self._anchor is not None:
            self._anchor.end = len(self._document.places)
        self._container, self._key, self._dropped, self._path, self._anchor = self._stack.pop()
        if type(self._container) is dict:
            self._key = None

    def scalar(self, text: str, at: ParserPosition, anchor: str | None, tag: str | None, plain: bool) -> None:
        """A leaf, or the key of a mapping."""
        if type(self._container) is dict and self._key is None:
            self._read_key(text, at, tag, plain)
            return
        value: Json = text
        document = self._document
        if tag is not None:
            value = self._tagged(tag, text, at)
        elif plain:
            value = self._plain(text, at)
        path = self._add(value, at)
        if type(value) is Tagged:
            document.tagged[path] = value
        elif value is not text and spelled_differently(value, text):
            document.spelled[path] = text
        if anchor is not None:
            self._remember(anchor, path, value, len(document.places))
        if type(self._container) is dict:
            self._key = None

    def alias(self, name: str, at: ParserPosition) -> None:
        """A copy of what an anchor marked; counted, because a few hundred bytes can stand for billions of values."""
        if type(self._container) is dict and self._key is None:
            self._odd_key("an alias", at)
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            self._refuse(Code.UNSAFE_YAML, f"more than {MAX_ALIASES} aliases in one document", at)
        anchor = self._anchors.get(name)
        if anchor is None:
            self._refuse(Code.INVALID_YAML, f"alias *{cut(name)} has no anchor &{cut(name)} before it", at)
        if anchor.end is None:
            self._refuse(Code.UNSAFE_YAML, f"alias *{cut(name)} is inside its own anchor", at)
        self._copy(anchor, at)
        if type(self._container) is dict:
            self._key = None

    def problem(self, code: Code, summary: str, at: ParserPosition, hint: str = "") -> None:
        """Note a problem that leaves the rest of the file readable."""
        self.problems.append(error(code, summary, self._source(at), hint=hint))
        if len(self.problems) >= MAX_PROBLEMS:
            self._refuse(Code.INVALID_YAML, f"more than {MAX_PROBLEMS - 1} problems in one file", at)

    def _source(self, at: ParserPosition) -> Source:
        return Source(self.file, at.line + 1, at.column + 1)

    def _refuse(self, code: Code, summary: str, at: ParserPosition) -> NoReturn:
        raise UnreadableFile(error(code, summary, self._source(at)))

    def _add(self, value: Json, at: ParserPosition) -> Path:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._refuse(Code.UNSAFE_YAML, f"more than {MAX_NODES:,} values in one document", at)
        container = self._container
        if type(container) is dict:
            path: Path = (*self._path, self._key or "")
            if not self._dropped:
                container[self._key] = value
        elif type(container) is list:
            path = (*self._path, len(container))
            container.append(value)
        else:
            path = ()
            self._document.value, self._document.source = value, self._source(at)
        # Twice as fast as the constructor of the named tuple, and this runs for every value of every file.
        self._document.places[path] = tuple.__new__(Source, (self.file, at.line + 1, at.column + 1))
        return path

    def _read_key(self, text: str, at: ParserPosition, tag: str | None, plain: bool) -> None:
        self._dropped = False
        if tag is not None:
            self._drop_key(text, at, Code.BAD_TAG, f"a key cannot have the tag {cut(tag_name(tag))}")
        elif plain and not is_plain_text(text):
            self._odd_plain_key(text, at)
        elif text in self._container:
            first = self._document.keys[(*self._path, text)]
            summary = f"key {cut(text)} is given twice, in lines {first.line + 1} and {at.line + 1}"
            self._drop_key(text, at, Code.DUPLICATE_KEY, summary, "keep one of them")
        else:
            self._key = text
            self._document.keys[(*self._path, text)] = at

    def _odd_plain_key(self, text: str, at: ParserPosition) -> None:
        if text == "<<":
            hint = "write the fields out, or reuse a whole value with *alias"
            self._drop_key(text, at, Code.UNSAFE_YAML, "merge keys (<<) are not supported", hint)
        else:
            summary = f"key {cut(text) or '(empty)'} is not text"
            self._drop_key(text, at, Code.INVALID_YAML, summary, f'quote it: "{cut(text)}"')

    def _drop_key(self, text: str, at: ParserPosition, code: Code, summary: str, hint: str = "") -> None:
        """Read the entry on, but into nothing; its made-up key keeps its places apart from those of the first."""
        self.problem(code, summary, at, hint)
        self._key = f"{text} {at.line}:{at.column}"
        self._dropped = True

    def _odd_key(self, what: str, at: ParserPosition) -> None:
        raise UnreadableFile(
            error(
                Code.INVALID_YAML,
                f"a key must be text, not {what}",
                self._source(at),
                hint="a text that starts with {, [ or * must be quoted: '{{ name }}'",
            )
        )

    def _plain(self, text: str, at: ParserPosition) -> Json:
        try:
            return read_plain(text)
        except RefusedScalar as refused:
            self.problem(Code.INVALID_YAML, str(refused), at, "quote it if it is meant as text")
            return Tagged("", text)

    def _tagged(self, tag: str, text: str, at: ParserPosition) -> Json:
        name = tag_name(tag)
        if name in ("!", "!!str"):
            return text
        if name in KNOWN_TAGS:
            return Tagged(name, text)
        self._bad_tag(tag, at, scalar=True)
        return Tagged("", text)

    def _bad_tag(self, tag: str, at: ParserPosition, scalar: bool) -> None:
        name = cut(tag_name(tag))
        known = ", ".join(KNOWN_TAGS)
        if not scalar and name in KNOWN_TAGS:
            summary, hint = f"{name} takes one word or path, not a mapping or list", f"write {name} NAME"
        else:
            summary, hint = f"unknown tag {name}", f"the tags are {known}; quote a text that starts with !"
        self.problem(Code.BAD_TAG, summary, at, hint)

    def _remember(self, name: str, path: Path, value: Json, end: int | None) -> _Anchor:
        anchor = _Anchor(path, value, len(self._document.places) - 1, end)
        self._anchors[name] = anchor
        return anchor

    def _copy(self, anchor: _Anchor, at: ParserPosition) -> None:
        document = self._document
        entries = list(islice(document.places.items(), anchor.start, anchor.end))
        base = len(anchor.path)
        depth = len(self._stack) + max(len(path) for path, _ in entries) - base
        if depth > MAX_DEPTH:
            self._refuse(Code.UNSAFE_YAML, f"nesting is deeper than {MAX_DEPTH} levels", at)
        self._nodes += len(entries) - 1
        if self._nodes >= MAX_NODES:
            summary = f"aliases make more than {count(MAX_NODES, 'value')} of one document"
            self._refuse(Code.UNSAFE_YAML, summary, at)
        root = self._add(copied(anchor.value), at)
        for path, source in entries:
            target = (*root, *path[base:])
            document.places.setdefault(target, source)
            if path in document.tagged:
                document.tagged[target] = document.tagged[path]


def copied(value: Json) -> Json:
    """A copy that shares no container with the original; depth is bounded when it is called."""
    if type(value) is dict:
        return {key: copied(each) for key, each in value.items()}
    if type(value) is list:
        return [copied(each) for each in value]
    return value
