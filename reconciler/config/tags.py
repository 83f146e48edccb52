"""`!file`, `!var` and `!env`: what stands in another file, differs from target to target, or is secret."""

from __future__ import annotations

import os
from collections.abc import Mapping

from reconciler.config.build import Refused
from reconciler.config.document import Document
from reconciler.config.errors import error
from reconciler.config.files import Files
from reconciler.config.scalars import KNOWN_TAGS, Tagged
from reconciler.config.text import closest, cut, listed
from reconciler.config.yaml import decode
from reconciler.core.codes import Code
from reconciler.core.model import Diagnostic, Json, Path, Source

MAX_FILE_BYTES = 2 * 1024 * 1024


class Tags:
    """Resolves the tags of manifests for one target; a file that many manifests name is read once.

    A file's text is taken as it stands, with two exceptions: a byte order mark is left out, and line ends are always
    `\\n`, so that a checkout on Windows changes nothing. The line break at its end is part of the text.
    """

    def __init__(self, project: Files, target: str, variables: Mapping[str, str]) -> None:
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
            except Refused as refused:
                problems.append(refused.diagnostic)
            else:
                replace_at(document, path, value)
                document.places[path] = value_place
                del document.tagged[path]
        return problems

    def _value(self, tagged: Tagged, place: Source, file: str) -> tuple[str, Source]:
        if tagged.tag == "!file":
            path = self._file(tagged.text, place, file)
            return self._text(path), Source(self._project.name(path), 1, 1)
        if tagged.tag == "!var":
            return self._variable(tagged.text, place), place
        summary = "!env cannot be used in a manifest: the value would be sent as plain text and shown in plans"
        hint = "use !var NAME for values that differ from target to target; !env is for credentials in reconciler.yaml"
        raise Refused(error(Code.BAD_TAG, summary, place, hint=hint))

    def _variable(self, name: str, place: Source) -> str:
        if name in self._variables:
            return self._variables[name]
        known = sorted(self._variables)
        detail = f"one of {', '.join(known)}" if known else ""
        near = closest(name, known)
        hint = f"did you mean {near}?" if near else f"add it to targets.{self._target}.vars in reconciler.yaml"
        summary = f"the target {self._target} has no variable {cut(name) or '(empty)'}"
        raise Refused(error(Code.MISSING_VARIABLE, summary, place, detail, hint))

    def _file(self, text: str, place: Source, file: str) -> str:
        """The path of the file that `!file` names. Raises Refused unless it is a regular file in the project."""
        summary = ""
        hint = "name a file of the project, relative to the manifest"
        path = os.path.join(os.path.dirname(file), text)
        if not text or "\0" in text:
            summary = "!file needs the path of a file"
        elif os.path.isabs(text) or text.startswith("~"):
            summary = f"!file {cut(text)} is not a relative path"
        else:
            try:
                return self._project.followed(path)
            except ValueError as wrong:
                summary = f"!file {cut(text)} {wrong}"
            except OSError as wrong:
                summary = f"!file {cut(text)} cannot be read: {wrong.strerror}"
                hint = _near_file(path, text) or hint
        raise Refused(error(Code.FILE_REFUSED, summary, place, hint=hint))

    def _text(self, path: str) -> str:
        if path not in self._texts:
            content = self._project.read(path, MAX_FILE_BYTES)
            self._texts[path] = decode(content, self._project.name(path), MAX_FILE_BYTES).replace("\r\n", "\n")
        return self._texts[path]


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
