"""Merges documents: a target's layers over manifests, and a manifest over what it `extends`.

One document is merged over another by RFC 7396 (JSON Merge Patch): mappings entry by entry, all else as a whole, and
null takes a field away. Every value keeps the place it came from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path as FilePath
from typing import Any, Final

from reconciler.config.errors import error, has_errors
from reconciler.config.manifests.lazy_bodies import LazyBody
from reconciler.config.message_text import cut, listed
from reconciler.config.source.file_source import SUFFIXES, FileSource, ManifestFile
from reconciler.config.source.project_files import name_below
from reconciler.config.source.referenced_file import named_file
from reconciler.config.syntax.document import BLOCK, Document
from reconciler.config.syntax.document_builder import UnreadableFile, copied
from reconciler.config.targets import Target
from reconciler.core.values.model import Address, Json, Path
from reconciler.diagnostics import Code, Diagnostic, Source

EXTENDS: Final = "extends"
FOR_EACH: Final = "for_each"
MAX_CHAIN: Final = 8
"""How many files may extend one another."""
# All of a document that goes by path; of keys only the line is known and not the file, so they are treated apart.
_TABLES: Final = tuple(each.name for each in fields(Document) if each.name not in ("value", "source", "keys"))


@dataclass(slots=True)
class ResolvedDocument:
    """One document, its tags resolved. `key` is the one that its place makes, None where its file has several.

    `sound` says whether its file had no problems; `verbatim` holds the paths of what tags stood for: never a template.
    `again` is its body where that need not be kept.
    """

    document: Document
    key: str | None
    sound: bool = True
    verbatim: frozenset[Path] = frozenset()
    again: LazyBody | None = None

    @property
    def block(self) -> dict[str, Json]:
        """Its `reconciler:` block; empty where there is none, or no mapping."""
        block = self.document.value.get(BLOCK) if isinstance(self.document.value, dict) else None
        return block if isinstance(block, dict) else {}

    def address(self, kind: str) -> Address | None:
        """The address as it is written (the key of a fleet is a template); `kind` where it names none."""
        block = self.block
        named, key = block.get("kind", kind), block.get("key", self.key)
        return Address(named, key) if isinstance(named, str) and isinstance(key, str) else None


def merged(under: ResolvedDocument, over: ResolvedDocument, own: ResolvedDocument) -> ResolvedDocument:
    """`over` merged over `under`; the result has the source and key of `own`, which is one of the two."""
    taken: set[Path] = set()
    below, above = under.document, over.document
    patch = above.value
    if isinstance(patch, dict) and patch.get(BLOCK, ...) is None:
        patch = {name: value for name, value in patch.items() if name != BLOCK}  # an empty block says nothing
    value = _patched(below.value, patch, (), taken)
    tables: dict[str, Any] = {name: _joined(getattr(below, name), getattr(above, name), taken) for name in _TABLES}
    kept = {path: mark for path, mark in below.keys.items() if not _is_within(path, taken)}
    verbatim = dict.fromkeys(under.verbatim), dict.fromkeys(over.verbatim)
    return ResolvedDocument(
        Document(value, own.document.source, keys=above.keys if own is over else kept, **tables),
        own.key,
        under.sound and over.sound,
        frozenset(_joined(*verbatim, taken)),
    )


def _patched(value: Json, patch: Json, path: Path, taken: set[Path]) -> Json:
    """The value with the patch applied; `taken` collects where what is below is replaced or removed."""
    if not isinstance(patch, dict):
        taken.add(path)
        return copied(patch)
    if not isinstance(value, dict):
        taken.add(path)
        value = {}
    result = dict(value)
    for name, each in patch.items():
        inner = (*path, name)
        if each is None:
            result.pop(name, None)
            taken.add(inner)
        else:
            result[name] = _patched(result.get(name), each, inner, taken)
    return result


def _joined(below: Mapping[Path, Any], above: Mapping[Path, Any], taken: Container[Path]) -> dict[Path, Any]:
    kept = {path: each for path, each in below.items() if not _is_within(path, taken)}
    return kept | {path: each for path, each in above.items() if _is_within(path, taken)}


def _is_within(path: Path, taken: Container[Path]) -> bool:
    return any(path[:length] in taken for length in range(len(path) + 1))


@dataclass(slots=True)
class _Stack:
    """Documents of one address: `top` is merged from all so far, the last of which stood in the layer `last`."""

    top: ResolvedDocument
    first: int
    last: int
    place: Source


@dataclass(slots=True)
class Layers:
    """The documents of a target that has layers: `names` of these, in order, over the manifests (layer 0)."""

    names: Sequence[str]
    kind: str
    _stacks: dict[Address, _Stack] = field(default_factory=dict)
    _apart: list[ResolvedDocument] = field(default_factory=list)

    def add(self, written: ResolvedDocument, found: ManifestFile) -> Iterator[Diagnostic]:
        """Take one document; layers come after what they are laid over."""
        layer = self._layer(found)
        address, place = written.address(self.kind), written.document.source
        stack = None if address is None else self._stacks.get(address)
        if address is None or (stack and not layer):
            self._apart.append(written)
        elif stack is None:
            self._stacks[address] = _Stack(written, layer, layer, place)
        elif stack.last == layer:
            summary = f"{cut(str(address))} is twice in the layer {self.names[layer - 1]}; the first is {stack.place}"
            yield error(Code.DUPLICATE_ADDRESS, summary, place, hint="keep one of them")
        else:
            stack.top, stack.last, stack.place = merged(stack.top, written, stack.top), layer, place

    def documents(self) -> Iterator[ResolvedDocument]:
        """Every document, merged; fleets first, so that `over` can take what is laid over their rows."""
        yield from self._apart
        for address in [each for each, stack in self._stacks.items() if FOR_EACH in stack.top.block]:
            yield self._stacks.pop(address).top
        while self._stacks:
            yield self._stacks.pop(next(iter(self._stacks))).top

    def over(self, row: ResolvedDocument) -> ResolvedDocument:
        """One row of a fleet with what layers say of its address, and no manifest does."""
        address = row.address(self.kind)
        stack = self._stacks.get(address) if address else None
        if address is None or stack is None or stack.first == 0:
            return row
        return merged(row, self._stacks.pop(address).top, row)

    def _layer(self, found: ManifestFile) -> int:
        return next((n for n, name in enumerate(self.names, 1) if found.shown.startswith(f"{name}/")), 0)


def layers_of(root: FilePath, target: Target) -> tuple[str, ...]:
    """The layers of a target as messages name files in them."""
    return tuple(name_below(root, os.path.abspath(root / each)) for each in target.layers)


def layer_problems(root: FilePath, dirs: Sequence[FilePath], target: Target) -> Iterator[Diagnostic]:
    """Layers that are not there, lead out of the project, or are read as manifests already."""
    inside = os.path.realpath(root) + os.sep
    others = [os.path.realpath(root / each) for each in dirs]
    for name, place in target.layers.items():
        real = os.path.realpath(root / name)
        if not real.startswith(inside):
            yield error(Code.FILE_REFUSED, f"the layer {cut(name)} points outside the project", place)
        elif not os.path.isdir(real):
            hint = "create it, or remove it from `layers`; the path is relative to the root of the project"
            yield error(Code.UNREADABLE, f"the directory {cut(name)} does not exist", place, hint=hint)
        elif around := next((each for each in others if _overlap(each, real)), None):
            summary = f"the layer {cut(name)} and {name_below(root, around)} are nested"
            hint = "move it out, or start its name with _ so that it is not read as manifests"
            yield error(Code.INVALID_SETTINGS, summary, place, hint=hint)
        others.append(real)


def _overlap(one: str, other: str) -> bool:
    """Whether files of one directory are also read as files of the other."""
    inner, outer = max(one, other, key=len), min(one, other, key=len)
    if inner == outer:
        return True
    below = inner.removeprefix(outer + os.sep)
    return below != inner and not any(part[0] in "._" for part in below.split(os.sep))


Read = Callable[[ManifestFile], tuple[list[ResolvedDocument], list[Diagnostic]]]
"""Reads the documents of a file, and says what is wrong with them. Raises Refused."""


def extended(written: ResolvedDocument, found: ManifestFile, project: FileSource, read: Read) -> ResolvedDocument:
    """The document over all that it extends; the same one where it extends nothing. Raises Refused."""
    chain = [found.path]
    result, text = written, written.block.get(EXTENDS)
    place = written.document.place((BLOCK, EXTENDS))
    while isinstance(text, str):
        file = named_file(project, EXTENDS, text, place, chain[-1])
        _check_base(file, chain, project, place)
        base = _only_document(file, read, project, place)
        result = merged(base, result, result)
        chain.append(file)
        text, place = base.block.get(EXTENDS), base.document.place((BLOCK, EXTENDS))
    if result is not written:
        result.document.value[BLOCK] = {name: value for name, value in result.block.items() if name != EXTENDS}
    return result


def _check_base(file: str, chain: Sequence[str], project: FileSource, place: Source) -> None:
    """Raises Refused where the file is a manifest of its own, or the chain is no chain."""
    name = project.name(file)
    summary = hint = ""
    if file in chain:
        summary, hint = f"extends forms a cycle, back to {name}", "remove one of them"
    elif len(chain) > MAX_CHAIN:
        summary, hint = f"extends chains more than {MAX_CHAIN} files", "merge some of them"
    elif not any(part.startswith("_") for part in name.split("/")):
        summary = f"{name} is a manifest itself and cannot be extended"
        hint = "start its name, or that of its directory, with _"
    elif os.path.splitext(file)[1] not in SUFFIXES:
        summary, hint = f"{name} cannot be extended", f"its name must end with {listed(SUFFIXES)}"
    if summary:
        raise UnreadableFile(error(Code.FILE_REFUSED, summary, place, hint=hint))


def _only_document(file: str, read: Read, project: FileSource, place: Source) -> ResolvedDocument:
    """The one document of a file. Raises Refused."""
    name = project.name(file)
    documents, problems = read(ManifestFile(file, name, "", os.path.splitext(file)[1]))
    if wrong := next((each for each in problems if has_errors([each])), None):
        raise UnreadableFile(wrong)
    if len(documents) != 1 or not isinstance(documents[0].document.value, dict):
        summary = f"{cut(name)} cannot be extended: it must contain one mapping"
        raise UnreadableFile(error(Code.INVALID_VALUE, summary, place))
    if documents[0].block.get(FOR_EACH) is not None:
        summary = f"{cut(name)} cannot be extended: it has its own rows"
        raise UnreadableFile(error(Code.INVALID_VALUE, summary, place, hint="write for_each in the manifest"))
    return documents[0]
