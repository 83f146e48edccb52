"""Resolves the tags `!file`, `!ref` and `!var`, and refuses `!env` in manifests."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.config.cpu_limit import count_file
from reconciler.config.errors import error
from reconciler.config.message_text import closest, cut
from reconciler.config.source.file_source import FileSource
from reconciler.config.source.referenced_file import MAX_FILE_BYTES, named_file
from reconciler.config.syntax.document import Document
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.config.syntax.yaml import decode
from reconciler.config.syntax.yaml_scalars import KNOWN_TAGS, Tagged
from reconciler.core.references import placeholder
from reconciler.core.values.model import Address, Json, Path
from reconciler.diagnostics import Code, Diagnostic, Source

_MOST_TEXTS = 64


class Tags:
    """Resolves the tags of manifests for one target; a file that manifests near each other name is read once.

    A file's text is taken as it stands, with two exceptions: a byte order mark is left out, and line ends are always
    `\\n`, so that a checkout on Windows changes nothing. The line break at its end is part of the text.
    """

    def __init__(self, project: FileSource, target: str, variables: Mapping[str, str]) -> None:
        self._project = project
        self._target = target
        self._variables = variables
        self._texts: dict[str, str] = {}

    def resolve(self, document: Document, file: str) -> list[Diagnostic]:
        """Put values where the document has tags; what cannot be resolved stays a `Tagged` leaf, and in `tagged`."""
        problems = []
        for path, tagged in list(document.tagged.items()):
            if tagged.tag not in KNOWN_TAGS:
                continue
            place = document.place(path)
            try:
                value, value_place = self._value(tagged, place, file)
            except UnreadableFile as refused:
                problems.append(refused.diagnostic)
            else:
                if isinstance(value, Address):
                    document.refs[path] = value
                    value = placeholder(value)
                replace_at(document, path, value)
                document.places[path] = value_place
                del document.tagged[path]
        return problems

    def text_of(self, name: str, place: Source, file: str) -> str:
        """The text of what `!file` calls `name` in a file. Raises Refused."""
        return self._text(named_file(self._project, "!file", name, place, file))

    def _value(self, tagged: Tagged, place: Source, file: str) -> tuple[str | Address, Source]:
        if tagged.tag == "!ref":
            return _address(tagged.text, place), place
        if tagged.tag == "!file":
            path = named_file(self._project, tagged.tag, tagged.text, place, file)
            return self._text(path), Source(self._project.name(path), 1, 1)
        if tagged.tag == "!var":
            return self._variable(tagged.text, place), place
        summary = "!env cannot be used in a manifest: the value would be sent as plain text and shown in plans"
        hint = "use !var NAME for values that differ from target to target; !env is for credentials in reconciler.yaml"
        raise UnreadableFile(error(Code.BAD_TAG, summary, place, hint=hint))

    def _variable(self, name: str, place: Source) -> str:
        if name in self._variables:
            return self._variables[name]
        known = sorted(self._variables)
        detail = f"one of {', '.join(known)}" if known else ""
        near = closest(name, known)
        hint = f"did you mean {near}?" if near else f"add it to targets.{self._target}.vars in reconciler.yaml"
        summary = f"the target {self._target} has no variable {cut(name) or '(empty)'}"
        raise UnreadableFile(error(Code.MISSING_VARIABLE, summary, place, detail, hint))

    def _text(self, path: str) -> str:
        if path not in self._texts:
            content = self._project.read(path, MAX_FILE_BYTES)
            count_file(self._project.name(path), len(content))
            if len(self._texts) >= _MOST_TEXTS:
                del self._texts[next(iter(self._texts))]
            self._texts[path] = decode(content, self._project.name(path), MAX_FILE_BYTES).replace("\r\n", "\n")
        return self._texts[path]


def _address(text: str, place: Source) -> Address:
    try:
        return Address.parse(text)
    except ValueError:
        hint = "write the address of another resource, KIND/KEY, as in `!ref vector_store/handbook`"
        raise UnreadableFile(error(Code.BAD_TAG, f"!ref {cut(text)} is not an address", place, hint=hint)) from None


def replace_at(document: Document, path: Path, value: Json) -> None:
    """Put a value in the place of another."""
    if not path:
        document.value = value
        return
    container: Json = document.value
    try:
        for part in path[:-1]:
            container = container[part]
        container[path[-1]] = value
    except KeyError:
        # What was refused (a second key of the same name, and all below it) has a place and no value.
        return
