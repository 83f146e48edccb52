"""A changed sentence shows as a changed sentence, and everything that changed shows."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.render.difference import prose_diff
from reconciler.render.difference.prose_diff import ProseDiff, count_lines, diff_prose, split_line
from reconciler.render.difference.truncated_diff import truncated_diff
from tests.unit.core.plans import unhurried

texts = st.text(alphabet="ab .\n\u00a0", max_size=300) | st.lists(
    st.sampled_from(["One sentence. ", "Another one! ", "\n", "words and more words ", " ", "x" * 90]), max_size=20
).map("".join)


def drawn(diff: ProseDiff) -> list[str]:
    """The shown lines, hunks separated by their line numbers."""
    lines = []
    for hunk in diff.hunks:
        lines.append(f"@{hunk.line}")
        for line in hunk.lines:
            parts = [f"[{s.mark}{s.text}{s.mark}]" if s.mark else s.text for s in line.segments]
            lines.append(line.tag + "".join(parts))
    return lines


def test_one_inserted_phrase() -> None:
    before = "Be brief.\nAlways answer politely and cite an article.\nSign."
    after = before.replace("politely", "politely, in their language,")
    diff = diff_prose(before, after)
    assert drawn(diff) == [
        "@2",
        " Be brief.",
        "-Always answer politely and cite an article.",
        "+Always answer politely[+, in their language,+] and cite an article.",
        " Sign.",
    ]
    assert (diff.changed, diff.total, diff.words) == (1, 3, 3)


def test_a_long_line_is_shown_by_the_sentence() -> None:
    before = "This is the first sentence of a long line. " * 3 + "The second one stays. The last one goes away."
    after = before.replace("The second one stays.", "The second one changes.") + " And one is new."
    assert drawn(diff_prose(before, after)) == [
        "@1",
        " This is the first sentence of a long line.",
        "-The second one [-stays-].",
        "+The second one [+changes+].",
        " The last one goes away.",
        "+And one is new.",
    ]


def test_a_line_break_that_goes_is_shown() -> None:
    long = "This is a sentence that is there to make the line a long one. " * 2
    assert drawn(diff_prose(f"{long}\nEnd.", f"{long}End.")) != []
    assert "-\\n" in drawn(diff_prose(f"{long}A.\nEnd.", f"{long}A. End."))


def test_blanks_tabs_and_odd_spaces_are_shown() -> None:
    assert drawn(diff_prose("one two three", "one two three ")) == ["@1", "-one two three", "+one two three[+\\x20+]"]
    assert drawn(diff_prose("one two three", "one two\tthree"))[2] == "+one two[+\\t+]three"
    assert drawn(diff_prose("ten kilos of it", "ten\u00a0kilos of it"))[2] == "+ten[+\\xa0+]kilos of it"


def test_an_empty_line_that_comes_is_shown() -> None:
    assert drawn(diff_prose("a\nb", "a\n\nb")) == ["@2", " a", "+\\n", " b"]


def test_lines_with_little_in_common_carry_no_word_marks() -> None:
    shown = drawn(diff_prose("The quick brown fox jumps.", "A slow red hen sat down and jumps."))
    assert not any("[" in line for line in shown)


@unhurried
@given(texts, texts)
def test_a_difference_always_shows(before: str, after: str) -> None:
    changed = [line for line in drawn(diff_prose(before, after)) if line[0] in "+-"]
    assert bool(changed) == (before != after)


@unhurried
@given(texts, texts)
def test_nothing_unseen_is_drawn(before: str, after: str) -> None:
    assert all(character.isprintable() for line in drawn(diff_prose(before, after)) for character in line)


@unhurried
@given(texts)
def test_pieces_make_up_their_line(text: str) -> None:
    line = text.replace("\n", "")
    pieces = split_line(line)
    at = 0
    for piece in pieces:
        assert line.startswith(piece, at)
        at += len(piece)
        at += line[at : at + 1] == " "
    assert at >= len(line)


@pytest.mark.parametrize(("text", "lines"), [("", 0), ("a", 1), ("a\n", 1), ("a\n\n", 2), ("a\nb", 2)])
def test_lines_are_counted_as_people_do(text: str, lines: int) -> None:
    assert count_lines(text) == lines


def prompt(separator: str) -> str:
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnop", k=chance.randint(2, 9))) for _ in range(3000)]
    sentences = (" ".join(chance.choices(words, k=10)).capitalize() for _ in range(6000))
    return separator.join(sentences)[:256_000]


@pytest.mark.parametrize("separator", [".\n", ".\n\n", ". ", " "], ids=["lines", "blank lines", "one line", "no ends"])
def test_a_large_prompt_shows_its_edits_and_little_else(separator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = prompt(separator)
    places = sorted(random.Random(2).sample(range(len(before)), 50), reverse=True)
    after = before
    for place in places:
        after = after[:place] + " inserted " + after[place:]
    tokens = 0
    differences = prose_diff.differences

    def counting(old: list[str], new: list[str]) -> object:
        nonlocal tokens
        tokens += len(old) + len(new)
        return differences(old, new)

    monkeypatch.setattr(prose_diff, "differences", counting)
    diff = diff_prose(before, after)
    assert 25 < len(diff.hunks) <= 50
    assert sum(len(hunk.lines) for hunk in diff.hunks) < 8 * 50
    assert diff.hidden == 0
    assert tokens < 40_000  # not the 90,000 words of both texts


def test_fewer_lines_still_show_both_sides() -> None:
    before = "same\n" + "".join(f"old {at}\n" for at in range(30))
    shorter = truncated_diff(diff_prose(before, before.replace("old", "new") + "one\nmore"), 9)
    (hunk,) = shorter.hunks
    assert [line.tag for line in hunk.lines] == [" ", *"----", *"++++"]
    assert shorter.hidden == (31 - 4) + (32 - 4)


def test_what_is_left_out_is_counted() -> None:
    before = "\n".join(f"old {at}" for at in range(2000))
    diff = diff_prose(before, before.replace("old", "new"))
    shown = sum(line.tag != " " for hunk in diff.hunks for line in hunk.lines)
    assert shown == prose_diff.MAX_LINES
    assert shown + diff.hidden == 4000
