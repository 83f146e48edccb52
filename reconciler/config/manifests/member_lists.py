"""Expands the list of an object's members (files of a vector store) into a map with one entry each.

files:
  - handbook/*.md                                    a pattern: every file it matches
  - {source: handbook/leave.md, attributes: {…}}     a file by its path; says more than a pattern
  - !ref file/hr/expenses                            a file that has a manifest
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler.config.errors import error
from reconciler.config.manifests.file_manifests import Uploads
from reconciler.config.manifests.manifest import ManifestContext
from reconciler.config.message_text import cut
from reconciler.config.source.file_source import FileSource
from reconciler.config.source.globs import is_pattern
from reconciler.core.references import placeholder
from reconciler.core.values.model import Address, Json, Manifest, Path
from reconciler.diagnostics import Code, Diagnostic, Source
from reconciler.drivers.provider import MembersStyle


def with_member_lists(
    project: FileSource, reading: ManifestContext, manifests: Mapping[Address, Manifest]
) -> tuple[dict[Address, Manifest], list[Diagnostic]]:
    """The manifests with one for each uploaded file, and with the members of collections spelled out."""
    provider, schemas = reading.provider, reading.schemas
    uploads = {
        kind: Uploads(
            project,
            kind,
            spec.upload,
            _most(schemas.schema(spec.schema), spec.upload.labels),
            reading.secret_like_allowed,
        )
        for kind, spec in provider.kinds.items()
        if spec.upload is not None
    }
    if not uploads:
        return dict(manifests), []
    rest: dict[Address, Manifest] = {}
    problems: list[Diagnostic] = []
    for address in sorted(manifests):
        if address.kind in uploads:
            uploads[address.kind].add(manifests[address])
        else:
            rest[address] = manifests[address]
    for address, manifest in list(rest.items()):
        for field, style in provider.kinds[address.kind].members.items():
            if field in manifest.body:
                spelling = _MemberLists(rest[address], field, style, uploads[style.of])
                rest[address] = spelling.manifest()
                problems += spelling.problems
    for each in uploads.values():
        rest |= each.manifests
        problems += each.problems
    return rest, problems


def _most(schema: Mapping[str, Json], field: str) -> float:
    """How many entries a field can have."""
    most: float = schema["properties"].get(field, {}).get("maxProperties", math.inf)
    return most


@dataclass(frozen=True, slots=True)
class _MemberEntry:
    address: Address
    place: Source
    fields: Mapping[str, Json]
    by_pattern: bool


class _MemberLists:
    """The members of one manifest, spelled out."""

    def __init__(self, manifest: Manifest, field: str, style: MembersStyle, uploads: Uploads) -> None:
        self._manifest = manifest
        self._field = field
        self._style = style
        self._uploads = uploads
        self.problems: list[Diagnostic] = []

    def manifest(self) -> Manifest:
        """The manifest with an entry for each member."""
        chosen: dict[Address, _MemberEntry] = {}
        for number in range(len(self._manifest.body[self._field])):
            for entry in self._read(number):
                before = chosen.get(entry.address)
                if before and not (before.by_pattern or entry.by_pattern):
                    summary = f"{entry.address} is listed twice; the first is {before.place}"
                    self._refuse(Code.DOUBLE_MEMBER, summary, entry.place, "list it once")
                if before is None or before.by_pattern:
                    chosen[entry.address] = entry
        field, other = self._field, self._manifest
        entries = sorted(chosen.values(), key=lambda each: each.address)
        refs = {path: address for path, address in other.refs.items() if path[0] != field}
        places = {path: place for path, place in other.places.items() if path[:1] != (field,) or len(path) == 1}
        for entry in entries:
            refs[(field, entry.address.key, self._style.id_field)] = entry.address
            places[(field, entry.address.key)] = entry.place
        body = {**other.body, field: {entry.address.key: self._spelled(entry) for entry in entries}}
        return replace(other, body=body, refs=refs, places=places)

    def _read(self, number: int) -> Iterator[_MemberEntry]:
        path: Path = (self._field, number)
        entry, place = self._manifest.body[self._field][number], self._manifest.place(path)
        if isinstance(entry, str):
            entry = {self._style.id_field if path in self._manifest.refs else "source": entry}
            path = path[:2]
        else:
            path = (*path, self._style.id_field)
        if (self._style.id_field in entry) == ("source" in entry):
            summary = f"an entry of {self._field} names exactly one file: by `source` or by `{self._style.id_field}`"
            self._refuse(Code.NOT_FOR_FILES, summary, place, "write `source: PATH`")
        elif "source" in entry:
            for file in list(self._uploads.paths(entry["source"], place)):
                address = self._uploads.of_path(file, place, self._manifest)
                if address in self._uploads.manifests:
                    yield _MemberEntry(address, place, entry, is_pattern(entry["source"]))
        elif path in self._manifest.refs:
            yield _MemberEntry(self._manifest.refs[path], place, entry, False)
        else:
            summary = f"{cut(entry[self._style.id_field])} is the id of a file that is not managed by these files"
            hint = "use a file of the project, or write `!ref file/KEY`; files attached by others are not touched"
            self._refuse(Code.NOT_FOR_FILES, summary, place, hint)

    def _spelled(self, entry: _MemberEntry) -> dict[str, Json]:
        """An entry with the labels of its file, and with what the whole collection says where it says nothing."""
        labels = {**self._uploads.labels.get(entry.address, {}), **(entry.fields.get(self._labels) or {})}
        if len(labels) > self._uploads.most_labels:
            summary = f"{entry.address} has {len(labels)} {self._labels} here, including those of its own manifest"
            hint = f"leave at most {self._uploads.most_labels:.0f}"
            self._refuse(Code.NOT_FOR_FILES, summary, entry.place, hint)
        spelled: dict[str, Json] = {self._style.id_field: placeholder(entry.address)}
        for name in self._style.sent:
            if name not in (self._style.id_field, self._labels) and (
                value := entry.fields.get(name, self._manifest.body.get(name))
            ):
                spelled[name] = value
        return spelled | ({self._labels: labels} if labels else {})

    @property
    def _labels(self) -> str:
        return self._uploads.labels_field

    def _refuse(self, code: Code, summary: str, place: Source, hint: str) -> None:
        self.problems.append(error(code, summary, place, hint=hint))
