"""Marks in names: what people see first, and everything read back, whatever the name."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.values import marks
from reconciler.core.values.marks import Mark, NewerMark
from reconciler.drivers.filename_marks import MarkedName, codes, content_of, read, with_mark
from tests.unit.core.plans import keys

SHA = hashlib.sha256(b"x").hexdigest()
KEY = "hr/handbook/leave.md"
MARK = marks.write(Mark("acme", KEY, "abcDEF123456"))


def test_the_readable_name_comes_first_and_the_suffix_last() -> None:
    name = with_mark("leave policy.md", MARK, SHA)
    assert name.startswith("leave policy~1")
    assert name.endswith("abcDEF123456.md")
    assert len(name) == len("leave policy.md") + 34
    assert read(name, 1, "acme", codes([KEY])) == MarkedName("leave policy.md", MARK, content_of(SHA, 1))
    assert content_of(SHA, 1234).endswith(", 1,234 bytes")


@settings(deadline=None)
@given(
    name=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="/\\"), min_size=1, max_size=60),
    key=keys,
    owner=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,31}", fullmatch=True),
    nonce=st.from_regex(r"[A-Za-z0-9]{1,16}", fullmatch=True),
    content=st.binary(min_size=1, max_size=40),
)
def test_every_name_comes_back(name: str, key: str, owner: str, nonce: str, content: bytes) -> None:
    sha, mark = hashlib.sha256(content).hexdigest(), marks.write(Mark(owner, key, nonce))
    uploaded = with_mark(name, mark, sha)
    assert read(uploaded, len(content), owner, codes([key])) == MarkedName(name, mark, content_of(sha, len(content)))
    for stranger in (read(uploaded, 1, "somebody-else", codes([key])), read(uploaded, 1, owner, {})):
        known = marks.read(stranger.mark)
        assert isinstance(known, Mark)
        assert (known.owner, known.key) != (owner, key)
        assert stranger.name == name


@settings(deadline=None)
@given(st.text(max_size=200), st.integers(0, 10**12))
def test_any_name_has_an_answer(name: str, size: int) -> None:
    said = read(name, size, "acme", {})
    assert said.mark is None or isinstance(marks.read(said.mark), Mark | NewerMark)


def test_a_newer_mark_still_says_whose_it_is() -> None:
    newer = with_mark("a.md", MARK, SHA).replace("~1", "~2")
    assert marks.read(read(newer, 1, "acme", codes([KEY])).mark) == NewerMark("acme", KEY)


def test_a_name_without_a_suffix_and_one_that_starts_with_a_dot() -> None:
    for name in ("README", ".env", "a.b.c"):
        assert read(with_mark(name, MARK, SHA), 1, "acme", codes([KEY])).name == name


def test_another_owner_is_nobody_we_know() -> None:
    said = marks.read(read(with_mark("a.md", MARK, SHA), 1, "other", codes([KEY])).mark)
    assert isinstance(said, Mark)
    assert said.owner.startswith("unknown-")


def test_an_unknown_key_is_told_by_the_readable_name() -> None:
    said = marks.read(read(with_mark("~Über Leave.md", MARK, SHA), 1, "acme", {}).mark)
    assert isinstance(said, Mark)
    assert said.key.startswith("ber-Leave.md.")


@pytest.mark.parametrize("mark", ["no mark", "1 acme a ~ - -"])
def test_nothing_is_uploaded_without_a_whole_mark(mark: str) -> None:
    with pytest.raises(ValueError, match="nonce"):
        with_mark("a.md", mark, SHA)
