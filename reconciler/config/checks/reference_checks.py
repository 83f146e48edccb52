"""What `!ref` names has to be there, of the right kind, and not refer back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from reconciler.config.errors import error
from reconciler.config.message_text import closest, dotted, listed
from reconciler.config.schema.schemas import Schemas
from reconciler.core.values.model import Address, Manifest, Path
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
                    f"a {manifest.address.kind} is made before any {address.kind}, so that it cannot refer to {address}"
                )
                yield error(Code.BAD_REFERENCE, summary, manifest.place(path))
            elif (kind := _kind_at(fields[manifest.address.kind], path)) not in (None, address.kind):
                summary = f"{dotted(path)} takes the id of a {kind}, and {address} is none"
                yield error(Code.BAD_REFERENCE, summary, manifest.place(path), hint=f"name a {kind}: `!ref {kind}/KEY`")
    if circle := _circle(known):
        first = known[circle[0]]
        path = next(path for path, address in first.refs.items() if address in circle)
        shown = " → ".join(map(str, (*circle, circle[0])))
        hint = "none of them can be made before the others: take one reference out"
        yield error(Code.BAD_REFERENCE, f"references go round in a circle: {shown}", first.place(path), hint=hint)


def _missing(
    manifest: Manifest, path: Path, address: Address, target: str, known: Mapping[Address, Manifest]
) -> Diagnostic:
    names = sorted(str(each) for each in known if each.kind == address.kind)
    near = closest(str(address), names)
    if near:
        hint = f"did you mean {near}?"
    else:
        hint = f"there are {listed(names[:5])}" if len(names) > 1 else "".join(f"there is {each}" for each in names)
        hint = hint or f"write a manifest of kind {address.kind}, or let the `targets` of one that exists name {target}"
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
