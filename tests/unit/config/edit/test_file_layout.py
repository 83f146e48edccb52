"""Keys and file names for objects of any name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.edit.file_layout import RESERVED, FreeNames, prevailing_layout
from reconciler.config.edit.write_manifests import FileLayout
from reconciler.config.message_text import slug
from reconciler.core.values.model import MAX_KEY, Address, Manifest
from reconciler.diagnostics import Source
from tests.strategies import law


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Help desk", "help-desk"),
        ("  Straße № 5 (Zürich) ", "strasse-no-5-zurich"),
        ("../../etc/passwd", "etc-passwd"),
        ("🤖", ""),
        ("...", ""),
        ("a" * 300, "a" * 60),
        ("ﬁne", "fine"),
    ],
)
def test_a_slug_is_small_letters_digits_and_dashes(name: str, expected: str) -> None:
    assert slug(name) == expected


@law
@given(st.lists(st.none() | st.text(max_size=8) | st.sampled_from(["Con", "con", "CON", "nul", "reconciler", "a"])))
def test_every_object_gets_a_key_and_a_file_of_its_own_on_any_disk(names: list[str | None]) -> None:
    taken = FreeNames("/nowhere", ["A", "Con-assistant"], ".yaml")
    keys = [taken.new(name, f"asst_{number % 2}", "assistant") for number, name in enumerate(names)]
    folded = [key.casefold() for key in keys]
    assert len(set(folded)) == len(keys)
    assert not set(folded) & (RESERVED | {"a", "con-assistant"})
    assert all(key.isascii() and key[0].isalnum() and "/" not in key and len(key) <= MAX_KEY for key in keys)


def test_a_key_that_an_object_has_is_kept_and_its_file_moved_where_it_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team/Desk.json").touch()
    names = FreeNames(str(tmp_path), ["taken"], ".yaml")
    assert names.for_key("team/other", "assistant") == ("team/other", "team/other")
    assert names.for_key("team/desk", "assistant") == ("team/desk", "team/desk-2")
    assert names.for_key("con/x", "assistant") == ("con/x", "con-x-assistant")
    assert names.for_key("a.md/x", "assistant") == ("a.md/x", "a-md-x-assistant")
    assert names.for_key("Taken", "assistant") == ("Taken-2", "Taken-2")


def manifest(file: str, text: str = "", prose: str | None = None) -> Manifest:
    places = {("instructions",): Source(prose or file, 3, 1)}
    return Manifest(Address("assistant", file), {"instructions": text}, Source(file, 1, 1), places)


@pytest.mark.parametrize(
    ("manifests", "expected"),
    [
        ([], FileLayout(".yaml", inline=False)),
        ([manifest("a.yml"), manifest("b.yml"), manifest("c.md")], FileLayout(".yml", inline=False)),
        ([manifest("a.yaml"), manifest("a.yml")], FileLayout(".yaml", inline=False)),
        ([manifest("a.yaml", "x\ny"), manifest("b.yaml", "x\ny")], FileLayout(".yaml", inline=True)),
        ([manifest("a.yaml", "x\ny"), manifest("b.yaml", "x\ny", "p.md")], FileLayout(".yaml", inline=False)),
        ([manifest("a.json"), manifest("a.json"), manifest("b.md"), manifest("c.md")], FileLayout(".md", inline=False)),
    ],
)
def test_the_habit_of_a_directory_is_that_of_most_of_its_files(manifests: list[Manifest], expected: FileLayout) -> None:
    assert prevailing_layout(manifests, {"assistant": "instructions"}) == expected
