"""Loads valid files fast and with little memory: bodies are not kept, but read again when needed.

A file with one document, and nothing to say about it, is accepted without the places of its values. Whatever else a
file holds is left to the thorough way of reading, which also finds the words. What is accepted is remembered by its
bytes, if there is a `ValidationCache`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from reconciler.config.checks.across_manifests import name_hash
from reconciler.config.errors import ConfigError, error
from reconciler.config.manifests.digests import content_digest
from reconciler.config.manifests.layers import EXTENDS, FOR_EACH
from reconciler.config.manifests.lazy_bodies import BodyWithPlaces, LazyBody, LazyPlaces
from reconciler.config.manifests.manifest import ManifestContext, read_manifest
from reconciler.config.manifests.tables.rows import ROW_TAGS
from reconciler.config.manifests.tags import Tags
from reconciler.config.manifests.validation_cache import ValidationCache
from reconciler.config.source.document_reader import DocumentReader
from reconciler.config.source.file_source import ManifestFile
from reconciler.config.syntax.document import BLOCK, Document
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.config.syntax.yaml import Unusual, read_unplaced
from reconciler.config.syntax.yaml_scalars import Tagged
from reconciler.core.fingerprint import fingerprint
from reconciler.core.values.model import Address, Fingerprint, Json, Manifest, OnRemove, Path, Unit
from reconciler.core.values.semantics import Kind
from reconciler.diagnostics import Code, Source

_MOST_WHOLE: Final = 8
_DIGEST_BYTES: Final = 16
# One for all manifests: an empty set takes as much memory as all else that is kept of most of them.
_NO_NAMES: Final[frozenset[str]] = frozenset()
_NO_REFS: Final[Mapping[Path, Address]] = MappingProxyType({})
_written = json.JSONEncoder(separators=(",", ":")).encode


class AcceptedManifest(NamedTuple):
    """A manifest that is in order, a hash of the name in it (see `names`), and the digest of its content."""

    manifest: Manifest
    name: int | None
    content: bytes


class CompactLoader:
    """Accepts files for one target. `kinds` are the target's, as the core compares them."""

    def __init__(
        self,
        documents: DocumentReader,
        tags: Tags,
        reading: ManifestContext,
        kinds: Mapping[str, Kind],
        memory: ValidationCache | None,
    ) -> None:
        self._documents = documents
        self._tags = tags
        self._reading = reading
        self._kinds = kinds
        self._memory = memory
        self._units: dict[tuple[Unit, ...], tuple[Unit, ...]] = {}
        self._recent: dict[bytes, BodyWithPlaces] = {}
        self._below = os.path.join(documents.project.root, "")
        self._odd: dict[str, ManifestFile] = {}
        self.elsewhere: set[Address] = set()

    def accept(self, found: ManifestFile) -> Sequence[AcceptedManifest] | None:
        """The manifest of a file, or none where it is for other targets; None where there is something to say of it."""
        try:
            content = self._documents.content(found)
            version = _digest(content)
            key = _digest(found.shown.encode(), found.key.encode(), version)
            known = self._memory.get(key) if self._memory else None
            remembered = self._remembered(json.loads(known), found, version) if known else None
            return self._read(found, content, key, version) if remembered is None else remembered
        except (UnreadableFile, Unusual, ValueError):
            return None

    def done(self) -> None:
        """No more files come: what is new is remembered, and nothing of it need be held any longer."""
        if self._memory:
            self._memory.close()
        self._memory = None

    def row(self, manifest: Manifest, again: LazyBody) -> Manifest:
        """The manifest of a row, whose body can be made again."""
        found = fingerprint(self._kinds[manifest.address.kind], manifest)
        shared = found and Fingerprint(self._units.setdefault(found.units, found.units), found.digest)
        return replace(manifest, body=again, places=LazyPlaces(again), fingerprint=shared)

    def whole(self, what: bytes) -> BodyWithPlaces:
        """A body and its places, read again. Raises ConfigError unless the file is as it was."""
        if what not in self._recent:
            shown = what[_DIGEST_BYTES:].decode()
            # Nearly every file is where messages say it is: only of the others more is kept.
            usual = ManifestFile(self._below + shown, shown, "", os.path.splitext(shown)[1])
            whole, now = self._read_again(self._odd.get(shown, usual))
            if now != what[:_DIGEST_BYTES]:
                summary = "the file has changed while it was being read"
                raise ConfigError([error(Code.FILE_CHANGED, summary, Source(shown, 1, 1), hint="run it again")])
            if len(self._recent) >= _MOST_WHOLE:
                del self._recent[next(iter(self._recent))]
            self._recent[what] = whole
        return self._recent[what]

    def _read_again(self, found: ManifestFile) -> tuple[BodyWithPlaces, bytes]:
        try:
            content = self._documents.content(found)
            documents, _ = self._documents.of(found, content)
            tagged = list(documents[0].tagged.values())
            self._tags.resolve(documents[0], found.path)
        except (UnreadableFile, IndexError):
            return BodyWithPlaces({}, {}), b""
        texts = self._texts(tagged, found, documents[0].source)
        document = documents[0]
        return BodyWithPlaces(_body(document), document.places), _version(_digest(content), texts)

    def _read(
        self, found: ManifestFile, content: bytes, key: bytes, version: bytes
    ) -> Sequence[AcceptedManifest] | None:
        documents, problems = self._documents.of(found, content, read_unplaced)
        if problems or len(documents) != 1 or not isinstance(documents[0].value, dict):
            return None
        document = documents[0]
        block = document.value.get(BLOCK)
        tagged = list(document.tagged.values())
        if isinstance(block, dict) and (FOR_EACH in block or EXTENDS in block):
            return None
        if any(each.tag in ROW_TAGS for each in tagged) or self._tags.resolve(document, found.path):
            return None
        judged = read_manifest(document, found.key, self._reading)
        if judged.problems or (judged.manifest and self._is_of_files(judged.manifest)):
            return None
        facts: list[Any] | dict[str, Any] = {"elsewhere": sorted(judged.elsewhere)}
        if judged.manifest:
            facts = self._facts(judged.manifest, self._texts(tagged, found, document.source))
        if self._memory:
            self._memory.put(key, _written(facts).encode())
        return self._accepted(facts, found, version)

    def _is_of_files(self, manifest: Manifest) -> bool:
        """Whether other files say what it means: those it uploads, or those that are in it."""
        kind = self._kinds[manifest.address.kind]
        return kind.immutable or bool(kind.managed_maps)

    def _texts(self, tagged: list[Tagged], found: ManifestFile, place: Source) -> list[tuple[str, str]]:
        """What `!file` names, with a digest of the text that is there. Raises Refused."""
        return [(each.text, self._text_digest(each.text, found, place)) for each in tagged if each.tag == "!file"]

    def _text_digest(self, name: str, found: ManifestFile, place: Source) -> str:
        return _digest(self._tags.text_of(name, place, found.path).encode()).hex()

    def _facts(self, manifest: Manifest, texts: list[tuple[str, str]]) -> list[Json]:
        kind = self._kinds[manifest.address.kind]
        known = fingerprint(kind, manifest)
        name = manifest.body.get(kind.name_field or "")
        return [
            *(manifest.source.line, manifest.source.column, *manifest.address, manifest.id, manifest.protect),
            *(manifest.on_remove, sorted(manifest.ignore), sorted(manifest.initial), manifest.moved_from),
            *(manifest.same_name_allowed, manifest.renew),
            [[path, *address] for path, address in manifest.refs.items()],
            [known.units, known.digest.hex()] if known else None,
            name if isinstance(name, str) else None,
            content_digest(manifest).hex(),
            texts,
        ]

    def _remembered(
        self, facts: list[Any] | dict[str, Any], found: ManifestFile, version: bytes
    ) -> Sequence[AcceptedManifest] | None:
        """What was accepted before, unless a file that it names is another one now. Raises Refused."""
        if isinstance(facts, list) and any(
            self._text_digest(name, found, Source("", 0, 0)) != text for name, text in facts[-1]
        ):
            return None
        return self._accepted(facts, found, version)

    def _accepted(
        self, facts: list[Any] | dict[str, Any], found: ManifestFile, version: bytes
    ) -> Sequence[AcceptedManifest]:
        if isinstance(facts, dict):
            self.elsewhere |= {Address(*each) for each in facts["elsewhere"]}
            return ()
        line, column, kind, key, id, protect, on_remove, ignore, initial, moved, same, *rest = facts
        renew, refs, written, name, digest, texts = rest
        body = LazyBody(self, _version(version, texts) + found.shown.encode())
        if found.path != self._below + found.shown:
            self._odd[found.shown] = found
        manifest = Manifest(
            Address(kind, found.key if key == found.key else key),
            body,
            Source(found.shown, line, column),
            LazyPlaces(body),
            id,
            protect,
            OnRemove(on_remove) if on_remove else None,
            frozenset(ignore) if ignore else _NO_NAMES,
            frozenset(initial) if initial else _NO_NAMES,
            moved,
            same,
            {tuple(path): Address(*address) for path, *address in refs} if refs else _NO_REFS,
            self._fingerprint(written),
            renew,
        )
        return (AcceptedManifest(manifest, name_hash(kind, name), bytes.fromhex(digest)),)

    def _fingerprint(self, found: list[Any] | None) -> Fingerprint | None:
        if found is None:
            return None
        units = tuple(tuple(unit) for unit in found[0])
        # Most manifests set the same units: one tuple for all of them.
        return Fingerprint(self._units.setdefault(units, units), bytes.fromhex(found[1]))


def _body(document: Document) -> dict[str, Json]:
    return {name: value for name, value in document.value.items() if name != BLOCK}


def _version(content: bytes, texts: Sequence[tuple[str, str]]) -> bytes:
    """What a file is known by when it is read again, from the digest of its content: what is in the files it names
    counts as well."""
    return _digest(content, *(bytes.fromhex(digest) for _, digest in texts)) if texts else content


def _digest(*parts: bytes) -> bytes:
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.digest()
