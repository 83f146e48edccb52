"""Checks one document and makes its manifest: the request body, and the options in `reconciler:`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler.config.checks.foreign_placeholders import unreplaced_placeholders
from reconciler.config.checks.hidden_characters import suspicious_text
from reconciler.config.checks.mark_length import too_long_a_mark
from reconciler.config.checks.secret_detection import masked, secret_like
from reconciler.config.checks.text_search import joined_texts
from reconciler.config.errors import error, has_errors, warning
from reconciler.config.message_text import closest, cut, listed, short_json, slug
from reconciler.config.schema.schema_messages import schema_diagnostics
from reconciler.config.schema.schemas import MANIFEST, Schemas
from reconciler.config.settings import SCHEMA as SETTINGS_SCHEMA
from reconciler.config.source.file_source import SETTINGS
from reconciler.config.syntax.document import BLOCK, Document
from reconciler.config.targets import Marks, Settings, Target
from reconciler.core.values.model import MAX_KEY, Address, Json, Manifest, OnRemove, Path, is_key
from reconciler.diagnostics import Code, Diagnostic
from reconciler.drivers.provider import Provider, ProviderKind, default_kind


@dataclass(frozen=True, slots=True)
class ManifestContext:
    """Everything a document is read against; `secret_like_allowed` where texts shaped like keys are only warned of."""

    settings: Settings
    target: Target
    provider: Provider
    schemas: Schemas
    secret_like_allowed: bool = False

    def knows_kind(self, kind: str) -> bool:
        """Whether some target, if not this one, has the kind."""
        return any(kind in self.schemas.provider(each.provider).kinds for each in self.settings.targets.values())

    def kind_elsewhere(self, kind: str, targets: Sequence[str]) -> ProviderKind | None:
        """The kind as the first of these targets has it that knows it."""
        known = (self.settings.targets[name] for name in targets if name in self.settings.targets)
        found = (self.schemas.provider(each.provider).kinds.get(kind) for each in known)
        return next((each for each in found if each is not None), None)


@dataclass(slots=True)
class CheckedManifest:
    """A manifest, if the document is one for this target, and the problems of it.

    `elsewhere` are the addresses that a document for other targets only has there.
    """

    manifest: Manifest | None
    problems: list[Diagnostic]
    elsewhere: frozenset[Address] = frozenset()


def read_manifest(document: Document, file_key: str | None, reading: ManifestContext) -> CheckedManifest:
    """Check one document, whose tags are resolved; `file_key` is the key it has by its place, if that is unique.

    What looks like a key is quoted nowhere.
    """
    block = document.value.get(BLOCK) if isinstance(document.value, dict) else None
    allowed = reading.secret_like_allowed or (isinstance(block, dict) and "secret_like" in block)
    texts = joined_texts(document.value)
    found, secrets = secret_like(document, texts, allowed=allowed)
    judged = _judged(document, file_key, reading, found, texts)
    return replace(judged, problems=list(masked(judged.problems, secrets))) if secrets else judged


def _judged(
    document: Document, file_key: str | None, reading: ManifestContext, found: list[Diagnostic], texts: str
) -> CheckedManifest:
    if not isinstance(document.value, dict):
        summary = f"a manifest is a mapping of fields, not {short_json(document.value)}"
        hint = "start with `model: …`"
        if isinstance(document.value, list):
            hint += "; put rows for `for_each` into a file whose name starts with _"
        return CheckedManifest(None, [*found, error(Code.INVALID_VALUE, summary, document.source, hint=hint)])
    problems = _block_problems(document, reading)
    readable = not has_errors(problems) and not any(path[0] == BLOCK for path in document.tagged)
    options: Mapping[str, Any] = (document.value.get(BLOCK) or {}) if readable else {}
    key = options.get("key", file_key)
    if readable:
        problems += _target_problems(document, options, reading)
        problems += _key_problems(document, options, key)
    kind = _kind_of(document) or default_kind(reading.provider)
    for_us = reading.target.name in options.get("targets", (reading.target.name,))
    provider_kind = reading.provider.kinds.get(kind) if for_us else reading.kind_elsewhere(kind, options["targets"])
    elsewhere = frozenset() if for_us else _elsewhere(document, options, key, reading)
    if provider_kind is None:
        if not reading.knows_kind(kind):
            problems.append(_unknown_kind(document, kind, reading.provider))
        return CheckedManifest(None, problems, elsewhere)
    problems += [*found, *_body_problems(document, options, provider_kind, reading, texts)]
    mark_field = provider_kind.mark_field if reading.target.marks is not Marks.LOCK_FILE else None
    if mark_field and isinstance(key, str) and not has_errors(problems):  # a wrong field would count for the mark
        problems += too_long_a_mark(document, key, reading.schemas.schema(provider_kind.schema), mark_field)
    if has_errors(problems) or document.tagged or not for_us:
        return CheckedManifest(None, problems, elsewhere)
    return CheckedManifest(_manifest(document, Address(kind, key), options), problems)


def _elsewhere(
    document: Document, options: Mapping[str, Any], key: str | None, reading: ManifestContext
) -> frozenset[Address]:
    """The addresses that a manifest has on the targets it is for, the former one included."""
    known = (reading.settings.targets[name] for name in options["targets"] if name in reading.settings.targets)
    providers = [reading.schemas.provider(each.provider) for each in known]
    kinds = {_kind_of(document) or default_kind(each) for each in providers}
    keys = {each for each in (key, options.get("moved_from")) if each is not None}
    return frozenset(Address(kind, each) for kind in kinds for each in keys)


def _manifest(document: Document, address: Address, options: Mapping[str, Any]) -> Manifest:
    return Manifest(
        address=address,
        body={name: value for name, value in document.value.items() if name != BLOCK},
        source=document.source,
        places=document.places,
        id=options.get("id"),
        protect=options.get("protect", False),
        on_remove=OnRemove(options["on_remove"]) if "on_remove" in options else None,
        ignore=frozenset(options.get("ignore", ())),
        initial=frozenset(options.get("initial", ())),
        moved_from=options.get("moved_from"),
        same_name_allowed="same_name" in options,
        renew=options.get("on_expired") == "renew",
        refs=document.refs,
    )


def _kind_of(document: Document) -> str | None:
    """What a document says of its kind: true of its body, whatever is wrong with the rest of its block."""
    block = document.value.get(BLOCK)
    kind = block.get("kind") if isinstance(block, dict) else None
    return kind if isinstance(kind, str) else None


def _block_problems(document: Document, reading: ManifestContext) -> list[Diagnostic]:
    if BLOCK not in document.value or document.value[BLOCK] is None:
        return []
    inner = Document(
        document.value[BLOCK],
        document.source,
        {path[1:]: place for path, place in document.places.items() if path[:1] == (BLOCK,)},
        {path[1:]: mark for path, mark in document.keys.items() if path[:1] == (BLOCK,)},
        {path[1:]: tagged for path, tagged in document.tagged.items() if path[:1] == (BLOCK,)},
        {path[1:]: text for path, text in document.spelled.items() if path[:1] == (BLOCK,)},
    )
    return schema_diagnostics(reading.schemas.failures(MANIFEST, inner.value), inner, reading.schemas.schema(MANIFEST))


def _target_problems(document: Document, options: Mapping[str, Any], reading: ManifestContext) -> Iterator[Diagnostic]:
    known = reading.settings.targets
    for index, name in enumerate(options.get("targets", ())):
        if name not in known:
            near = closest(name, known)
            hint = f"did you mean {near}?" if near else f"the targets are {listed(sorted(known))}"
            place = document.place((BLOCK, "targets", index))
            yield error(Code.UNKNOWN_TARGET, f"there is no target {cut(name)}", place, hint=hint)


def _key_problems(document: Document, options: Mapping[str, Any], key: str | None) -> Iterator[Diagnostic]:
    if key is None:
        summary = "each document of a file with several documents needs a key"
        hint = "add `reconciler: {key: …}` to it"
        yield error(Code.BAD_KEY, summary, document.source, hint=hint)
    elif wrong := _key_fault(key):
        place = document.place((BLOCK, "key")) if "key" in options else document.source
        origin = "" if "key" in options else ", made from the path of the file,"
        detail = f"letters, digits, `.`, `_` and `-` in parts joined by `/`, at most {MAX_KEY} characters"
        near = "/".join(filter(None, map(slug, key.split("/"))))[:MAX_KEY] or "…"
        hint = f"write `{BLOCK}: {{key: {near}}}`" + ("" if "key" in options else ", or rename the file")
        yield error(Code.BAD_KEY, f"the key {cut(key)}{origin} {wrong}", place, detail, hint)
    if "moved_from" in options and (wrong := _key_fault(options["moved_from"])):
        place = document.place((BLOCK, "moved_from"))
        yield error(Code.BAD_KEY, f"moved_from {cut(options['moved_from'])} {wrong}", place)
    elif options.get("moved_from") == key and key is not None:
        place = document.place((BLOCK, "moved_from"))
        yield error(Code.BAD_KEY, "moved_from is the same as the key", place, hint="write the key it had before")


def _key_fault(key: str) -> str:
    if len(key) > MAX_KEY:
        return f"has {len(key)} characters; the limit is {MAX_KEY}"
    return "" if is_key(key) else "is not a valid key"


def _unknown_kind(document: Document, kind: str, provider: Provider) -> Diagnostic:
    known = sorted(provider.kinds)
    near = closest(kind, known)
    hint = f"did you mean {near}?" if near else f"the kinds are {listed(known)}"
    return error(Code.UNKNOWN_KIND, f"unknown kind {cut(kind)}", document.place((BLOCK, "kind")), hint=hint)


def _body_problems(
    document: Document, options: Mapping[str, Any], kind: ProviderKind, reading: ManifestContext, texts: str
) -> Iterator[Diagnostic]:
    schema = reading.schemas.schema(kind.schema)
    body = {name: value for name, value in document.value.items() if name != BLOCK}
    if failures := reading.schemas.failures(kind.schema, body):
        ours = reading.schemas.schema(MANIFEST)["properties"]
        settings = reading.schemas.schema(SETTINGS_SCHEMA)["properties"]
        elsewhere = dict.fromkeys(settings, f"settings belong in {SETTINGS}, at the top of the directory")
        elsewhere |= {name: f"write it as `{BLOCK}: {{{name}: …}}`" for name in ours}
        yield from schema_diagnostics(failures, document, schema, elsewhere)
    yield from suspicious_text(document, body, kind, texts)
    yield from unreplaced_placeholders(document, body, kind, texts)
    if options:
        yield from _named_units(document, options, body, _units(schema["properties"]))


def _named_units(
    document: Document, options: Mapping[str, Any], body: Mapping[str, Json], fields: Mapping[str, bool]
) -> Iterator[Diagnostic]:
    """What is wrong with the units that `ignore` and `initial` name."""
    for word in ("ignore", "initial"):
        for index, unit in enumerate(options.get(word, ())):
            place = document.place((BLOCK, word, index))
            if problem := _unit_problem(unit, fields, place_of=(BLOCK, word)):
                yield error(Code.UNKNOWN_FIELD, problem[0], place, hint=problem[1])
            elif word == "ignore" and unit in body:
                summary = f"{cut(unit)} is set here, but `ignore` names it: it is never sent"
                hint = "use `initial` to set it once, at create"
                yield warning(Code.INVALID_VALUE, summary, document.key_place((unit,)), hint=hint)


def _units(properties: Mapping[str, Any]) -> dict[str, bool]:
    """The fields that can be managed → whether their entries can be, one by one."""
    return {name: each.get("x-map") == "granular" for name, each in properties.items() if not each.get("readOnly")}


def _unit_problem(unit: str, fields: Mapping[str, bool], place_of: Path) -> tuple[str, str] | None:
    field, dot, entry = unit.partition(".")
    if field in fields and (not dot or (entry and fields[field])):
        return None
    if field in fields and dot:
        granular = next((name for name in fields if fields[name]), None)
        hint = f"use the field, {field}" + (
            f"; only {granular} has entries that can be listed here" if granular else ""
        )
        return f"{cut(unit)} in {place_of[-1]} is part of a field", hint
    near = closest(field, fields)
    hint = f"did you mean {near}?" if near else f"the fields are {listed(sorted(fields))}"
    return f"{cut(unit)} in {place_of[-1]} is not a field", hint
