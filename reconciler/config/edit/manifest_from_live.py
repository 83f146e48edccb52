"""Makes a manifest from a live object, and reports what a manifest cannot hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.config.edit.minimal_body import minimal_body, unknown_fields, without_unknown
from reconciler.config.errors import has_errors, warning
from reconciler.config.manifests.manifest import ManifestContext, read_manifest
from reconciler.config.syntax.document import BLOCK
from reconciler.config.syntax.yaml import read_yaml
from reconciler.config.syntax.yaml_emitter import document_text
from reconciler.core.patch import unknown_parts
from reconciler.core.values.model import Body, Json, Path
from reconciler.core.values.semantics import Kind
from reconciler.diagnostics import Code, Diagnostic, Severity
from reconciler.drivers.provider import default_kind

_UNREADABLE = "it cannot be written into a file"


class Unmanageable(Exception):
    """No valid manifest can be written for an object; `diagnostics` say why."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__("; ".join(each.summary for each in diagnostics))
        self.diagnostics = diagnostics


def reproduce(kind: Kind, live: Body, id: str, reading: ManifestContext) -> tuple[Body, list[Diagnostic]]:
    """The body of a manifest for a live object, and warnings about what of the object is not in it.

    Raises Unmanageable where what is left is no manifest.
    """
    body = minimal_body(kind, live)
    warnings = list(_unknown(kind, live, id))
    if not _problems(body, kind, reading):
        return body, warnings
    required = reading.schemas.schema(reading.provider.kinds[kind.name].schema).get("required", ())
    least = {name: body[name] for name in required if name in body}
    kept: Body = {}
    for name, value in body.items():
        accepted, refused = _accepted(kind, name, value, live, least, reading)
        warnings += (_left_out(problem, id) for problem in refused)
        if accepted is not None:
            kept[name] = accepted
    if problems := _problems(least, kind, reading) or _problems(kept, kind, reading):
        raise Unmanageable([replace(each, severity=Severity.WARNING, source=None, address=id) for each in problems])
    return kept, warnings


def _accepted(
    kind: Kind, name: str, value: Json, live: Body, least: Body, reading: ManifestContext
) -> tuple[Json, list[Diagnostic]]:
    """As much of one field as the loader accepts, and what it says of the rest."""
    if kind.fields[name].granular and isinstance(value, dict):
        wrong = {key: _problems(least | {name: {key: each}}, kind, reading) for key, each in value.items()}
        kept = {key: each for key, each in value.items() if not wrong[key]}
        return kept or None, [problem for found in wrong.values() for problem in found]
    if not (problems := _problems(least | {name: value}, kind, reading)):
        return value, []
    # A part at its default may be required beside one that is not.
    complete = without_unknown(kind.fields[name], live[name])
    if not _problems(least | {name: complete}, kind, reading):
        return complete, []
    return None, problems


def _problems(body: Body, kind: Kind, reading: ManifestContext) -> list[Diagnostic]:
    """What the loader refuses of a manifest with this body; one problem at least where it reads another body."""
    block = {BLOCK: {"kind": kind.name}} if kind.name != default_kind(reading.provider) else {}
    unreadable = warning(Code.BAD_ENCODING, _UNREADABLE, None)
    try:
        documents, problems = read_yaml(document_text({**block, **body}).encode(), "")
    except UnicodeEncodeError:
        return [unreadable]
    if problems or len(documents) != 1:
        return problems or [unreadable]
    found = [each for each in read_manifest(documents[0], "key", reading).problems if has_errors([each])]
    if not found and {**block, **body} != documents[0].value:
        return [unreadable]
    return found


def _unknown(kind: Kind, live: Body, id: str) -> Iterator[Diagnostic]:
    places: list[Path] = [(name,) for name in unknown_fields(kind, live)]
    for name, meaning in kind.fields.items():
        places += unknown_parts(meaning, live.get(name), (name,))
    for path in places:
        place = ".".join(map(str, path))
        summary = f"{place} is not known to this version: it is left out of the manifest and not changed"
        yield replace(warning(Code.UNKNOWN_LIVE_FIELD, summary, None), address=id)


def _left_out(problem: Diagnostic, id: str) -> Diagnostic:
    summary = f"left out of the manifest and not changed: {problem.summary}"
    return replace(problem, severity=Severity.WARNING, summary=summary, hint="", source=None, address=id)
