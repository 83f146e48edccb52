"""References in saved plans: they come back as they were, out of a sealed plan as well."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.core.matching.index import Observation
from reconciler.core.plan import Plan
from reconciler.core.references import with_ids_filled_in
from reconciler.core.values.model import Address, Body, Change, LiveObject, Path
from reconciler.formats.parse_plan import plan_from_document
from reconciler.formats.plan_document import digest_of, document_text, plan_document
from reconciler.formats.redact import redact, restore
from tests.unit.core.build import SCHEMAS, marked
from tests.unit.core.linked import BOT, STORE, at, bot, change_of, planned, store
from tests.unit.core.plans import paths, saved_addresses, unhurried

SCHEMA = json.loads((SCHEMAS / "plan.schema.json").read_text(encoding="utf-8"))


def live_store(id: str = "s1", key: str = "a", **more: object) -> LiveObject:
    return marked(id, key, {"title": key}, STORE, **more)  # type: ignore[arg-type]


class TestSealedPlans:
    """A sealed plan is opened again whether what it refers to was made in the meantime or not."""

    FILES = (store("a"), store("b"), bot("k", refs={("stores", 0): "store/a", ("stores", 1): "store/b"}))
    STORES = (live_store("s2", "b"),)

    def opened(self, *stores: LiveObject) -> tuple[Plan, tuple[Change, ...]]:
        kinds = {"store": STORE, "bot": BOT}
        shut = plan_from_document(plan_document(redact(planned(self.FILES, self.STORES), kinds)))
        observed = [Observation(STORE, stores, 1), Observation(BOT, (), 1)]
        return restore(shut, planned(self.FILES, stores), observed)

    def test_what_is_not_there_yet_still_is_referred_to(self) -> None:
        for stores in (self.STORES, (*self.STORES, live_store())):
            again, lost = self.opened(*stores)
            change = change_of(again, "bot/k")
            assert lost == ()
            assert (with_ids_filled_in(change, {at("store/a"): "s1"}).patch or {})["stores"] == ["s1", "s2"]
            waits = stores == self.STORES
            assert [str(address) for _, address in change.refs] == (["store/a"] if waits else [])
        again, _ = self.opened(*self.STORES)
        assert change_of(again, "bot/k").patch == change_of(planned(self.FILES, self.STORES), "bot/k").patch

    def test_where_what_was_there_is_another_the_change_is_lost(self) -> None:
        _, lost = self.opened(live_store("s3", "b"))
        assert [str(change.address) for change in lost] == ["bot/k"]


class TestDocuments:
    """What a saved plan says of references comes back as it was."""

    @unhurried
    @given(st.lists(st.tuples(paths, saved_addresses), max_size=3), st.lists(st.integers(0, 99), max_size=3))
    def test_places_and_needs_come_back(self, refs: list[tuple[Path, Address]], needs: list[int]) -> None:
        [change] = planned([bot("k")]).changes
        plan = replace(planned(), changes=(replace(change, refs=tuple(refs), needs=tuple(needs)),))
        document = plan_document(plan)
        Draft202012Validator(SCHEMA).validate(document)
        assert plan_from_document(json.loads(document_text(document))) == plan

    def test_they_are_written_as_paths_and_numbers_and_left_out_where_there_are_none(self) -> None:
        wanted = bot("k", refs={("search", "ids", 0): "store/a"})
        gone = marked("s1", "gone", {"title": "gone"}, STORE)
        user = marked("b1", "user", {"text": "user", "store": "s1"}, BOT)
        found = planned([store("a"), wanted, bot("user")], [gone], [user], prune=True, allow_deletes=1)
        said = {each["address"]: each for each in plan_document(found)["changes"]}
        assert said["bot/k"]["refs"] == [{"path": ["search", "ids", 0], "address": "store/a"}]
        assert said["store/gone"]["needs"] == [said["bot/user"]["number"]]
        assert not {"refs", "needs"} & said["store/a"].keys()

    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            ({"refs": {}}, r"changes\[0\]: refs should be a list"),
            ({"refs": [4]}, r"refs\[0\]: what holds path should be a map"),
            ({"refs": [{"path": ["a"]}]}, r"refs\[0\]: address is missing"),
            ({"refs": [{"path": [True], "address": "store/a"}]}, r"refs\[0\]: path\[0\]: a step"),
            ({"refs": [{"path": ["a"], "address": "nowhere"}]}, r"refs\[0\]: not an address"),
            ({"refs": [{"path": ["a"], "address": 4}]}, r"refs\[0\]: address should be text"),
            ({"refs": [{"path": ["a"], "address": "store/a b"}]}, r"no resource can have the address 'store/a b'"),
            ({"needs": "store/a"}, r"needs should be a list"),
            ({"needs": [4, "store/a"]}, r"needs\[1\]: the number of a change should be a number"),
            ({"needs": [True]}, r"needs\[0\]: the number of a change should be a number"),
        ],
    )
    def test_what_is_wrong_with_them_is_said(self, edit: Body, message: str) -> None:
        document = plan_document(planned([bot("k")]))
        document["changes"][0].update(edit)
        with pytest.raises(ValueError, match=message):
            plan_from_document(document | {"digest": digest_of(document)})
