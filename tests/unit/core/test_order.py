"""Law 6 where objects refer to one another: files and lists in any order give the same bytes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.plan import Plan
from reconciler.core.values.model import Body, LiveObject, Manifest
from reconciler.core.values.semantics import Kind
from reconciler.formats.plan_document import plan_document
from tests.strategies import law
from tests.unit.core.build import bare, marked
from tests.unit.core.linked import BOT, STORE, bot, planned, store

KEYS = ["a", "b", "c", "d"]
STORES, BOTS = ["s0", "s1", "s2", "s3"], ["b0", "b1", "b2", "b3", "b4"]


def written(plan: Plan) -> str:
    return json.dumps(plan_document(plan))


@st.composite
def files(draw: st.DrawFn) -> list[Manifest]:
    found = []
    for key in draw(st.sets(st.sampled_from(KEYS), max_size=2)):
        found.append(store(key, id=draw(st.sampled_from([None, None, None, "s0"]))))
    known = [each.address.key for each in found]
    for key in draw(st.sets(st.sampled_from(KEYS), max_size=3)):
        refs: dict[Any, str] = {}
        if known and draw(st.booleans()):
            refs[("store",)] = f"store/{draw(st.sampled_from(known))}"
        if key != "a" and draw(st.booleans()):
            refs[("next",)] = f"bot/{chr(ord(key) - 1)}"
        found.append(bot(key, refs=refs, moved_from=draw(st.sampled_from([None, None, "x", "y"]))))
    return found


@st.composite
def objects(draw: st.DrawFn, kind: Kind, ids: list[str]) -> list[LiveObject]:
    """Of ours and of others; some of them several times for one key, some copied, most of them in use."""
    found = []
    for id in draw(st.lists(st.sampled_from(ids), unique=True, min_size=3)):
        key = draw(st.sampled_from([*KEYS, "x", "y"]))
        body: Body = {"title": key} if kind is STORE else draw(uses(key))
        made = draw(st.integers(0, 1))
        if draw(st.integers(0, 4)) == 0:
            found.append(bare(id, body, kind, made))
        else:
            nonce, owner = draw(st.sampled_from([None, "n1"])), draw(st.sampled_from(["acme", "acme", "other"]))
            protect = draw(st.booleans())
            found.append(marked(id, key, body, kind, nonce=nonce, owner=owner, protect=protect, created=made))
    return found


@st.composite
def uses(draw: st.DrawFn, key: str) -> Body:
    body: Body = {"text": key}
    if draw(st.booleans()):
        body["store"] = draw(st.sampled_from(STORES))
    else:
        body["stores"] = draw(st.lists(st.sampled_from(STORES), unique=True, min_size=1))
    if draw(st.booleans()):
        body["next"] = draw(st.sampled_from(BOTS))
    return body


@law
@given(files(), objects(STORE, STORES), objects(BOT, BOTS), st.data())
def test_a_plan_of_what_refers_to_one_another_is_the_same_bytes_in_any_order(
    wanted: list[Manifest], stores: list[LiveObject], bots: list[LiveObject], data: st.DataObject
) -> None:
    guarded = [c for c in planned(wanted, stores, bots, prune=True).changes if c.blocked and c.blocked.by == "guard"]
    scope = {"prune": True, "allow_deletes": len(guarded) or None}
    again = [data.draw(st.permutations(each)) for each in (wanted, stores, bots)]
    assert written(planned(*again, **scope)) == written(planned(wanted, stores, bots, **scope))


def test_the_user_that_is_named_does_not_depend_on_the_list() -> None:
    used = marked("s0", "gone", {"title": "gone"}, STORE)
    users = [bare(id, {"text": "t", "store": "s0"}, BOT) for id in ("b1", "b0", "b2")]
    plans = {written(planned([], [used], order, prune=True, allow_deletes=1)) for order in (users, users[::-1])}
    assert len(plans) == 1
    assert "bot b0 still uses it" in plans.pop()
