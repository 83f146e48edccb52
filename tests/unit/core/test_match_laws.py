"""Whatever the files and objects are: every object is paired at most once, and what is alike is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.matching.index import Managed, folded, index
from reconciler.core.matching.match import How, match
from reconciler.core.matching.similarity import nearly_same, sketch_of
from reconciler.core.values.model import Address, Manifest
from reconciler.core.values.semantics import Kind, same
from tests.strategies import law
from tests.unit.core.build import OWNER, marked
from tests.unit.core.worlds import KINDS, worlds


@pytest.mark.parametrize("kind", KINDS)
@law
@given(data=st.data())
def test_every_manifest_is_paired_and_every_object_of_ours_has_one_place(kind: str, data: st.DataObject) -> None:
    files, objects = data.draw(worlds(KINDS[kind]))
    wanted = {each.address.key: each for each in files}
    others = data.draw(st.sets(st.sampled_from("abcd"))) - wanted.keys()
    elsewhere = frozenset(Address(kind, key) for key in others)
    found = index(KINDS[kind], objects, OWNER)
    matched = match(found, wanted, elsewhere)
    assert matched.pairs.keys() == wanted.keys()
    paired = [pair.live.id for pair in matched.pairs.values() if pair.live and not pair.block]
    left = [*matched.orphans, *(each for several in matched.surplus.values() for each, _ in several)]
    places = [*paired, *(each.live.id for each in left)]
    assert len(places) == len(set(places))
    assert not others.intersection(each.mark.key for each in left)
    again = match(index(KINDS[kind], data.draw(st.permutations(objects)), OWNER), wanted, elsewhere)
    assert (again.pairs, again.orphans, again.surplus) == (matched.pairs, matched.orphans, matched.surplus)


def one_by_one(kind: Kind, orphans: list[Managed], wanted: Manifest) -> tuple[Managed, str] | None:
    compared = [name for name, meaning in kind.fields.items() if not (meaning.uncompared or meaning.granular)]
    for each in sorted(orphans, key=lambda each: each.mark.key):
        body = each.live.body
        if all(same(kind.fields[name], wanted.body.get(name), body.get(name)) for name in compared):
            return each, "the same content"
        name = folded(wanted.body.get(kind.name_field or ""))
        if name and folded(body.get(kind.name_field or "")) == name:
            return each, "the same name"
    sketch = sketch_of(kind, wanted.body)
    if not sketch:
        return None
    near = [each for each in orphans if (other := sketch_of(kind, each.live.body)) and nearly_same(sketch, other)]
    return (near[0], "nearly the same content") if near else None


@pytest.mark.parametrize("kind", KINDS)
@law
@given(data=st.data())
def test_the_same_is_found_as_by_looking_at_each(kind: str, data: st.DataObject) -> None:
    files, objects = data.draw(worlds(KINDS[kind]))
    lost = [marked(f"m{n}", f"k{n}", dict(each.body), KINDS[kind], created=n) for n, each in enumerate(files)]
    matched = match(index(KINDS[kind], [*objects, *lost], OWNER), {each.address.key: each for each in files})
    for key, pair in matched.pairs.items():
        asked = pair.how is How.NEW and not pair.block and not pair.manifest.same_name_allowed
        wanted = one_by_one(KINDS[kind], list(matched.orphans), pair.manifest) if asked else None
        found = matched.renamed_to(key)
        assert (found and found[1]) == (wanted and wanted[1])
        assert found == wanted or (found and found[1] == "nearly the same content")
