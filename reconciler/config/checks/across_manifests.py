"""Checks across all manifests of a target: references that lead somewhere, names and ids that are there once.

A name is compared by its hash, so that no name is kept in memory; what has the same hash is read again.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from reconciler.config.errors import error, warning
from reconciler.config.message_text import closest, cut, dotted, listed
from reconciler.config.schema.schemas import Schemas
from reconciler.config.syntax.document import BLOCK
from reconciler.core.values.model import Address, Json, Manifest, Path
from reconciler.core.values.semantics import FREE, Meaning
from reconciler.diagnostics import Code, Diagnostic
from reconciler.drivers.provider import Provider
from reconciler.formats.dialect import compile_schema


def reference_problems(
    manifests: Sequence[Manifest], target: str, provider: Provider, schemas: Schemas
) -> Iterator[Diagnostic]:
    """What is wrong with the references among the manifests of one target."""
    if not (referring := {manifest.address.kind for manifest in manifests if manifest.refs}):
        return
    known = {manifest.address: manifest for manifest in manifests}
    fields = {kind: compile_schema(schemas.schema(provider.kinds[kind].schema)) for kind in referring}
    order = list(provider.kinds)
    for manifest in manifests:
        for path, address in manifest.refs.items():
            if address not in known:
                yield _missing(manifest, path, address, target, known)
            elif order.index(address.kind) > order.index(manifest.address.kind):
                summary = (
                    f"a {manifest.address.kind} is created before any {address.kind}, so it cannot refer to {address}"
                )
                yield error(Code.BAD_REFERENCE, summary, manifest.place(path))
            elif (kind := _kind_at(fields[manifest.address.kind], path)) not in (None, address.kind):
                summary = f"{dotted(path)} needs the id of a {kind}, but {address} is something else"
                yield error(Code.BAD_REFERENCE, summary, manifest.place(path), hint=f"use a {kind}: `!ref {kind}/KEY`")
    if circle := _circle(known):
        first = known[circle[0]]
        path = next(path for path, address in first.refs.items() if address in circle)
        shown = " → ".join(map(str, (*circle, circle[0])))
        hint = "none of them can be created first: remove one reference"
        yield error(Code.BAD_REFERENCE, f"references form a cycle: {shown}", first.place(path), hint=hint)


def _missing(
    manifest: Manifest, path: Path, address: Address, target: str, known: Mapping[Address, Manifest]
) -> Diagnostic:
    names = sorted(str(each) for each in known if each.kind == address.kind)
    near = closest(str(address), names)
    if near:
        hint = f"did you mean {near}?"
    else:
        hint = f"there are {listed(names[:5])}" if len(names) > 1 else "".join(f"there is {each}" for each in names)
        hint = hint or f"write a manifest of kind {address.kind}, or add {target} to the `targets` of an existing one"
    return error(
        Code.BAD_REFERENCE,
        f"!ref names {address}, which has no manifest for the target {target}",
        manifest.place(path),
        hint=hint,
    )


def _kind_at(fields: Mapping[str, Meaning], path: Path) -> str | None:
    """The kind whose id stands at a path of a body, as far as the schema says."""
    meaning: Meaning = fields.get(str(path[0]), FREE)
    for step in path[1:]:
        inner = meaning.items if isinstance(step, int) else meaning.properties.get(step) or meaning.entries
        meaning = inner or FREE
    return meaning.ref


def _circle(known: Mapping[Address, Manifest]) -> tuple[Address, ...] | None:
    """A circle of references, beginning with the smallest address in it; None where there is none."""
    graph = {address: sorted(set(known[address].refs.values())) for address in sorted(known)}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as found:
        backwards: list[Address] = found.args[1][:-1]
        circle = backwards[::-1]
        smallest = circle.index(min(circle))
        return (*circle[smallest:], *circle[:smallest])
    return None


def name_hash(kind: str, name: Json) -> int | None:
    """The same, in one process, for names of a kind that people take for the same; None where there is no name."""
    return hash((kind, _folded(name))) if isinstance(name, str) else None


def same_names(named: Iterable[tuple[int | None, Manifest]], provider: Provider) -> Iterator[Diagnostic]:
    """Warnings for names that are used twice; each manifest comes with the hash of its name.

    Raises ConfigError for a file that has changed meanwhile.
    """
    found = [(number, each) for number, each in named if number is not None and not each.same_name_allowed]
    times = Counter(number for number, _ in found)
    first: dict[tuple[str, str], Manifest] = {}
    for number, manifest in found:
        if times[number] == 1:
            continue
        field = str(provider.kinds[manifest.address.kind].name_field)
        name = manifest.body[field]
        other = first.setdefault((manifest.address.kind, _folded(name)), manifest)
        if other is not manifest:
            summary = f"{manifest.address} has the same {field} as {other.address}: {cut(name)}"
            hint = "rename one, or write `reconciler: {same_name: allow}`"
            yield warning(Code.SAME_NAME, summary, manifest.place((field,)), hint=hint)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def same_ids(manifests: Sequence[Manifest]) -> Iterator[Diagnostic]:
    """Two manifests for one object: each would undo what the other says."""
    first: dict[tuple[str, str], Manifest] = {}
    for manifest in (each for each in manifests if each.id is not None):
        other = first.setdefault((manifest.address.kind, manifest.id or ""), manifest)
        if other is not manifest:
            bound = f"{manifest.address} is bound to {cut(manifest.id or '')}"
            summary = f"{bound}, and so is {other.address} ({other.source})"
            yield error(Code.SAME_ID, summary, manifest.place((BLOCK, "id")), hint="remove the `id` of one of them")
