"""The manifests that `pull` is to write: what each says, and in which files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.config.edit.file_layout import FreeNames, prevailing_layout
from reconciler.config.edit.manifest_from_live import Unmanageable, reproduce
from reconciler.config.edit.write_manifests import NewManifest, new_files
from reconciler.config.manifests.load import Loaded
from reconciler.core.values.model import Address, Body, Json, Manifest
from reconciler.diagnostics import Diagnostic, Source
from reconciler.drivers.provider import default_kind
from reconciler.operations.project.session import Session
from reconciler.operations.pulling.pull_selection import SelectedObject, Selection


@dataclass(frozen=True, slots=True)
class DraftManifest:
    """A manifest that is to be written for a live object, and its files by their path below the directory."""

    chosen: SelectedObject
    manifest: NewManifest
    files: Mapping[str, bytes]


def draft_manifests(session: Session, directory: str, loaded: Loaded, selection: Selection) -> list[DraftManifest]:
    """The manifests of what is chosen; what cannot have one is left, and reported."""
    kinds = session.provider.kinds
    habit = prevailing_layout(loaded.manifests, {name: kind.prose_field for name, kind in kinds.items()})
    names = FreeNames(directory, (m.address.key for m in loaded.manifests), habit.suffix)
    found: list[DraftManifest] = []
    warnings: list[Diagnostic] = []
    for chosen in selection.chosen:
        try:
            body, about = reproduce(chosen.ownership.kind, chosen.live.body, chosen.live.id, session.reading)
        except Unmanageable as problem:
            warnings += problem.diagnostics
            selection.left.append((chosen.live.id, "no valid manifest can be written for it"))
            continue
        if hint := _refused(chosen, body):
            selection.left.append((chosen.live.id, hint))
            continue
        warnings += about
        manifest = _new_manifest(session, names, chosen, body)
        found.append(DraftManifest(chosen, manifest, new_files(manifest, habit)))
    session.reporter.diagnostics(warnings)
    return found


def _refused(chosen: SelectedObject, body: Body) -> str:
    """Why the object could not be adopted; better known before a file is written."""
    address = Address(chosen.ownership.kind.name, chosen.mark.key if chosen.mark else "key")
    block = chosen.ownership.adopt(Manifest(address, body, Source("", 1, 1)), chosen.live.id).blocked
    return block.hint if block else ""


def _new_manifest(session: Session, names: FreeNames, chosen: SelectedObject, body: dict[str, Json]) -> NewManifest:
    kind, live, mark = chosen.ownership.kind, chosen.live, chosen.mark
    name = live.body.get(kind.name_field or "")
    if mark is None:
        key = stem = names.new(name if isinstance(name, str) else None, live.id, kind.name)
    else:
        key, stem = names.for_key(mark.key, kind.name)
    block: dict[str, Json] = {}
    if kind.name != default_kind(session.provider):
        block["kind"] = kind.name
    if key != stem:
        block["key"] = key
    if mark and mark.protect:
        block["protect"] = True
    if mark and mark.on_remove:
        block["on_remove"] = mark.on_remove.value
    prose = session.provider.kinds[kind.name].prose_field
    return NewManifest(Address(kind.name, key), stem, body, block, prose)
