"""What was last applied, from marks and from earlier files, and what a person's policy makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.decide import ConflictPolicy, OnDrift, Resolve
from reconciler.core.last_applied import UNKNOWN, Base, BaseSource, digest_of
from reconciler.core.matching.index import Observation, index
from reconciler.core.matching.match import match
from reconciler.core.ownership import Ownership
from reconciler.core.plan import Plan, Scope, make_plan
from reconciler.core.values import marks
from reconciler.core.values.managed_units import managed_units
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import Action, Address, Blocker, Body, Change, LiveObject, Manifest, Reason, Unit
from reconciler.diagnostics import Code
from tests.unit.core.build import ASSISTANT, OWNER, TARGET, applied, bare, manifest, plan, the_change, with_mark

TEMPERATURE: Unit = ("temperature",)
BODY = {"model": "m", "temperature": 0.5, "metadata": {"team": "a"}}


def remembering(key: str, last: Body, live: Body, nonce: str = "n1") -> LiveObject:
    """An object whose mark has digests of `last`, and which now looks like `live`."""
    managed = managed_units(ASSISTANT, manifest(key, last))
    digests = {marks.code(unit): digest_of(ASSISTANT, unit, value) for unit, value in managed.items()}
    mark = Mark(OWNER, key, nonce, units=marks.codes(managed), digests=digests)
    return with_mark("o1", marks.write(mark), live)


def planned(
    files: list[Manifest],
    live: LiveObject,
    *,
    earlier: list[Manifest] = (),
    digests: bool = True,
    **policy: Any,  # type: ignore[assignment]
) -> Plan:
    scope = Scope(OWNER, policy=ConflictPolicy(**policy), digests=digests)
    base = BaseSource({each.address: each for each in earlier})
    return make_plan(TARGET, scope, "sha256:0", files, [Observation(ASSISTANT, (live,), 1)], base)


def reasons(change: Change) -> dict[str, Reason]:
    return {".".join(map(str, field.path)): field.reason for field in change.fields}


class TestDigests:
    def test_each_row_of_the_table(self) -> None:
        last = {**BODY, "name": "old", "top_p": 0.1, "description": "d"}
        live = {**last, "name": "hand", "temperature": 0.9}
        wanted = {**last, "name": "file", "top_p": 0.2}
        change = the_change(planned([manifest("k", wanted)], remembering("k", last, live)))
        assert reasons(change) == {
            "name": Reason.CONFLICT,
            "temperature": Reason.DRIFTED,
            "top_p": Reason.EDITED,
        }
        assert change.blocked is not None
        assert change.blocked.by is Blocker.CONFLICT
        assert "name changed both here and outside" in change.blocked.hint

    def test_a_unit_the_file_names_for_the_first_time_is_the_files_edit(self) -> None:
        live = remembering("k", {"model": "m"}, {"model": "m", "temperature": 0.9})
        change = the_change(planned([manifest("k", {"model": "m", "temperature": 0.1})], live))
        assert reasons(change) == {"temperature": Reason.EDITED}
        assert change.blocked is None

    def test_a_unit_that_left_the_file_is_cleared_or_released_if_a_hand_changed_it(self) -> None:
        last = {"model": "m", "temperature": 0.5, "description": "d"}
        found = planned([manifest("k", {"model": "m"})], remembering("k", last, {**last, "temperature": 0.9}))
        assert the_change(found).patch is not None
        assert reasons(the_change(found)) == {
            "description": Reason.REMOVED,
            "reconciler.managed.temperature": Reason.MARK,
        }
        assert [d.code for d in found.diagnostics] == [Code.CANNOT_CLEAR]

    def test_every_update_carries_the_new_digests_and_then_there_is_nothing_left(self) -> None:
        live = remembering("k", BODY, BODY)
        files = [manifest("k", {**BODY, "temperature": 0.7})]
        first = planned(files, live)
        assert the_change(first).units == (("metadata", "reconciler"), TEMPERATURE)
        [after] = applied(first, [live], ASSISTANT)
        again = planned(files, after)
        assert the_change(again).action is Action.NOOP
        drifted = planned(files, with_body(after, temperature=0.5))
        assert reasons(the_change(drifted)) == {"temperature": Reason.DRIFTED}

    def test_agreement_reached_by_hand_is_remembered_by_the_next_mark(self) -> None:
        live = remembering("k", BODY, {**BODY, "temperature": 0.9})
        agreed = planned([manifest("k", {**BODY, "temperature": 0.9})], live)
        assert (the_change(agreed).reasons, the_change(agreed).fields) == ((Reason.MARK,), ())
        [after] = applied(agreed, [live], ASSISTANT)
        edited = planned([manifest("k", {**BODY, "temperature": 0.1})], after)
        assert reasons(the_change(edited)) == {"temperature": Reason.EDITED}

    def test_turning_digests_on_and_off_changes_marks_alone(self) -> None:
        live = remembering("k", BODY, BODY)
        off = planned([manifest("k", BODY)], live, digests=False)
        assert (the_change(off).action, the_change(off).reasons) == (Action.UPDATE, (Reason.MARK,))
        [named] = applied(off, [live], ASSISTANT)
        on = planned([manifest("k", BODY)], named)
        assert (the_change(on).reasons, the_change(on).fields) == ((Reason.MARK,), ())
        [again] = applied(on, [named], ASSISTANT)
        assert again.body["metadata"]["reconciler"] == live.body["metadata"]["reconciler"]

    def test_where_a_mark_has_no_room_for_digests_it_keeps_names_and_says_so(self) -> None:
        body = {**BODY, "metadata": {f"entry-{number}": "x" for number in range(60)}}
        found = planned([manifest("k" * 128, body)], remembering("other", BODY, BODY))
        text = the_change(found).patch["metadata"]["reconciler"]  # type: ignore[index]
        assert marks.read(text).digests == {}  # type: ignore[union-attr]
        assert Code.BASE_UNKNOWN in [d.code for d in found.diagnostics]

    def test_an_object_that_is_adopted_has_strayed_from_nothing(self) -> None:
        base = BaseSource({Address("assistant", "k"): manifest("k", BODY)})
        assert base.of(ASSISTANT, Address("assistant", "k"), None) == UNKNOWN

    def test_an_object_that_is_adopted_by_command_remembers_how_it_looked(self) -> None:
        live, wanted = bare("o1", {**BODY, "temperature": 0.9}), manifest("k", BODY)
        found = match(index(ASSISTANT, [live], OWNER), {})
        adoption = Ownership(found, OWNER, digests=True).adopt(wanted, "o1")
        [after] = applied(replace(plan(), changes=(adoption,)), [live], ASSISTANT)
        assert reasons(the_change(planned([wanted], after))) == {"temperature": Reason.EDITED}


class TestEarlierFiles:
    def test_label_without_blocking(self) -> None:
        live = with_body(remembering("k", BODY, BODY), name="hand", temperature=0.9)
        live = names_only(live)
        earlier = [manifest("k", {**BODY, "name": "old"})]
        files = [manifest("k", {**BODY, "name": "file"})]
        change = the_change(planned(files, live, earlier=earlier, digests=False))
        assert reasons(change) == {"name": Reason.CONFLICT, "temperature": Reason.DRIFTED}
        assert change.blocked is None

    def test_an_address_they_do_not_have_is_unknown(self) -> None:
        live = names_only(with_body(remembering("k", BODY, BODY), temperature=0.9))
        change = the_change(planned([manifest("k", BODY)], live, digests=False))
        assert reasons(change) == {"temperature": Reason.CHANGED}

    def test_a_moved_object_is_found_under_the_key_it_had(self) -> None:
        live = names_only(with_body(remembering("old", BODY, BODY), temperature=0.9))
        change = the_change(
            planned([manifest("new", BODY, moved_from="old")], live, earlier=[manifest("old", BODY)], digests=False)
        )
        assert change.action is Action.MOVE
        assert reasons(change) == {"temperature": Reason.DRIFTED}

    @pytest.mark.parametrize(("keys", "found"), [("old new", "old"), ("new", "new"), ("old", "old")])
    def test_the_key_in_the_mark_comes_before_that_of_the_manifest(self, keys: str, found: str) -> None:
        files = [manifest(key, {**BODY, "name": key}, initial=["temperature"]) for key in keys.split()]
        base = BaseSource({each.address: each for each in files}).of(
            ASSISTANT, Address("assistant", "new"), Mark(OWNER, "old", "n1")
        )
        managed = {("model",): "m", ("name",): found, ("metadata", "team"): "a"}
        assert base == Base(managed=managed)

    def test_an_object_they_had_and_that_is_not_there_is_gone(self) -> None:
        files, other = manifest("k", BODY), remembering("other", {"model": "z"}, {"model": "z"})
        change = next(c for c in planned([files], other, earlier=[files]).changes if c.address.key == "k")
        assert (change.action, change.reasons) == (Action.CREATE, (Reason.NEW, Reason.GONE))
        change = next(c for c in planned([files], other).changes if c.address.key == "k")
        assert change.reasons == (Reason.NEW,)

    def test_initial_and_ignored_units_are_not_remembered(self) -> None:
        earlier = manifest("k", {**BODY, "name": "n"}, initial={"temperature"}, ignore={"name"})
        base = Base(managed=managed_units(ASSISTANT, earlier))
        assert base.matches(ASSISTANT, ("temperature",), 9)
        assert base.matches(ASSISTANT, ("name",), "whatever")
        assert not base.matches(ASSISTANT, ("model",), "x")

    def test_digests_are_asked_before_files(self) -> None:
        live = remembering("k", BODY, BODY)
        mark = marks.read(live.body["metadata"]["reconciler"])
        base = BaseSource({Address("assistant", "k"): manifest("k", {})})
        assert base.of(ASSISTANT, Address("assistant", "k"), mark) == Base(mark.digests)  # type: ignore[arg-type]


LAST: Body = {**BODY, "name": "old", "top_p": 0.1}
LIVE: Body = {**LAST, "name": "hand", "temperature": 0.9}
FILES = [manifest("k", {**LAST, "name": "file", "top_p": 0.2})]


class TestPolicy:
    def change(self, **policy: Any) -> Change:
        return the_change(planned(FILES, remembering("k", LAST, LIVE), **policy))

    def test_ours_sends_what_the_file_says(self) -> None:
        change = self.change(resolve=Resolve.OURS)
        assert change.blocked is None
        assert {"name", "temperature", "top_p", "metadata"} == set(change.patch or {})

    def test_theirs_keeps_what_is_live_and_goes_on_calling_it_a_conflict(self) -> None:
        live = remembering("k", LAST, LIVE)
        first = planned(FILES, live, resolve=Resolve.THEIRS)
        assert {"temperature", "top_p", "metadata"} == set(the_change(first).patch or {})
        assert [d.code for d in first.diagnostics] == [Code.KEPT]
        [after] = applied(first, [live], ASSISTANT)
        assert after.body["name"] == "hand"
        again = planned(FILES, after)
        assert reasons(the_change(again)) == {"name": Reason.CONFLICT}

    def test_drift_is_kept_and_stays_drift(self) -> None:
        live = remembering("k", LAST, {**LAST, "temperature": 0.9})
        first = planned(FILES, live, on_drift=OnDrift.KEEP)
        assert "temperature" not in (the_change(first).patch or {})
        assert "temperature was changed outside these files" in first.diagnostics[0].summary
        [after] = applied(first, [live], ASSISTANT)
        assert reasons(the_change(planned(FILES, after))) == {"temperature": Reason.DRIFTED}
        assert the_change(planned(FILES, after, on_drift=OnDrift.KEEP)).action is Action.NOOP

    def test_drift_fails_where_that_is_asked_for(self) -> None:
        live = remembering("k", LAST, {**LAST, "temperature": 0.9})
        change = the_change(planned(FILES, live, on_drift=OnDrift.FAIL))
        assert change.blocked is not None
        assert change.blocked.by is Blocker.DRIFT
        assert "temperature changed outside" in change.blocked.hint

    @pytest.mark.parametrize("policy", [{"on_drift": OnDrift.FAIL}, {"on_drift": OnDrift.KEEP}])
    def test_without_drift_nothing_is_held_back(self, policy: dict[str, Any]) -> None:
        live = remembering("k", LAST, LAST)
        change = the_change(planned(FILES, live, **policy))
        assert change.blocked is None
        assert reasons(change) == {"name": Reason.EDITED, "top_p": Reason.EDITED}


def test_without_a_base_the_plan_says_changed() -> None:
    live = names_only(with_body(remembering("k", BODY, BODY), temperature=0.9))
    assert reasons(the_change(plan([manifest("k", BODY)], [live]))) == {"temperature": Reason.CHANGED}


def with_body(live: LiveObject, **fields: Any) -> LiveObject:
    return LiveObject(live.kind, live.id, {**live.body, **fields}, live.created)


def names_only(live: LiveObject) -> LiveObject:
    """The object with its mark's digests taken off."""
    mark = marks.read(live.body["metadata"]["reconciler"])
    assert isinstance(mark, Mark)
    bare = Mark(mark.owner, mark.key, mark.nonce, mark.protect, mark.on_remove, mark.units)
    return with_body(live, metadata={**live.body["metadata"], "reconciler": marks.write(bare)})
