"""Objects that were exported from an account as JSON → first manifests."""

from __future__ import annotations

import errno
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from reconciler.config.edit.file_layout import FreeNames
from reconciler.config.edit.manifest_from_live import Unmanageable, reproduce
from reconciler.config.edit.write_manifests import FileLayout, NewManifest, new_files, real_directory
from reconciler.config.errors import ConfigError, error, warning
from reconciler.config.manifests.manifest import ManifestContext
from reconciler.core.values.model import Address, Body, Json
from reconciler.diagnostics import Code, Diagnostic, Source
from reconciler.drivers.provider import Provider, default_kind
from reconciler.drivers.response_fields import with_ids
from reconciler.drivers.transport.json_encoding import decoded
from reconciler.operations.project.kinds import kinds_of
from reconciler.tree import NotBelow, tree_of

_MOST_BYTES = 64 * 1024 * 1024


def exported_manifests(
    export: Path, root: Path, below: str, reading: ManifestContext
) -> tuple[dict[str, bytes], list[Diagnostic]]:
    """The files of a manifest for each exported object, by their path `below` the root, and what was left out.

    On a target that is not the embedded server, each is bound to its object by the id. Raises ConfigError where a file
    is no export, OSError where one cannot be read: inside the root, a link is not followed.
    """
    provider = reading.provider
    kinds = {each.kind.name: each.kind for each in kinds_of(provider, reading.schemas)}
    names = FreeNames(str(real_directory(root, below)), (), FileLayout().suffix)
    files: dict[str, bytes] = {}
    warnings: list[Diagnostic] = []
    lists = {"data", *(spec.list.items for spec in provider.kinds.values())}
    for source, shown in _objects(export, root, lists):
        kind = shown["object"] if shown.get("object") in kinds else default_kind(provider)
        if kind not in kinds:
            warnings.append(
                warning(Code.UNKNOWN_KIND, f"{provider.name} has no kind for this object: it is left out", source)
            )
            continue
        live = with_ids(provider.kinds[kind], shown)
        id = str(live.get("id") or "")
        try:
            body, about = reproduce(kinds[kind], live, id or source.file, reading)
        except Unmanageable as problem:
            warnings += [
                replace(each, summary=f"{each.summary}: the object is left out") for each in problem.diagnostics
            ]
            continue
        warnings += about
        files |= new_files(_manifest(provider, names, kind, live, id, body), FileLayout())
    return files, warnings


def _manifest(provider: Provider, names: FreeNames, kind: str, live: Body, id: str, body: Body) -> NewManifest:
    spec = provider.kinds[kind]
    name = live.get(spec.name_field or "")
    stem = names.new(name if isinstance(name, str) else None, id, kind)
    block: dict[str, Json] = {} if kind == default_kind(provider) else {"kind": kind}
    if id and not provider.embedded:
        block["id"] = id
    return NewManifest(Address(kind, stem), stem, body, block, spec.prose_field)


def _objects(export: Path, root: Path, lists: Collection[str]) -> Iterator[tuple[Source, Body]]:
    """Every object in a JSON file, or in those below a directory: alone, in a list, or in an answer of the API.

    An answer has its list in one of the fields `lists`.
    """
    files = [export]
    if export.is_dir():
        files = sorted(path for path in real_directory(root, export.absolute()).rglob("*.json") if path.is_file())
    if not files:
        hint = "use a directory of *.json files, each with an object or a list from the API"
        raise ConfigError([error(Code.UNREADABLE, f"there are no exported objects in {export}", None, "", hint)])
    for path in files:
        place = Source(str(path), 1, 1)
        for each in _in_file(_content(root, path, place), place, lists):
            yield place, each


def _content(root: Path, path: Path, place: Source) -> bytes:
    tree, file = tree_of(root, path.absolute())
    try:
        return tree.read(file, _MOST_BYTES)
    except NotBelow as wrong:
        code = Code.TOO_LARGE if wrong.errno == errno.EFBIG else Code.FILE_REFUSED
        raise ConfigError([error(code, f"the file cannot be read: {wrong.strerror}", place)]) from None


def _in_file(content: bytes, place: Source, lists: Collection[str]) -> Sequence[Body]:
    try:
        value = decoded(content)
    except json.JSONDecodeError as wrong:
        place = Source(place.file, wrong.lineno, wrong.colno)
        raise ConfigError([error(Code.INVALID_YAML, f"not valid JSON: {wrong.msg}", place)]) from None
    except ValueError as wrong:
        raise ConfigError([error(Code.INVALID_YAML, f"not valid JSON: {wrong}", place)]) from None
    if isinstance(value, dict):
        value = next((value[name] for name in sorted(lists) if isinstance(value.get(name), list)), value)
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(each, dict) for each in found):
        raise ConfigError([error(Code.INVALID_VALUE, "expected an object, or a list of objects", place)])
    return found
