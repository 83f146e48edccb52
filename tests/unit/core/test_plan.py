"""The plan as a value: order, scope, counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.matching.index import Observation
from reconciler.core.plan import ReadCount, Scope, make_plan
from reconciler.core.values.model import ABSENT, Action, Address, Blocker, Body, Json, OnRemove, Path, Reason, Unit
from reconciler.core.values.semantics import Kind
from reconciler.diagnostics import Code, Severity
from tests.unit.core.build import (
    ASSISTANT,
    OWNER,
    TARGET,
    WIDGET,
    actions,
    bare,
    manifest,
    marked,
    plan,
    the_change,
    with_mark,
)

FILES = Kind("zfile", WIDGET.fields, "labels")


def test_an_empty_world_and_no_files_is_an_empty_plan() -> None:
    found = plan()
    assert (found.changes, found.unmanaged, found.diagnostics, found.complete) == ((), 0, (), True)
    assert (found.target, found.owner, found.config_digest) == (TARGET, OWNER, "sha256:0")
    assert found.read == {"assistant": ReadCount(0, 1)}


def test_kinds_go_in_order_of_dependency_and_deletes_last_and_reversed() -> None:
    files = [manifest("b", {}), manifest("a", {}), manifest("z", {}, FILES)]
    observed = [
        Observation(FILES, (marked("f", "gone", {}, FILES),), 1),
        Observation(ASSISTANT, (marked("o", "gone", {"model": "m"}), bare("x", {})), 2),
    ]
    found = make_plan(TARGET, Scope(OWNER, prune=True, allow_deletes=2), "", files, observed)
    assert [(c.action.value, str(c.address)) for c in found.changes] == [
        ("create", "zfile/z"),
        ("create", "assistant/a"),
        ("create", "assistant/b"),
        ("delete", "assistant/gone"),
        ("delete", "zfile/gone"),
    ]
    assert found.read == {"zfile": ReadCount(1, 1), "assistant": ReadCount(2, 2)}
    assert found.unmanaged == 1


def test_releases_go_last_too() -> None:
    objects = [marked("o1", "a", {"model": "m"}, on_remove=OnRemove.RELEASE)]
    assert [row[0] for row in actions(plan([manifest("b", {"model": "n"})], objects))] == ["create", "release"]


def test_a_create_refers_across_kinds_and_waits_for_what_it_refers_to() -> None:
    refs: dict[Path, Address] = {("metadata", "file"): Address("zfile", "z")}
    body = {"model": "m", "metadata": {"file": "", "team": "x"}}
    files = [replace(manifest("a", body), refs=refs), manifest("z", {}, FILES)]
    observed = [Observation(FILES, (), 1), Observation(ASSISTANT, (), 1)]
    first, second = make_plan(TARGET, Scope(OWNER), "", files, observed).changes
    assert (str(first.address), first.refs) == ("zfile/z", ())
    assert (str(second.address), second.refs) == ("assistant/a", tuple(refs.items()))


def test_the_guard_counts_over_all_kinds() -> None:
    observed = [
        Observation(kind, tuple(marked(f"{kind.name}{n}", f"k{n}", {}, kind) for n in range(9)), 1)
        for kind in (FILES, ASSISTANT)
    ]
    files = [manifest(f"k{n}", {}, kind) for n in range(1, 9) for kind in (FILES, ASSISTANT)]
    found = make_plan(TARGET, Scope(OWNER, prune=True), "", files, observed)
    held = [c for c in found.changes if c.blocked]
    assert [(c.action, c.blocked and c.blocked.by) for c in held] == [(Action.DELETE, Blocker.GUARD)] * 2
    assert held[0].blocked is not None
    assert held[0].blocked.hint.startswith("2 of 18 would be deleted")


class TestScope:
    OBJECTS = (
        marked("o1", "a", {"model": "old"}),
        marked("o2", "gone", {"model": "x"}),
        marked("o3", "b", {"model": "old"}, created=1),
        marked("o4", "b", {"model": "old"}, created=2),
    )
    FILES = (manifest("a", {"model": "new"}), manifest("b", {"model": "new"}))

    def test_a_narrow_scope_plans_only_what_it_names_and_no_orphans(self) -> None:
        only = frozenset({Address("assistant", "a")})
        found = plan(self.FILES, self.OBJECTS, only=only, prune=True)
        assert actions(found) == [("update", "a", "o1", False)]
        assert found.diagnostics == ()

    def test_the_whole_scope_plans_everything(self) -> None:
        found = plan(self.FILES, self.OBJECTS, prune=True, allow_deletes=2)
        assert actions(found) == [
            ("update", "a", "o1", False),
            ("update", "b", "o3", False),
            ("delete", "b", "o4", False),
            ("delete", "gone", "o2", False),
        ]

    def test_a_narrow_scope_knows_of_moves_outside_it(self) -> None:
        files = [manifest("a", {"model": "m"}), manifest("b", {"model": "m"}, moved_from="old")]
        only = frozenset({Address("assistant", "a")})
        assert actions(plan(files, [marked("o1", "old", {"model": "m"})], only=only)) == [("create", "a", None, False)]

    def test_a_narrow_scope_knows_of_ids_bound_outside_it(self) -> None:
        files = [manifest("a", {"model": "m"}), manifest("b", {"model": "m"}, id="o1")]
        only = frozenset({Address("assistant", "a")})
        assert actions(plan(files, [marked("o1", "old", {"model": "m"})], only=only)) == [("create", "a", None, False)]


class TestCreate:
    WANTED = manifest("k", {"model": "m", "metadata": {"team": "x"}}, protect=True, on_remove=OnRemove.DELETE)

    def test_a_create_sends_the_body_and_a_mark_whose_nonce_is_not_drawn(self) -> None:
        change = the_change(plan([self.WANTED]))
        assert (change.action, change.id, change.reasons) == (Action.CREATE, None, (Reason.NEW,))
        assert (change.expects, change.source) == ({}, self.WANTED.source)
        assert change.patch is not None
        mark = change.patch["metadata"].pop("reconciler")
        assert mark.startswith("1 acme k ~ pd ")
        assert change.patch == {"model": "m", "metadata": {"team": "x"}}

    def test_it_is_carried_out_beside_a_namesake_only_where_the_manifest_says_so(self) -> None:
        wanted = manifest("k", {"model": "m"}, same_name_allowed=True)
        assert [the_change(plan([each])).same_name_allowed for each in (self.WANTED, wanted)] == [False, True]

    def test_its_fields_show_what_the_file_says_flags_too_and_not_the_mark(self) -> None:
        fields = the_change(plan([self.WANTED])).fields
        assert [(f.path, f.after, f.reason) for f in fields] == [
            (("model",), "m", Reason.NEW),
            (("metadata", "team"), "x", Reason.NEW),
            (("reconciler", "protect"), True, Reason.MARK),
            (("reconciler", "on_remove"), "delete", Reason.MARK),
        ]
        assert not any(f.sensitive for f in fields)

    def test_its_units_are_what_it_writes_the_mark_among_them(self) -> None:
        units = the_change(plan([self.WANTED])).units
        assert units == (("metadata", "reconciler"), ("metadata", "team"), ("model",))


class TestUpdate:
    def test_an_object_that_already_looks_like_the_file_needs_nothing(self) -> None:
        body = {"model": "m", "temperature": 1}
        [change] = plan([manifest("k", body)], [marked("o1", "k", body)]).changes
        assert (change.action, change.id, change.patch, change.reasons) == (Action.NOOP, "o1", None, ())

    def test_only_changed_fields_are_sent_and_no_mark(self) -> None:
        live = marked("o1", "k", {"model": "m", "temperature": 0.2, "top_p": 0.5})
        change = the_change(plan([manifest("k", {"model": "m", "temperature": 0.7, "top_p": 0.5})], [live]))
        assert change.patch == {"temperature": 0.7}
        assert change.units == (("temperature",),)

    def test_a_unit_that_leaves_the_file_is_cleared_once_and_forgotten(self) -> None:
        live = marked("o1", "k", {"model": "m", "name": "x"})
        wanted = manifest("k", {"model": "m"})
        change = the_change(plan([wanted], [live]))
        mark = "1 acme k n1 - pCJhgb"
        assert change.patch == {"name": None, "metadata": {"reconciler": mark}}
        assert change.reasons == (Reason.REMOVED,)
        later = with_mark("o1", mark, {"model": "m", "name": "set by hand"})
        assert the_change(plan([wanted], [later])).action is Action.NOOP

    @pytest.mark.parametrize("block", [{"protect": True}, {"on_remove": OnRemove.RELEASE}])
    def test_what_the_block_says_is_remembered_on_the_object_and_shown(self, block: dict[str, object]) -> None:
        change = the_change(plan([manifest("k", {"model": "m"}, **block)], [marked("o1", "k", {"model": "m"})]))
        assert (change.action, change.reasons) == (Action.UPDATE, (Reason.MARK,))
        assert change.patch is not None
        assert list(change.patch) == ["metadata"]
        assert change.units == (("metadata", "reconciler"),)
        [(name, value)] = block.items()
        assert [(f.path, f.before, f.after) for f in change.fields] == [(("reconciler", name), ABSENT, value)]

    @pytest.mark.parametrize(
        ("before", "wanted", "rows"),
        [
            ([("model",)], {"model": "m", "name": "x"}, [(("reconciler", "managed", "name"), ABSENT, True)]),
            ([("model",)], {"model": "m", "name": "y"}, [(("name",), "x", "y")]),
            ([("model",), ("name",)], {"model": "m"}, [(("reconciler", "managed", "name"), True, ABSENT)]),
            (
                [("model",), ("name",)],
                {"model": "n"},
                [(("model",), "m", "n"), (("reconciler", "managed", "name"), True, ABSENT)],
            ),
        ],
        ids=["from now on", "and written", "no longer", "beside a write"],
    )
    def test_what_is_managed_from_now_on_or_no_longer_is_shown(
        self, before: list[Unit], wanted: Body, rows: list[tuple[Path, Json, Json]]
    ) -> None:
        live = marked("o1", "k", {"model": "m", "name": "x"}, managed=before)
        file = manifest("k", wanted, ignore=() if "name" in wanted else ("name",))
        found = the_change(plan([file], [live])).fields
        assert [(f.path, f.before, f.after) for f in found] == rows

    def test_sensitive_fields_say_so(self) -> None:
        live = marked("o1", "w", {"token": "a"}, WIDGET)
        [field] = the_change(plan([manifest("w", {"token": "b"}, WIDGET)], [live], WIDGET)).fields
        assert (field.path, field.sensitive) == (("token",), True)

    def test_parts_of_a_live_value_that_a_write_would_drop_are_said(self) -> None:
        tool = {"type": "file_search", "beta": 1}
        live = marked("o1", "k", {"model": "m", "tools": [tool]})
        found = plan([manifest("k", {"model": "m", "tools": []})], [live])
        [said] = found.diagnostics
        assert (said.code, said.severity, said.address) == (Code.UNKNOWN_LIVE_FIELD, Severity.WARNING, "assistant/k")
        assert said.summary == "tools.0.beta is not known to this version: writing tools drops it"


def test_diagnostics_are_in_one_order() -> None:
    objects = [with_mark("z", "hello", {}), with_mark("a", "hello", {}), with_mark("m", "2 x", {})]
    assert [d.address for d in plan([], objects).diagnostics] == ["assistant/a", "assistant/m", "assistant/z"]
