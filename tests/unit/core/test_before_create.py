"""Is it perhaps ours? What is asked of every object that is not, before another one is made."""

from __future__ import annotations

from typing import ClassVar

import pytest

from reconciler.core.plan import Plan
from reconciler.core.values.model import Action, Address, Block, Blocker, Body, LiveObject
from tests.unit.core.build import WIDGET, actions, bare, manifest, marked, plan, the_change, with_mark


def blocked(found: Plan) -> Blocker | None:
    """What blocks the only change of a plan."""
    block = the_change(found).blocked
    return block and block.by


class TestSameName:
    BODY: ClassVar[Body] = {"model": "m", "name": "HR bot"}

    def test_a_create_beside_one_of_the_same_name_is_blocked_with_three_ways_out(self) -> None:
        change = the_change(plan([manifest("hr", self.BODY)], [bare("o1", {**self.BODY, "model": "n"})]))
        assert (change.action, change.blocked and change.blocked.by) == (Action.CREATE, Blocker.SAME_NAME)
        assert change.blocked is not None
        assert change.blocked.hint == (
            "o1 has the same name and is not managed here. To manage it: `reconciler adopt assistant/hr o1` "
            "(or add `reconciler: {id: o1}`). To create another: `reconciler: {same_name: allow}`"
        )

    def test_it_is_allowed_where_the_manifest_says_so(self) -> None:
        wanted = manifest("hr", self.BODY, same_name_allowed=True)
        assert the_change(plan([wanted], [bare("o1", self.BODY)])).blocked is None

    @pytest.mark.parametrize("name", ["hr robot", "", None])
    def test_another_name_or_none_is_no_hindrance(self, name: str | None) -> None:
        wanted = manifest("hr", {"model": "n", "name": name})
        assert the_change(plan([wanted], [bare("o1", {**self.BODY, "name": name and "HR bot"})])).blocked is None

    @pytest.mark.parametrize("name", ["hr bot", "HR BOT"])
    def test_a_name_that_reads_the_same_is_the_same(self, name: str) -> None:
        wanted = manifest("hr", {"model": "n", "name": name})
        assert blocked(plan([wanted], [bare("o1", self.BODY)])) is Blocker.SAME_NAME

    def test_a_kind_without_names_has_no_namesakes(self) -> None:
        live = bare("o1", {"title": "t", "size": 1}, WIDGET)
        assert blocked(plan([manifest("w", {"title": "t"}, WIDGET)], [live], WIDGET)) is None

    def test_objects_of_another_owner_count_and_our_own_do_not(self) -> None:
        theirs = marked("o1", "x", self.BODY, owner="other")
        assert the_change(plan([manifest("hr", self.BODY)], [theirs])).blocked is not None
        ours = marked("o2", "b", self.BODY)
        both = [manifest("b", self.BODY), manifest("hr", self.BODY)]
        assert [c.blocked for c in plan(both, [ours]).changes] == [None, None]

    @pytest.mark.parametrize(
        ("count", "shown"), [(2, "o0, o1 has"), (3, "o0, o1, o2 has"), (5, "o0, o1, o2 and 2 more")]
    )
    def test_many_namesakes_are_counted_not_listed(self, count: int, shown: str) -> None:
        objects = [bare(f"o{n}", self.BODY) for n in reversed(range(count))]
        change = the_change(plan([manifest("hr", self.BODY)], objects))
        assert change.blocked is not None
        assert change.blocked.hint.startswith(shown)

    def test_an_object_that_a_manifest_binds_is_no_namesake_of_another(self) -> None:
        found = plan([manifest("bound", self.BODY, id="o1"), manifest("new", self.BODY)], [bare("o1", self.BODY)])
        assert actions(found) == [("adopt", "bound", "o1", False), ("create", "new", None, False)]

    def test_what_another_target_of_these_settings_manages_is_known_not_to_be_ours(self) -> None:
        theirs = marked("o1", "hr", self.BODY, owner="other")
        assert blocked(plan([manifest("hr", self.BODY)], [theirs])) is Blocker.FOREIGN_OWNER
        assert blocked(plan([manifest("hr", self.BODY)], [theirs], neighbours=frozenset({"other"}))) is None
        assert blocked(plan([manifest("hr", self.BODY)], [theirs], neighbours=frozenset({"third"}))) is not None


class TestSameContent:
    """An object that says the same and is not ours: its mark may have been lost."""

    BODY: ClassVar[Body] = {"model": "m", "instructions": "i"}

    @pytest.mark.parametrize(
        "live",
        [
            bare("o1", BODY),
            bare("o1", {**BODY, "metadata": {"team": "a"}, "tools": []}),
            with_mark("o1", "by hand", BODY),
            with_mark("o1", "2 other another x", BODY),
        ],
        ids=["no mark", "metadata wiped", "mark damaged", "mark newer"],
    )
    def test_a_create_beside_it_is_blocked_with_three_ways_out(self, live: LiveObject) -> None:
        change = the_change(plan([manifest("hr", self.BODY)], [live]))
        assert change.blocked == Block(
            Blocker.SAME_CONTENT,
            "o1 has the same content and is not managed here. To manage it: `reconciler adopt assistant/hr o1` "
            "(or add `reconciler: {id: o1}`). To create another: `reconciler: {same_name: allow}`",
        )

    def test_it_is_allowed_where_the_manifest_says_so(self) -> None:
        wanted = manifest("hr", self.BODY, same_name_allowed=True)
        assert blocked(plan([wanted], [bare("o1", self.BODY)])) is None

    @pytest.mark.parametrize("live", [{"model": "m"}, {"model": "m", "instructions": "j"}, {}])
    def test_another_content_is_no_hindrance(self, live: Body) -> None:
        assert blocked(plan([manifest("hr", self.BODY)], [bare("o1", live)])) is None

    def test_an_object_of_ours_is_no_hindrance(self) -> None:
        files = [manifest("a", self.BODY), manifest("b", self.BODY)]
        assert [c.blocked for c in plan(files, [marked("o1", "a", self.BODY)]).changes] == [None, None]

    def test_where_the_name_is_the_same_too_its_content_counts_first(self) -> None:
        body = {**self.BODY, "name": "n"}
        assert blocked(plan([manifest("hr", body)], [bare("o1", body)])) is Blocker.SAME_CONTENT

    @pytest.mark.parametrize(
        ("body", "by", "what"),
        [(BODY, Blocker.SAME_CONTENT, "content"), ({"model": "n", "name": "x"}, Blocker.SAME_NAME, "name")],
    )
    def test_one_that_another_owner_manages_as_another_can_be_taken_over(
        self, body: Body, by: Blocker, what: str
    ) -> None:
        wanted = manifest("hr", {**self.BODY, "name": "x"} if what == "name" else body)
        theirs = marked("o1", "another", body, owner="other")
        assert the_change(plan([wanted], [theirs])).blocked == Block(
            by,
            f"o1 has the same {what}, and 'other' manages it as another. To manage it here: add "
            "`reconciler: {id: o1}`, then `reconciler takeover --from other assistant/hr`. "
            "To create another: `reconciler: {same_name: allow}`",
        )


class TestAnotherOwnerHasTheKey:
    BODY: ClassVar[Body] = {"model": "m", "name": "n"}

    def test_a_create_is_blocked_with_the_line_that_takes_it_over(self) -> None:
        theirs = marked("o1", "hr", {"model": "old"}, owner="other")
        assert the_change(plan([manifest("hr", {"model": "m"})], [theirs])).blocked == Block(
            Blocker.FOREIGN_OWNER,
            "o1 has this address, and 'other' manages it. To manage it here: "
            "`reconciler takeover --from other assistant/hr`. To create another: `reconciler: {same_name: allow}`",
        )

    @pytest.mark.parametrize(
        ("name", "held"), [("n", True), ("N", True), (None, True), ("", True), ("another", False)], ids=str
    )
    def test_where_both_have_a_name_another_name_is_another_object(self, name: str | None, held: bool) -> None:
        theirs = marked("o1", "hr", {"model": "old", "name": name}, owner="other")
        assert (blocked(plan([manifest("hr", self.BODY)], [theirs])) is Blocker.FOREIGN_OWNER) is held

    def test_it_is_allowed_where_the_manifest_says_so_or_binds_it(self) -> None:
        theirs = marked("o1", "hr", self.BODY, owner="other")
        assert blocked(plan([manifest("hr", self.BODY, same_name_allowed=True)], [theirs])) is None
        found = plan([manifest("hr", self.BODY), manifest("x", self.BODY, id="o1")], [theirs])
        assert [(c.address.key, c.blocked and c.blocked.by) for c in found.changes] == [
            ("hr", None),
            ("x", Blocker.FOREIGN_OWNER),
        ]

    def test_other_keys_of_theirs_are_no_hindrance(self) -> None:
        theirs = marked("o1", "x", {"model": "old"}, owner="other")
        assert blocked(plan([manifest("hr", self.BODY)], [theirs])) is None


class TestALostCreate:
    """A create whose answer was lost, where no mark on an object can show what became of it."""

    LOST = frozenset({Address("assistant", "hr")})

    @pytest.mark.parametrize("moved_from", [None, "hr"], ids=["its address", "a former one"])
    def test_another_create_waits_until_somebody_says_what_became_of_it(self, moved_from: str | None) -> None:
        wanted = manifest("new" if moved_from else "hr", {"model": "m"}, moved_from=moved_from)
        assert the_change(plan([wanted], unresolved=self.LOST)).blocked == Block(
            Blocker.UNRESOLVED,
            "the response to a create of assistant/hr was lost, so it is unknown whether it happened. If the "
            f"object exists: `reconciler adopt {wanted.address} ID`. If not: `reconciler release assistant/hr "
            "--lost-create`",
        )

    def test_other_addresses_and_objects_that_are_there_are_no_matter(self) -> None:
        assert blocked(plan([manifest("other", {"model": "m"})], unresolved=self.LOST)) is None
        found = plan([manifest("hr", {"model": "n"})], [marked("o1", "hr", {"model": "m"})], unresolved=self.LOST)
        assert actions(found) == [("update", "hr", "o1", False)]

    def test_what_an_object_shows_of_itself_is_said_first(self) -> None:
        found = plan([manifest("hr", {"model": "m"})], [bare("o1", {"model": "m"})], unresolved=self.LOST)
        assert blocked(found) is Blocker.SAME_CONTENT
