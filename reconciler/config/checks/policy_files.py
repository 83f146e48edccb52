"""Reads `policies/*.schema.json`: JSON Schemas that desired documents and changes have to meet.

A rule that lets everything pass by mistake is worse than none. So what cannot be read is an error, and so is a word
that nobody checks, a field that no kind has, and a kind or target that does not exist.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Final

from reconciler.config.cpu_limit import count_file
from reconciler.config.errors import ConfigError, error, has_errors, in_order, warning
from reconciler.config.message_text import closest, cut, dotted, listed, short_json
from reconciler.config.schema.safe_regex import BadPattern, check_pattern
from reconciler.config.schema.schema_messages import schema_diagnostics
from reconciler.config.schema.schemas import Schemas
from reconciler.config.source.file_source import ManifestFile
from reconciler.config.source.project_files import ProjectFiles
from reconciler.config.syntax.document import BLOCK, Document
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.config.syntax.yaml import MAX_BYTES, read_yaml
from reconciler.config.targets import Settings
from reconciler.core.values.model import Json, Path
from reconciler.diagnostics import Code, Diagnostic, Severity, Source
from reconciler.formats.policy_input import CHANGE_FIELDS

if TYPE_CHECKING:
    from reconciler.config.schema.validation import Check

DIRECTORY: Final = "policies"
SUFFIX: Final = ".schema.json"
MAX_POLICIES: Final = 200
_SCHEMA: Final = "policy.schema.json"
_BRANCHES: Final = ("allOf", "anyOf", "oneOf")
_SINGLE_BRANCHES: Final = ("not", "if", "then", "else")


@dataclass(frozen=True, slots=True)
class Policy:
    """One rule: its name is its file's; `kinds` and `targets` are None where it is for all."""

    name: str
    title: str
    advice: str
    over: str
    severity: Severity
    kinds: frozenset[str] | None
    targets: frozenset[str] | None
    schema: Mapping[str, Any]
    check: Check

    def is_for(self, kind: str, target: str) -> bool:
        """Whether documents of this kind, on this target, have to meet it."""
        return (self.kinds is None or kind in self.kinds) and (self.targets is None or target in self.targets)


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of a project, sorted by name, and the warnings about their files."""

    all: tuple[Policy, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()


def load_policies(root: FilePath, settings: Settings, schemas: Schemas) -> Policies:
    """Read every policy of the project; none where it has no directory of them.

    Raises ConfigError with every problem of every policy.
    """
    directory = root / DIRECTORY
    try:
        os.lstat(directory)
    except FileNotFoundError:
        return Policies()
    except OSError as wrong:
        raise ConfigError([_unusable(f"cannot read it: {wrong.strerror}")]) from None
    if not ProjectFiles(root).holds(os.path.realpath(directory)):
        raise ConfigError([_unusable("it points outside the project")])
    if not os.path.isdir(directory):
        raise ConfigError([_unusable("it is not a directory")])
    project = ProjectFiles(root, (FilePath(DIRECTORY),))
    found = list(project.walk())
    files = [each for each in found if each.shown.endswith(SUFFIX)]
    problems = [*project.problems, *_misnamed(found)]
    if len(files) > MAX_POLICIES:
        problems.append(_unusable(f"it has {len(files)} policies; the limit is {MAX_POLICIES}", Code.TOO_LARGE))
        files = []
    reader = _PolicyReader(project, settings, schemas)
    policies = [policy for each in files if (policy := reader.policy(each))]
    problems += reader.problems
    if has_errors(problems):
        raise ConfigError(in_order(problems))
    return Policies(tuple(policies), in_order(problems))


def _unusable(why: str, code: Code = Code.UNREADABLE) -> Diagnostic:
    return error(code, f"the policies in {DIRECTORY}/ cannot be checked: {why}", Source(DIRECTORY, 1, 1))


def _misnamed(found: Sequence[ManifestFile]) -> Iterator[Diagnostic]:
    """Files that somebody may take for a policy."""
    for each in found:
        misspelt = each.suffix == ".json" or each.key.endswith(".schema")
        if misspelt and not each.shown.endswith(SUFFIX):
            hint = f"policies are JSON, in files named *{SUFFIX}"
            yield warning(Code.FILE_REFUSED, "this file is not read as a policy", Source(each.shown, 1, 1), hint=hint)


class _PolicyReader:
    """Reads policies of one project; collects the problems of all."""

    def __init__(self, project: ProjectFiles, settings: Settings, schemas: Schemas) -> None:
        from reconciler.config.schema.validation import compiled_metaschema

        self._project = project
        self._settings = settings
        self._schemas = schemas
        root = schemas.schema(_SCHEMA)
        self._words = compiled_metaschema(root["$defs"]["words"])
        self.problems: list[Diagnostic] = []

    def policy(self, found: ManifestFile) -> Policy | None:
        """One file as a policy, or None where it has problems."""
        try:
            content = self._project.read(found.path, MAX_BYTES)
        except UnreadableFile as refused:
            self.problems.append(refused.diagnostic)
            return None
        count_file(found.shown, len(content))
        documents, problems = read_yaml(content, found.shown)
        if not documents and not problems:
            problems = [error(Code.EMPTY_FILE, "the file is empty", Source(found.shown, 1, 1), hint="write a policy")]
        for document in documents:
            problems += self._judged(document)
        self.problems += problems
        if has_errors(problems):
            return None
        return _policy(found.key.removesuffix(".schema"), documents[0].value)

    def _judged(self, document: Document) -> list[Diagnostic]:
        schema = self._schemas.schema(_SCHEMA)
        value = document.value
        problems = schema_diagnostics(self._schemas.failures(_SCHEMA, value), document, schema)
        if not isinstance(value, dict):
            return problems
        rest = _without_head(value)
        failures = self._words(rest)
        problems += schema_diagnostics(
            [each for each in failures if each.keyword != "format"], document, schema["$defs"]["words"]
        )
        for each in failures:
            if each.keyword == "format":
                place = document.key_place((*each.path, each.value)) if each.in_key else document.place(each.path)
                problems.append(_bad_pattern(each.value, place))
        if not has_errors(problems):
            problems += _dangling(document, rest)
            problems += self._names(document, value.get(BLOCK, {}))
        if not has_errors(problems):
            problems += self._fields(document, rest, _policy("", value))
        return problems

    def _names(self, document: Document, block: Mapping[str, Any]) -> Iterator[Diagnostic]:
        """Kinds and targets that do not exist."""
        kinds = {kind for name in self._settings.targets for kind in self._kinds(name)}
        for word, noun, code, known in (
            ("kinds", "kind", Code.UNKNOWN_KIND, kinds),
            ("targets", "target", Code.UNKNOWN_TARGET, set(self._settings.targets)),
        ):
            for index, name in enumerate(block.get(word, ())):
                if name not in known:
                    near = closest(name, known)
                    hint = f"did you mean {near}?" if near else f"the {noun}s are {listed(sorted(known))}"
                    place = document.place((BLOCK, word, index))
                    yield error(code, f"there is no {noun} {cut(name)}", place, hint=hint)

    def _kinds(self, target: str) -> Mapping[str, Any]:
        chosen = self._settings.targets[target]
        return self._schemas.provider(chosen.provider, chosen.source).kinds

    def _fields(self, document: Document, schema: Json, policy: Policy) -> Iterator[Diagnostic]:
        """Fields that no document has: the rule about them would never be broken."""
        bodies = {
            field
            for target in self._settings.targets
            for kind, spec in self._kinds(target).items()
            if policy.is_for(kind, target)
            for field in self._schemas.schema(spec.schema)["properties"]
        }
        changes = policy.over == "change"
        for path, name in _named(schema, ()):
            yield from _unknown(document, path, name, CHANGE_FIELDS if changes else bodies)
            if changes and name == "desired" and path[-2] == "properties":
                inner = _at(schema, path)
                for deeper, field in _named(inner, path):
                    yield from _unknown(document, deeper, field, bodies)


def _without_head(value: Mapping[str, Json]) -> dict[str, Json]:
    """The schema alone: what is only allowed at the top of a policy is taken away."""
    return {word: each for word, each in value.items() if word not in ("$schema", BLOCK)}


def _policy(name: str, value: Mapping[str, Any]) -> Policy:
    from reconciler.config.schema.validation import compiled_policy

    block = value.get(BLOCK, {})
    schema = _without_head(value)
    return Policy(
        name=name,
        title=value["title"].rstrip("."),
        advice=value.get("description", ""),
        over=block.get("over", "desired"),
        severity=Severity(block.get("severity", "error")),
        kinds=frozenset(block["kinds"]) if "kinds" in block else None,
        targets=frozenset(block["targets"]) if "targets" in block else None,
        schema=schema,
        check=compiled_policy(schema),
    )


def _bad_pattern(pattern: str, place: Source) -> Diagnostic:
    try:
        check_pattern(pattern)
    except BadPattern as wrong:
        return error(
            Code.INVALID_VALUE, f"the pattern {short_json(pattern)} cannot be used: {wrong}", place, "", wrong.hint
        )
    raise AssertionError("a pattern that was refused is accepted")


def _dangling(document: Document, schema: Mapping[str, Json]) -> Iterator[Diagnostic]:
    """References to places that the policy does not have."""
    from reconciler.config.schema.validation import resolves

    rest: list[tuple[Path, Json]] = [((), schema)]
    while rest:
        path, value = rest.pop()
        if path[-1:] == ("$ref",) and isinstance(value, str) and not resolves(schema, value):
            yield error(
                Code.INVALID_VALUE, f"{dotted(path)} points to nothing: {short_json(value)}", document.place(path)
            )
        entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        rest += [((*path, step), each) for step, each in entries]


def _named(schema: Json, at: Path) -> Iterator[tuple[Path, str]]:
    """The fields that a schema names of the very document it describes, with where it does."""
    if not isinstance(schema, dict):
        return
    for name in schema.get("properties", {}):
        yield (*at, "properties", name), name
    for index, name in enumerate(schema.get("required", ())):
        yield (*at, "required", index), name
    for word in _BRANCHES:
        for index, branch in enumerate(schema.get(word, ())):
            yield from _named(branch, (*at, word, index))
    for word in _SINGLE_BRANCHES:
        yield from _named(schema.get(word), (*at, word))


def _at(value: Json, path: Path) -> Json:
    for step in path:
        value = value[step]
    return value


def _unknown(document: Document, path: Path, name: str, known: frozenset[str] | set[str]) -> Iterator[Diagnostic]:
    if name in known:
        return
    near = closest(name, known)
    hint = f"did you mean {near}?" if near else f"the fields are {listed(sorted(known))}"
    place = document.key_place(path) if path[-2] == "properties" else document.place(path)
    yield error(
        Code.UNKNOWN_FIELD, f"no document has a field {cut(name)}: the rule would have no effect", place, "", hint
    )
