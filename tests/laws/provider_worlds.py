"""Generated worlds for the kinds of a shipped provider: files, and an account that is more or less what they say.

Owners, duplicates, clones, moves, bindings, flags and references between kinds are all in them. Kinds whose objects
are uploaded, and members, are left out: `test_three_kinds` has those on the server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from reconciler.config.schema.schemas import shipped
from reconciler.core.matching.index import Observation
from reconciler.core.references import placeholder, reference_places, with_values
from reconciler.core.values.model import Address, Body, LiveObject, Manifest, OnRemove, Path
from reconciler.core.values.semantics import Kind, units
from reconciler.operations.project.kinds import kinds_of
from tests.strategies import bodies
from tests.unit.core.build import bare, manifest, marked

KEYS = ("a", "b", "c", "team/d")
SOME = 25
NONCES = ("n1", "n2", "n3")
FLAGS = (None, *OnRemove)


@dataclass(frozen=True)
class World:
    """Files, and what there is on the account, kind by kind in the order of the provider's data."""

    files: tuple[Manifest, ...]
    observed: tuple[Observation, ...]

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The kinds by name."""
        return {each.kind.name: each.kind for each in self.observed}


@cache
def kinds(provider: str) -> tuple[Kind, ...]:
    """The kinds of a provider that worlds are made of; marks are where new ones go."""
    found = shipped().provider(provider)
    beside = any(kind.mark_field is None and kind.upload is None for kind in found.kinds.values())
    return tuple(each.kind for each in kinds_of(found, shipped(), beside=beside) if not each.kind.immutable)


@cache
def some_bodies(provider: str, name: str) -> SearchStrategy[Body]:
    """One of some bodies of a kind, members aside: always the same ones, because drawing them is most of the work."""
    (kind,) = (each for each in kinds(provider) if each.name == name)
    schema = shipped().schema(shipped().provider(provider).kinds[name].schema)
    pool: list[Body] = []

    @settings(deadline=None, derandomize=True, database=None, max_examples=SOME, phases=[Phase.generate])
    @given(bodies(schema))
    def collect(body: Body) -> None:
        pool.append({field: value for field, value in body.items() if field not in kind.managed_maps})

    collect()
    return st.sampled_from(sorted(pool, key=lambda body: len(str(body))))


@st.composite
def provider_worlds(draw: st.DrawFn, provider: str, *, settled: bool = False, digests: bool = False) -> World:
    """A world; a `settled` one has neither bindings nor moves of what another manifest has."""
    found = kinds(provider)
    ids = {kind.name: [f"{kind.name}_{number}" for number in range(draw(st.integers(0, 3)))] for kind in found}
    keys = {kind.name: sorted(draw(st.sets(st.sampled_from(KEYS), max_size=2))) for kind in found}
    files: list[Manifest] = []
    plain: dict[str, list[Body]] = {kind.name: [] for kind in found}
    for kind in found:
        places = [Address(name, key) for name, several in keys.items() for key in several]
        for key in keys[kind.name]:
            body = draw(some_bodies(provider, kind.name))
            plain[kind.name].append(body)
            block = draw(_blocks(kind, [] if settled else ids[kind.name], keys[kind.name] if settled else []))
            earlier = [each for each in places if each.kind != kind.name or each.key < key]
            files.append(_referring(draw, manifest(key, body, kind, **block), kind, earlier, ids))
    observed = []
    for kind in found:
        some = some_bodies(provider, kind.name)
        bodies_near = st.sampled_from(plain[kind.name]) if plain[kind.name] else some
        objects = [draw(_objects(kind, id, some, bodies_near, digests)) for id in ids[kind.name]]
        observed.append(Observation(kind, tuple(objects), 1))
    return World(tuple(_once_moved(files) if settled else files), tuple(observed))


@st.composite
def _blocks(draw: st.DrawFn, kind: Kind, ids: Sequence[str], taken: Sequence[str]) -> dict[str, Any]:
    """What a `reconciler:` block says, mostly nothing."""
    fields = st.sets(st.sampled_from(sorted(set(kind.fields) - set(kind.managed_maps))), max_size=1)
    free = [key for key in KEYS if key not in taken]
    return {
        "protect": draw(st.booleans()),
        "on_remove": draw(st.sampled_from(FLAGS)),
        "ignore": draw(fields),
        "initial": draw(fields),
        "moved_from": draw(st.sampled_from([None, None, *free])),
        "id": draw(st.sampled_from([None, None, None, *ids])),
        "same_name_allowed": draw(st.booleans()),
    }


@st.composite
def _objects(
    draw: st.DrawFn, kind: Kind, id: str, some: SearchStrategy[Body], near: SearchStrategy[Body], digests: bool
) -> LiveObject:
    body = dict(draw(near))
    other = draw(some)
    body |= {name: other[name] for name in draw(st.sets(st.sampled_from(sorted(other)), max_size=2))} if other else {}
    created = draw(st.integers(0, 2))
    if draw(st.integers(0, 3)) == 0:
        return bare(id, body, kind, created)
    managed = [unit for unit in units(kind, body) if draw(st.integers(0, 3))]
    return marked(
        id,
        draw(st.sampled_from(KEYS)),
        body,
        kind,
        managed=managed,
        created=created,
        owner=draw(st.sampled_from(["acme", "acme", "acme", "other"])),
        nonce=draw(st.sampled_from([None, *NONCES])),
        protect=draw(st.sampled_from([False, False, True])),
        on_remove=draw(st.sampled_from(FLAGS)),
        last=draw(st.sampled_from([None, body])) if digests else None,
    )


def _once_moved(files: Sequence[Manifest]) -> list[Manifest]:
    """No two manifests of a kind that move the same object."""
    found, taken = [], set[Address]()
    for each in files:
        former = Address(each.address.kind, each.moved_from or "")
        found.append(replace(each, moved_from=None) if former in taken else each)
        taken.add(former)
    return found


def _referring(
    draw: st.DrawFn, plain: Manifest, kind: Kind, earlier: Sequence[Address], ids: Mapping[str, Sequence[str]]
) -> Manifest:
    """The manifest with ids of objects, and `!ref`s to other manifests, in places that hold an id."""
    refs: dict[Path, Address] = {}
    body = plain.body
    free = list(earlier)
    for path, (wanted, _) in reference_places(kind, plain.body):
        options: list[Address | str] = [each for each in free if each.kind == wanted]
        options += ids.get(wanted, ())
        chosen = draw(st.sampled_from(options)) if options else None
        if isinstance(chosen, Address):
            free.remove(chosen)
            refs[path] = chosen
        if chosen is not None:
            body = with_values(body, {path: placeholder(chosen) if isinstance(chosen, Address) else chosen})
    return replace(plain, body=body, refs=refs)
