"""Sealed plans: no contents in them, and the same requests as the open plan, or a refusal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.decide import ConflictPolicy, OnDrift, Resolve
from reconciler.core.last_applied import BaseSource
from reconciler.core.matching.index import Observation, index
from reconciler.core.plan import Plan
from reconciler.core.values.model import ABSENT, Action, Body, Json, LiveObject, Manifest, OnRemove, Unit
from reconciler.core.values.semantics import FREE, Kind, Meaning, is_mark, meaning_of, same
from reconciler.core.verify import AlreadyApplied, Ready, Stale, check
from reconciler.formats.parse_plan import plan_from_document
from reconciler.formats.plan_document import document_text, plan_document
from reconciler.formats.redact import redact, restore
from tests.strategies import law
from tests.unit.core.build import ASSISTANT, OWNER, WIDGET, applied, bare, manifest, marked, plan, the_change
from tests.unit.core.worlds import due, worlds

KINDS = {"assistant": ASSISTANT, "widget": WIDGET}
EACH_KIND = pytest.mark.parametrize("name", KINDS)
REMEMBERING = pytest.mark.parametrize("digests", [False, True], ids=["names", "digests"])
TELLTALE = "Nightingale"


def saved(found: Plan, kind: Kind = ASSISTANT) -> Plan:
    """The plan as it comes back out of a sealed file."""
    return plan_from_document(json.loads(document_text(plan_document(redact(found, {kind.name: kind})))))


def opened(
    found: Plan, files: Sequence[Manifest], live: Sequence[LiveObject], kind: Kind = ASSISTANT, **scope: Any
) -> tuple[Plan, list[str]]:
    """The saved plan with its contents back from one made again, and the keys of the changes that were lost."""
    observed = [Observation(kind, tuple(live), 1)]
    again, lost = restore(saved(found, kind), plan(files, live, kind, **scope), observed)
    return again, [change.address.key for change in lost]


def patches(found: Plan) -> list[Body | None]:
    return [change.patch for change in found.changes if change.action is not Action.NOOP]


def scoped(data: st.DataObject, digests: bool) -> dict[str, Any]:
    policy = ConflictPolicy(data.draw(st.sampled_from([OnDrift.REVERT, OnDrift.KEEP])))
    return {"prune": True, "allow_deletes": 1, "digests": digests, "source": BaseSource(), "policy": policy}


class TestWhatIsLeft:
    FILES = (manifest("k", {"model": "m", "metadata": {"a": "2"}, "tools": [{"type": "file_search"}]}),)
    LIVE = (marked("o1", "k", {"model": "m", "metadata": {"a": "1"}, "tools": [], "name": "n"}),)

    def test_the_units_that_are_written_and_a_digest_of_their_values(self) -> None:
        change = the_change(redact(plan(self.FILES, self.LIVE), {"assistant": ASSISTANT}))
        assert [(field.path, field.before, field.after) for field in change.fields] == [
            (("metadata", "a"), ABSENT, ABSENT),
            (("tools",), ABSENT, ABSENT),
            (("name",), ABSENT, ABSENT),
        ]
        assert change.patch is None
        assert set(change.seals) == set(change.units)
        assert all(seal.startswith("sha256:") for seal in change.seals.values())

    def test_a_unit_with_several_differences_is_named_once(self) -> None:
        tools = [{"type": "function", "function": {"name": name}} for name in ("f", "g")]
        found = plan([manifest("k", {"model": "m", "tools": tools})], [marked("o1", "k", {"model": "m", "tools": []})])
        assert len(the_change(found).fields) == 2
        assert [field.path for field in the_change(saved(found)).fields] == [("tools",)]

    def test_seals_are_over_values_and_over_which_units_have_them(self) -> None:
        body = {"model": "m", "name": "a", "description": "a"}
        edits = ({"name": "x"}, {"name": "y"}, {"description": "x"})
        found = [plan([manifest("k", body | edit)], [marked("o1", "k", body)]) for edit in edits]
        seals = [the_change(saved(each)).seals for each in found]
        assert [set(each) for each in seals] == [{("name",)}, {("name",)}, {("description",)}]
        assert len({seal for each in seals for seal in each.values()}) == 3

    def test_what_needs_no_contents_has_no_seal(self) -> None:
        found = redact(plan([], [marked("o1", "gone", {"model": "m"})], prune=True), {"assistant": ASSISTANT})
        assert (the_change(found).seals, found.sealed) == ({}, True)
        again, lost = restore(found, plan(), [Observation(ASSISTANT, (), 1)])
        assert (lost, again) == ((), replace(found, sealed=False))


class TestOpening:
    BODY: ClassVar[Body] = {"model": "m", "metadata": {"a": "1", "theirs": "x"}}
    MANAGED = (("model",), ("metadata", "a"))

    def test_what_others_keep_in_the_same_map_goes_along_as_it_is_now(self) -> None:
        then = marked("o1", "k", self.BODY, managed=self.MANAGED)
        now = marked("o1", "k", {**self.BODY, "metadata": {"a": "1", "theirs": "y"}}, managed=self.MANAGED)
        files = [manifest("k", {"model": "m", "metadata": {"a": "2"}})]
        again, lost = opened(plan(files, [then]), files, [now])
        assert lost == []
        assert (the_change(again).patch or {})["metadata"].items() >= {"a": "2", "theirs": "y"}.items()

    def test_a_change_without_its_manifest_is_lost(self) -> None:
        live = [marked("o1", "k", {"model": "m"})]
        again, lost = opened(plan([manifest("k", {"model": "n"})], live), [], live)
        assert lost == ["k"]
        assert the_change(again).patch is None

    def test_a_release_needs_no_manifest(self) -> None:
        live = [marked("o1", "k", self.BODY, on_remove=OnRemove.RELEASE)]
        again, lost = opened(plan([], live), [], live)
        assert (lost, patches(again)) == ([], [{"metadata": {"a": "1", "theirs": "x"}}])

    def test_an_entry_that_is_taken_away_is_not_one_that_has_a_value(self) -> None:
        live = [marked("o1", "w", {"labels": {"a": "1"}}, WIDGET)]
        found = plan([manifest("w", {"labels": {}}, WIDGET)], live, WIDGET)
        assert opened(found, [manifest("w", {"labels": {"a": "2"}}, WIDGET)], live, WIDGET)[1] == ["w"]
        again, lost = opened(found, [manifest("w", {"labels": {}}, WIDGET)], live, WIDGET)
        assert (lost, patches(again)) == ([], patches(found))

    def test_what_others_did_to_a_unit_meanwhile_makes_it_stale(self) -> None:
        files = [manifest("k", {"model": "m", "temperature": 0.7})]
        then, now = (marked("o1", "k", {"model": "m", "temperature": each}) for each in (0.2, 0.3))
        again, lost = opened(plan(files, [then]), files, [now])
        assert lost == []
        stale = Stale("o1 has changed in temperature since the plan was made")
        assert check(the_change(again), index(ASSISTANT, [now], OWNER)) == stale

    def test_a_unit_that_has_its_value_by_now_is_not_written_and_the_rest_is(self) -> None:
        files = [manifest("k", {"model": "n", "temperature": 0.7})]
        then, now = (marked("o1", "k", {"model": "m", "temperature": each}) for each in (0.2, 0.7))
        again, lost = opened(plan(files, [then]), files, [now])
        assert lost == []
        assert check(the_change(again), index(ASSISTANT, [now], OWNER)) == Ready({"model": "n"})

    def test_what_is_another_action_by_now_is_lost(self) -> None:
        files, live = [manifest("k", {"model": "m"})], [marked("o1", "k", {"model": "m"})]
        gone = plan([], live, prune=True)
        released = plan([], [marked("o1", "k", {"model": "m"}, on_remove=OnRemove.RELEASE)])
        edited = [marked("o1", "k", {"model": "n"})]
        assert opened(released, files, edited)[1] == ["k"]
        assert opened(gone, files, edited)[1] == []

    def test_an_adoption_that_another_run_did_with_another_value_is_lost(self) -> None:
        files = [manifest("k", {"model": "m"}, id="o1")]
        found = plan(files, [bare("o1", {"model": "x"})])
        assert opened(found, files, [marked("o1", "k", {"model": "y"})])[1] == ["k"]

    def test_a_file_that_wants_by_now_what_is_live_does_not_give_the_contents_back(self) -> None:
        for live, key in (
            (bare("o1", {"model": "m", "name": "x"}), "o1"),
            (marked("o1", "k", self.BODY | {"name": "x"}), None),
        ):
            then = plan([manifest("k", {"model": "m", "name": "sealed"}, id=key)], [live])
            assert opened(then, [manifest("k", {"model": "m", "name": "x"}, id=key)], [live])[1] == ["k"]

    def test_the_mark_keeps_the_nonce_it_has(self) -> None:
        live = [marked("o1", "k", {"model": "m"})]
        files = [manifest("k", {"model": "m"}, protect=True)]
        again, lost = opened(plan(files, live), files, live)
        assert (lost, patches(again)) == ([], patches(plan(files, live)))

    def test_what_the_block_says_is_sealed_with_the_mark(self) -> None:
        live = [marked("o1", "k", {"model": "m"})]
        found = plan([manifest("k", {"model": "m"}, protect=True)], live)
        assert opened(found, [manifest("k", {"model": "m"}, on_remove=OnRemove.RELEASE)], live)[1] == ["k"]

    def test_it_takes_the_choice_of_digests_it_was_sealed_with(self) -> None:
        files = [manifest("k", {"model": "m"})]
        for digests in (False, True):
            assert opened(plan(files, digests=digests), files, [], digests=digests)[1] == []
            assert opened(plan(files, digests=digests), files, [], digests=not digests)[1] == ["k"]

    def test_a_unit_that_is_kept_as_it_is_live_keeps_its_digest(self) -> None:
        last: Body = {"model": "m", "temperature": 0.5, "name": "old"}
        live = [marked("o1", "k", {**last, "temperature": 0.9}, last=last)]
        files = [manifest("k", {**last, "name": "new"})]
        scope: dict[str, Any] = {"digests": True, "source": BaseSource(), "policy": ConflictPolicy(OnDrift.KEEP)}
        found = plan(files, live, **scope)
        assert "temperature" not in (the_change(found).patch or {})
        again, lost = opened(found, files, live, **scope)
        assert (lost, patches(again)) == ([], patches(found))

    def test_agreement_reached_by_hand_is_in_the_mark_again(self) -> None:
        last: Body = {"model": "m", "temperature": 0.5, "name": "old"}
        live = [marked("o1", "k", {**last, "temperature": 0.9}, last=last)]
        files = [manifest("k", {"model": "m", "temperature": 0.9, "name": "new"})]
        found = plan(files, live, digests=True, source=BaseSource())
        again, lost = opened(found, files, live, digests=True, source=BaseSource())
        assert (lost, patches(again)) == ([], patches(found))

    @REMEMBERING
    def test_what_was_done_is_not_lost_when_it_is_run_again(self, digests: bool) -> None:
        files = [manifest("a", {"model": "n"}), manifest("new", {"model": "m", "metadata": {"b": "1"}})]
        body: Body = {"model": "m", "name": "x", "metadata": {"a": "1"}}
        live = [marked("o1", "a", body), marked("o2", "gone", body, on_remove=OnRemove.RELEASE)]
        found = plan(files, live, digests=digests, allow_deletes=1)
        assert [c.action for c in found.changes] == [Action.UPDATE, Action.CREATE, Action.RELEASE]
        assert not any(c.blocked for c in found.changes)
        then, now = index(ASSISTANT, live, OWNER), applied(found, live, ASSISTANT)
        assert all(isinstance(check(c, then), Ready) for c in opened(found, files, live, digests=digests)[0].changes)
        again, lost = opened(found, files, now, digests=digests)
        assert lost == []
        assert all(isinstance(check(c, index(ASSISTANT, now, OWNER)), AlreadyApplied) for c in again.changes)


class TestCorners:
    def test_parts_that_are_cleared_by_name_come_back(self) -> None:
        live = [marked("o1", "k", {"model": "m", "tool_resources": {"file_search": {"vector_store_ids": ["v"]}}})]
        files = [manifest("k", {"model": "m", "tool_resources": {"code_interpreter": {"file_ids": ["f"]}}})]
        assert opened(plan(files, live), files, live)[1] == []

    def test_an_adoption_that_was_done_is_not_lost_when_it_is_run_again(self) -> None:
        files, live = [manifest("k", {"model": "m"}, id="o1")], [bare("o1", {"model": "x"})]
        found = plan(files, live)
        assert opened(found, files, applied(found, live, ASSISTANT))[1] == []

    def test_a_copy_that_gets_a_manifest_of_its_own_is_not_lost(self) -> None:
        live = [marked("o1", "k", {"model": "m"}), marked("o2", "k", {"model": "m"}, nonce="n1", created=1)]
        files = [manifest("k", {"model": "m"}), manifest("k2", {"model": "m"}, id="o2")]
        assert opened(plan(files, live), files, live)[1] == []

    def test_the_digest_of_a_unit_that_is_never_shown_comes_back(self) -> None:
        live = applied(plan([manifest("w", {"secret": "1"}, WIDGET)], [], WIDGET, digests=True), [], WIDGET)
        files = [manifest("w", {"secret": "2", "title": "t"}, WIDGET)]
        assert opened(plan(files, live, WIDGET, digests=True), files, live, WIDGET, digests=True)[1] == []

    def test_what_is_kept_live_keeps_the_digest_it_had(self) -> None:
        last: Body = {"model": "m", "name": "old", "temperature": 0.5}
        live = [marked("o1", "k", {**last, "temperature": 0.9}, last=last)]
        files = [manifest("k", {**last, "name": "new", "temperature": 0.1})]
        theirs = ConflictPolicy(resolve=Resolve.THEIRS)
        scope: dict[str, Any] = {"digests": True, "policy": theirs, "source": BaseSource()}
        found = plan(files, live, **scope)
        assert "temperature" not in (the_change(found).patch or {})
        again, lost = opened(found, files, live, **scope)
        assert (lost, patches(again)) == ([], patches(found))

    def test_a_name_that_blocks_a_create_is_not_told(self) -> None:
        found = plan([manifest("k", {"model": "m", "name": TELLTALE})], [bare("o1", {"name": TELLTALE})])
        assert TELLTALE not in document_text(plan_document(redact(found, {"assistant": ASSISTANT})))


@EACH_KIND
@REMEMBERING
@law
@given(st.data())
def test_the_files_give_a_sealed_plan_its_contents_back(name: str, digests: bool, data: st.DataObject) -> None:
    kind = KINDS[name]
    files, live = data.draw(worlds(kind, remembering=digests))
    scope = scoped(data, digests)
    found = plan(files, live, kind, **scope)
    again, lost = opened(found, files, live, kind, **scope)
    assert lost == []
    assert patches(again) == patches(found)
    assert [c.expects for c in due(again)] == [c.expects for c in due(found)]
    assert not again.sealed
    assert not any(change.seals for change in again.changes)


@EACH_KIND
@law
@given(st.data())
def test_a_change_is_lost_where_a_value_it_writes_is_another_in_its_file(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    files, live = data.draw(worlds(kind))
    found = plan(files, live, kind)
    for change in due(found):
        for edited in (m for m in files if m.address == change.address):
            written = [u for u in change.units if not is_mark(kind, u) and unit_of(edited.body, u) is not ABSENT]
            for unit in written:
                value = {"was": unit_of(edited.body, unit)}
                if same(meaning_of(kind, unit), value, unit_of(edited.body, unit)):
                    continue  # a closed object does not know it
                other = replace(edited, body=with_unit(edited.body, unit, value))
                _, lost = opened(found, [*(m for m in files if m is not edited), other], live, kind)
                assert change.address.key in lost


@EACH_KIND
@REMEMBERING
@law
@given(st.data())
def test_a_sealed_document_holds_no_text_of_files_or_objects(name: str, digests: bool, data: st.DataObject) -> None:
    kind = KINDS[name]
    files, live = data.draw(worlds(kind, remembering=digests))
    files = [replace(each, body=planted(kind, each.body)) for each in files]
    live = [replace(each, body=planted(kind, each.body)) for each in live]
    found = plan(files, live, kind, **scoped(data, digests))
    assert TELLTALE not in document_text(plan_document(redact(found, {kind.name: kind})))


def unit_of(body: Body, unit: Unit) -> Json:
    """The value of a unit; `ABSENT` where there is none."""
    value = body.get(unit[0], ABSENT)
    return value if len(unit) == 1 or value is ABSENT else (value or {}).get(unit[1], ABSENT)


def with_unit(body: Body, unit: Unit, value: Json) -> Body:
    return {**body, unit[0]: value if len(unit) == 1 else {**body[unit[0]], unit[1]: value}}


def planted(kind: Kind, body: Body) -> Body:
    """The body with a telltale in its texts, and in the names inside a value that the user is free to choose."""
    return {
        name: {key: told(FREE, entry) if key != "reconciler" else entry for key, entry in value.items()}
        if kind.fields[name].granular and value
        else told(kind.fields[name], value)
        for name, value in body.items()
    }


def told(meaning: Meaning, value: Json) -> Json:
    if isinstance(value, str):
        return TELLTALE + value
    if isinstance(value, list):
        return [told(meaning.items or FREE, entry) for entry in value]
    if isinstance(value, dict):
        names = {name: name if name in meaning.properties else TELLTALE + name for name in value}
        return {names[name]: told(meaning.properties.get(name, FREE), entry) for name, entry in value.items()}
    return value
