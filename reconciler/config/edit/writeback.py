"""Writes a live change back to its file: only the lines that change, checked by reading the result.

Nothing is written here. New contents are kept as drafts, read back with the rules of the loader, and compared; whoever
asked writes them when every address went well.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from reconciler.config.edit.minimal_body import nearest, without_unknown
from reconciler.config.edit.overlay import FileOverlay, prose_field, read_documents
from reconciler.config.edit.write_manifests import fits_file, fits_markdown
from reconciler.config.errors import ConfigError, error, has_errors
from reconciler.config.manifests.load import load
from reconciler.config.manifests.manifest import ManifestContext
from reconciler.config.message_text import dotted, listed
from reconciler.config.source.referenced_file import MAX_FILE_BYTES
from reconciler.config.syntax.document import BLOCK, Document
from reconciler.config.syntax.document_builder import UnreadableFile, copied
from reconciler.config.syntax.frontmatter import as_in, halves, with_prose
from reconciler.config.syntax.positions import NotMapped, read_nodes
from reconciler.config.syntax.text_edits import aligned, spliced
from reconciler.config.syntax.yaml_scalars import Tagged
from reconciler.core.values.model import ABSENT, Body, Json, Manifest, Path, Unit
from reconciler.core.values.semantics import Kind, meaning_of
from reconciler.diagnostics import Code, Diagnostic

_BOM: Final = "\ufeff"


@dataclass(frozen=True, slots=True)
class _EditStrategy:
    """One way to write an edit: how much of a value is replaced, and whether defaults in it are spelled out."""

    fine: bool
    complete: bool = False


_STRATEGIES: Final = (_EditStrategy(fine=True), _EditStrategy(fine=False), _EditStrategy(fine=False, complete=True))


class WriteBack:
    """Puts live values into the files of a fleet; `drafts.contents` is what the files become."""

    def __init__(self, drafts: FileOverlay, reading: ManifestContext, manifests: Sequence[Manifest]) -> None:
        self.drafts = drafts
        self.reading = reading
        self.manifests = manifests
        self.found = {found.shown: found for found in drafts.walk()}

    def put(self, kind: Kind, manifest: Manifest, live: Body, units: Sequence[Unit]) -> list[str]:
        """Make the manifest say what the live object does in these units; the paths that change.

        Raises ConfigError if that is impossible: then the caller must not write anything.
        """
        if manifest.source.file not in self.found:  # a row of a fleet
            raise ConfigError([_by_hand(manifest, units)])
        problems: list[Diagnostic] = []
        before = dict(self.drafts.contents)
        for attempt in _STRATEGIES:
            values = {unit: _new_value(kind, manifest, live, unit, attempt.complete) for unit in units}
            try:
                changed = _ManifestEdit(self, kind, manifest).contents(values, attempt.fine)
            except (NotMapped, UnreadableFile) as wrong:
                problems = [wrong.diagnostic] if isinstance(wrong, UnreadableFile) else []
            else:
                return changed
            self.drafts.contents = dict(before)
        raise ConfigError([*problems, _by_hand(manifest, units)])


class _ManifestEdit:
    """The change of one manifest: in its own file, and in the text files that it names."""

    def __init__(self, around: WriteBack, kind: Kind, manifest: Manifest) -> None:
        self._drafts = around.drafts
        self._reading = around.reading
        self._manifests = around.manifests
        self._kind = kind
        self._manifest = manifest
        self._found = around.found[manifest.source.file]
        self._path = os.path.realpath(self._found.path)

    def contents(self, values: Mapping[Unit, Json], fine: bool) -> list[str]:
        """Put the files that change into the drafts; their paths. Raises NotMapped, Refused, ConfigError."""
        # Its line may have moved since it was loaded, its place among the documents has not.
        on_disk = read_documents(replace(self._drafts, contents={}), self._found, self._reading)
        place = [each.source for each in on_disk].index(self._manifest.source)
        documents = read_documents(self._drafts, self._found, self._reading)
        document = documents[place]
        body = _with_values(dict(self._manifest.body), values)
        before = document.value
        changed: dict[str, bytes] = {}
        raw = {name: value for name, value in before.items() if name != BLOCK}
        wanted = {**before, **self._with_tags(raw, self._manifest.body, body, (), changed)}
        if _text_of(before) != _text_of(wanted):
            changed[self._path] = self._own_file(document, wanted, fine)
        self._drafts.contents |= changed
        document.value = wanted
        self._check(documents, body)
        return list(changed)

    def _check(self, documents: Sequence[Document], body: Body) -> None:
        """The drafts have to be read as exactly this. Raises NotMapped, Refused."""
        read = read_documents(self._drafts, self._found, self._reading)
        if [_text_of(each.value) for each in read] != [_text_of(each.value) for each in documents]:
            raise NotMapped("another document changed")
        reading, drafts = self._reading, self._drafts
        loaded = load(
            drafts.root,
            drafts.directories,
            settings=reading.settings,
            target=reading.target,
            provider=reading.provider,
            schemas=reading.schemas,
            files=replace(drafts, only=self._found),
        )
        for problem in loaded.diagnostics:
            if has_errors([problem]):
                raise UnreadableFile(problem)
        now = next((each.body for each in loaded.manifests if each.address == self._manifest.address), None)
        if _text_of(now) != _text_of(body):
            raise NotMapped("it would be read differently")

    def _with_tags(self, raw: Json, old: Json, new: Json, path: Path, changed: dict[str, bytes]) -> Json:
        """`new`, with the tags that `raw` has where `old` has their values: where these stay, or their file changes."""
        if _text_of(old) == _text_of(new):
            return raw
        if isinstance(raw, Tagged):
            return self._changed_tag(raw, new, path, changed)
        if isinstance(old, dict) and isinstance(new, dict):
            if not isinstance(raw, dict) or not old.keys() <= raw.keys():
                raise NotMapped("another file sets part of it")
            return {
                name: self._with_tags(raw[name], old[name], value, (*path, name), changed) if name in old else value
                for name, value in new.items()
            }
        if isinstance(old, list) and isinstance(new, list):
            found = list(new)
            for place, other in aligned(old, new):
                found[other] = self._with_tags(raw[place], old[place], new[other], (*path, place), changed)
            return found
        return new

    def _changed_tag(self, tagged: Tagged, new: Json, path: Path, changed: dict[str, bytes]) -> Json:
        """What stands in the place of a tag whose value changes: the tag still, if its file can change instead."""
        if tagged.tag == "!var":
            summary = f"{self._manifest.address}: {dotted(path)} comes from a variable, !var {tagged.text}"
            hint = "change the variable in reconciler.yaml, or write the value in its place"
            raise ConfigError([error(Code.BAD_TAG, summary, self._manifest.place(path), hint=hint)])
        if not isinstance(new, str) or not fits_file(new):
            return new
        real, content = self._text_file(path, tagged, new)
        changed[real] = content
        return tagged

    def _text_file(self, path: Path, tagged: Tagged, text: str) -> tuple[str, bytes]:
        """The new content of the file that `!file` names."""
        real = self._drafts.followed(os.path.join(os.path.dirname(self._found.path), tagged.text))
        shown = self._drafts.name(real)
        others = [m for m in self._manifests if m.address != self._manifest.address and _uses(m, shown)]
        if others:
            summary = f"{self._manifest.address}: {dotted(path)} comes from {shown}, which other manifests use too"
            hint = (
                f"{listed(str(m.address) for m in others)} would change as well: give this manifest its own file first"
            )
            raise ConfigError([error(Code.FILE_REFUSED, summary, self._manifest.place(path), hint=hint)])
        old = self._drafts.read(real, MAX_FILE_BYTES).decode()
        return real, (old[: old.startswith(_BOM)] + as_in(old, text)).encode()

    def _own_file(self, document: Document, wanted: Body, fine: bool) -> bytes:
        before = document.value
        text = self._drafts.read(self._found.path, MAX_FILE_BYTES).decode()
        mark, text = text[: text.startswith(_BOM)], text.removeprefix(_BOM)
        if self._found.suffix == ".md":
            text = self._markdown(text, before, wanted, fine)
        else:
            nodes = read_nodes(text, is_json=self._found.suffix == ".json")
            root = next((each for each in nodes if (each.line + 1, each.column + 1) == document.source[1:]), None)
            if root is None:
                raise NotMapped("the document is not where it was")
            text = spliced(text, root, before, wanted, order=self._order, fine=fine)
        return (mark + text).encode()

    @property
    def _order(self) -> list[str]:
        return [BLOCK, *self._kind.fields]

    def _markdown(self, text: str, before: dict[str, Json], wanted: dict[str, Json], fine: bool) -> str:
        parts = halves(text)
        front = text[parts.start : parts.end]
        root = read_nodes(front)[0]
        field = prose_field(wanted, self._reading)
        prose = wanted.get(field)
        if field not in root.entries:
            before = {name: value for name, value in before.items() if name != field}
            if isinstance(prose, str) and fits_markdown(prose):
                wanted = {name: value for name, value in wanted.items() if name != field}
                text = with_prose(text, parts, prose)
            else:
                text = text[: parts.prose]
        new = spliced(front, root, before, wanted, order=self._order, fine=fine)
        return text[: parts.start] + new + text[parts.end :]


def _new_value(kind: Kind, manifest: Manifest, live: Body, unit: Unit, complete: bool) -> Json:
    """What the manifest is to say of a unit; `ABSENT` for an entry that is gone."""
    meaning = meaning_of(kind, unit)
    written, new = _at(manifest.body, unit), _at(live, unit)
    if new is ABSENT or new is None:
        # A managed field stays in the file, so that no request to the remote is needed.
        return ABSENT if len(unit) > 1 else copied(meaning.default)
    return without_unknown(meaning, new) if complete else nearest(meaning, written, new)


def _with_values(body: Body, values: Mapping[Unit, Json]) -> Body:
    found: Body = copied(body)
    for unit, value in values.items():
        if len(unit) > 1 and found.get(unit[0]) is None:
            found[unit[0]] = {}
        around = found if len(unit) == 1 else found[unit[0]]
        if value is ABSENT:
            around.pop(unit[-1], None)
        else:
            around[unit[-1]] = copied(value)
    return found


def _at(value: Json, path: Iterable[str | int]) -> Json:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return ABSENT
    return value


def _uses(manifest: Manifest, shown: str) -> bool:
    return manifest.source.file != shown and any(place.file == shown for place in manifest.places.values())


def _text_of(value: Json) -> str:
    return json.dumps(value, sort_keys=True, default=repr)


def _by_hand(manifest: Manifest, units: Sequence[Unit]) -> Diagnostic:
    fields = listed(".".join(unit) for unit in units)
    hint = f"edit {fields} by hand: `reconciler plan {manifest.address}` shows the live values"
    summary = f"{manifest.address}: the manual change cannot be written into its file without changing more"
    return error(Code.FILE_REFUSED, summary, manifest.place(units[0]), hint=hint)
