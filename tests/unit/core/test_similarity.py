"""A rename with an edit: everything but long text is equal, and most of the text is the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.matching.index import Managed, content_of, mark_of
from reconciler.core.matching.similarity import LONG_TEXT, OrphanIndex, Sketch, nearly_same, sketch_of
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import Address, Blocker, Body, LiveObject
from reconciler.core.values.semantics import Kind
from reconciler.formats.dialect import compile_schema
from tests.unit.core.build import ASSISTANT, WIDGET, actions, bare, manifest, marked, plan, the_change

PROSE = " ".join(f"sentence{number} about holidays." for number in range(20))
OTHER = " ".join(f"paragraph{number} on travel." for number in range(20))
OLD: Body = {"name": "HR", "model": "m", "instructions": PROSE, "tools": [{"type": "file_search"}]}
NEW: Body = {**OLD, "name": "People"}


def edited(words: int, text: str = PROSE) -> str:
    """The text with so many words replaced by others."""
    found = text.split()
    return " ".join([f"other{place}" for place in range(words)] + found[words:])


def block(wanted: Body, live: Body = OLD, kind: Kind = ASSISTANT, **said: bool) -> Blocker | None:
    change = the_change(plan([manifest("new", wanted, kind, **said)], [marked("o1", "old", live, kind)], kind))
    return change.blocked.by if change.blocked else None


class TestNearlyTheSame:
    def test_a_file_that_was_renamed_and_edited_is_a_probable_rename(self) -> None:
        wanted = manifest("new", {**NEW, "instructions": edited(3)})
        found = plan([wanted], [marked("o1", "old", OLD)], prune=True)
        create, delete = found.changes
        assert create.blocked is not None
        assert (create.blocked.by, create.blocked.hint) == (
            Blocker.PROBABLE_RENAME,
            "o1 of assistant/old has nearly the same content and no manifest: if it was renamed, add "
            "`reconciler: {moved_from: old}`; if it is a different one, `reconciler: {same_name: allow}`",
        )
        assert delete.blocked is not None
        assert delete.blocked.by is Blocker.PROBABLE_RENAME

    @pytest.mark.parametrize(("words", "alike"), [(0, True), (14, True), (15, False), (60, False)])
    def test_three_quarters_of_the_pairs_of_words_have_to_be_the_same(self, words: int, alike: bool) -> None:
        assert len(PROSE.split()) == 59 + 1  # so many pairs
        assert (block({**NEW, "instructions": edited(words)}) is Blocker.PROBABLE_RENAME) is alike

    @pytest.mark.parametrize(("more", "alike"), [(19, True), (20, False)])
    @pytest.mark.parametrize("larger", ["new", "old"])
    def test_the_share_is_of_the_larger_text(self, more: int, alike: bool, larger: str) -> None:
        longer = {**NEW, "instructions": PROSE + " more" * more}
        wanted, live = (longer, OLD) if larger == "new" else (NEW, {**longer, "name": "HR"})
        assert (block(wanted, live) is Blocker.PROBABLE_RENAME) is alike

    def test_how_often_a_pair_is_there_counts(self) -> None:
        assert block({**NEW, "instructions": "holidays " * 60}, {**OLD, "instructions": "holidays " * 300}) is None

    def test_spaces_and_lines_are_no_words(self) -> None:
        assert block({**NEW, "instructions": PROSE.replace(" ", "\n  ")}) is Blocker.PROBABLE_RENAME

    @pytest.mark.parametrize(("edits", "alike"), [(5, True), (150, False)])
    def test_a_text_without_spaces_is_compared_by_its_characters(self, edits: int, alike: bool) -> None:
        text = "".join(chr(0x4E00 + 7 * place) for place in range(300))
        other = "".join(chr(0x6E00 + place) for place in range(edits)) + text[edits:]
        wanted, live = {**NEW, "instructions": other}, {**OLD, "instructions": text}
        assert (block(wanted, live) is Blocker.PROBABLE_RENAME) is alike

    @pytest.mark.parametrize(
        "wanted",
        [{"model": "n"}, {"description": "d"}, {"temperature": 0.5}, {"tools": []}, {"description": "d" * LONG_TEXT}],
        ids=["model", "short text", "number", "tools", "one more long text"],
    )
    def test_all_that_is_not_long_text_has_to_be_equal(self, wanted: Body) -> None:
        assert block({**NEW, **wanted, "instructions": edited(1)}) is None

    def test_what_is_shown_in_another_way_is_equal(self) -> None:
        live = {**OLD, "temperature": 1.0, "tools": OLD["tools"], "tool_resources": None}
        assert block({**NEW, "temperature": 1, "instructions": edited(1)}, live) is Blocker.PROBABLE_RENAME

    @pytest.mark.parametrize(("characters", "alike"), [(LONG_TEXT, True), (LONG_TEXT - 1, False)])
    def test_without_long_text_only_equals_are_alike(self, characters: int, alike: bool) -> None:
        text = ("a b c d e f g h i j " * LONG_TEXT)[:characters]
        wanted = {**NEW, "instructions": text.replace("a", "z", 1)}
        assert (block(wanted, {**OLD, "instructions": text}) is Blocker.PROBABLE_RENAME) is alike
        assert block({"name": "People", "model": "m"}, {"name": "HR", "model": "m", "temperature": 0.5}) is None

    def test_long_texts_below_a_field_count_too(self) -> None:
        def with_tool(text: str) -> Body:
            tool = {"type": "function", "function": {"name": "f", "description": text}}
            return {"name": text[:9], "model": "m", "tools": [tool]}

        assert block(with_tool(edited(3)), with_tool(PROSE)) is Blocker.PROBABLE_RENAME
        assert block(with_tool(OTHER), with_tool(PROSE)) is None

    def test_metadata_is_left_aside(self) -> None:
        wanted = {**NEW, "instructions": edited(1), "metadata": {"team": "a"}}
        assert block(wanted, {**OLD, "metadata": {"team": "b"}}) is Blocker.PROBABLE_RENAME

    def test_a_manifest_that_says_it_is_another_is_none(self) -> None:
        wanted = manifest("new", {**NEW, "instructions": edited(1)}, same_name_allowed=True)
        found = plan([wanted], [marked("o1", "old", OLD)], prune=True, allow_deletes=1)
        assert actions(found) == [("create", "new", None, False), ("delete", "old", "o1", False)]

    def test_only_orphans_are_compared(self) -> None:
        wanted, old = manifest("new", {**NEW, "instructions": edited(1)}), manifest("old", OLD)
        theirs = marked("o3", "x", OLD, owner="other")
        for files in ([old, wanted], [replace(old, address=Address("assistant", "b"), moved_from="old"), wanted]):
            found = plan(files, [marked("o1", "old", OLD), bare("o2", {**OLD, "name": "x"}), theirs])
            assert [c.blocked for c in found.changes if c.address.key == "new"] == [None]

    def test_what_never_changes_is_not_renamed(self) -> None:
        kind = replace(ASSISTANT, immutable=True)
        assert block({**NEW, "instructions": edited(1)}, OLD, kind) is None

    def test_the_same_name_is_told_before_nearly_the_same_content(self) -> None:
        objects = [marked("o1", "a", OLD), marked("o2", "b", {"model": "n", "name": "People"})]
        hint = plan([manifest("new", {**NEW, "instructions": edited(1)})], objects).changes[0].blocked
        assert hint is not None
        assert hint.hint.startswith("o2 of assistant/b has the same name and no manifest")


PARTS = Kind(
    "widget",
    compile_schema(
        {
            "properties": {
                "text": {"type": "string"},
                "store": {"type": "string", "x-ref": "store"},
                "stores": {"type": "array", "x-list": "set", "items": {"type": "string", "x-ref": "store"}},
                "token": {"type": "string", "x-sensitive": True},
                "once": {"type": "string", "writeOnly": True},
                "made": {"type": "string", "readOnly": True},
                "entry": {
                    "additionalProperties": False,
                    "properties": {"token": {"x-sensitive": True}, "hidden": {"readOnly": True}, "shown": {}},
                },
                "free": {},
                "labels": {"x-map": "granular", "additionalProperties": {"type": "string"}},
            }
        }
    ),
    "labels",
)


class TestSketch:
    @pytest.mark.parametrize(
        "other",
        [
            {"store": "s2"},
            {"stores": ["a", "b"]},
            {"token": "b"},
            {"token": OTHER},
            {"once": "b"},
            {"made": "b"},
            {"entry": {"token": "b"}},
            {"entry": {"hidden": OTHER}},
            {"entry": {"unknown": OTHER}},
            {"unknown": "b"},
            {"labels": {"a": OTHER}},
        ],
        ids=lambda other: next(iter(other)),
    )
    def test_ids_secrets_and_what_is_not_compared_are_left_aside(self, other: Body) -> None:
        assert sketch_of(PARTS, {"text": PROSE, **other}) == sketch_of(PARTS, {"text": PROSE}) is not None

    @pytest.mark.parametrize("other", [{"entry": {"shown": "b"}}, {"free": {"a": ["b"]}}, {"free": [1]}], ids=str)
    def test_all_else_is_not(self, other: Body) -> None:
        one, none = sketch_of(PARTS, {"text": PROSE, **other}), sketch_of(PARTS, {"text": PROSE})
        assert one is not None
        assert none is not None
        assert (one.pieces, one.frame == none.frame) == (none.pieces, False)

    def test_text_without_words_says_nothing(self) -> None:
        assert sketch_of(PARTS, {"text": " " * LONG_TEXT}) is None

    def test_words_that_are_there_in_another_order_are_another_text(self) -> None:
        turned = " ".join(reversed(PROSE.split()))
        assert block({**NEW, "instructions": turned}) is None

    def test_a_secret_is_no_long_text(self) -> None:
        assert sketch_of(PARTS, {"text": "short", "token": PROSE, "labels": {"a": PROSE}}) is None

    def test_any_text_has_a_sketch(self) -> None:
        assert sketch_of(WIDGET, {"title": "\ud800" * LONG_TEXT}) is not None


def orphan(key: str, body: Body) -> Managed:
    live = marked(f"o-{key}", key, body)
    mark = mark_of(ASSISTANT, live)
    assert isinstance(mark, Mark)
    return Managed(live, mark)


def test_a_header_with_a_sketch_is_as_good_as_the_object() -> None:
    whole = orphan("old", OLD)
    sketch = sketch_of(ASSISTANT, OLD)
    header = LiveObject("assistant", whole.live.id, {}, mark=whole.mark, content=b"c", sketch=sketch)
    wanted = manifest("new", {**NEW, "instructions": edited(1)})
    for each in (whole, Managed(header, whole.mark)):
        assert OrphanIndex(ASSISTANT, [each]).like(wanted) == (each, "nearly the same content")
    bare_header = Managed(replace(header, sketch=None, content=content_of(ASSISTANT, OLD)), whole.mark)
    assert OrphanIndex(ASSISTANT, [bare_header]).like(wanted) is None


def test_of_several_one_that_shares_rare_words_is_found() -> None:
    bodies = {f"t{n}": {**OLD, "name": f"t{n}", "instructions": f"tenant{n} {PROSE}"} for n in range(9)}
    lost = OrphanIndex(ASSISTANT, [orphan(key, body) for key, body in bodies.items()])
    found = lost.like(manifest("new", {**NEW, "instructions": f"tenant7 {PROSE} and more"}))
    assert found is not None
    assert found[0].mark.key == "t7"


SKETCHES = st.builds(
    Sketch,
    st.sampled_from([b"a", b"b"]),
    st.lists(st.integers(0, 6), min_size=1, max_size=12).map(lambda pieces: tuple(sorted(pieces))),
)


@given(st.lists(SKETCHES, max_size=6), SKETCHES)
def test_one_is_found_exactly_where_comparing_with_each_finds_one(several: Sequence[Sketch], wanted: Sketch) -> None:
    mark = Mark("acme", "old", "n")
    objects = [LiveObject("w", f"o{n}", {}, content=b"", sketch=sketch) for n, sketch in enumerate(several)]
    found = OrphanIndex(WIDGET, [Managed(live, mark) for live in objects]).nearly(wanted)
    assert (found is None) is not any(nearly_same(wanted, sketch) for sketch in several)
    assert found is None or nearly_same(wanted, found.live.sketch)
