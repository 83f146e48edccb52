"""Nothing that a terminal, a log or an eye would take for something else gets through."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.render.escape import escaped, visible
from tests.unit.core.plans import unhurried


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, 漢字, 😀 ❤️", "plain text, 漢字, 😀 ❤️"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]8;;http://x\x07link", r"\x1b]8;;http://x\x07link"),
        ("\x9b31m \x85", r"\x9b31m \x85"),
        ("a\rb\nc\td", r"a\rb\nc\td"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("hidden a\ufe0f\ufe01", r"hidden a\ufe0f\ufe01"),
        ("10\u00a0kg", r"10\xa0kg"),
        ("half \ud800", r"half \ud800"),
        ("end  ", r"end\x20\x20"),
        ("  ::error::x", r"  \x3a:error::x"),
        ("std::vector", "std::vector"),
        ("a ##[group]x ##vso[task]", r"a \x23#[group]x \x23#vso[task]"),
        ("## Title", "## Title"),
    ],
)
def test_escapes(text: str, shown: str) -> None:
    assert visible(text) == shown


@unhurried
@given(st.text())
def test_only_characters_that_are_seen_are_left(text: str) -> None:
    shown = visible(text)
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & {unicodedata.category(c) for c in shown} - unassigned(shown)
    assert not re.match(r"\s*::", shown)
    assert "##[" not in shown
    shown.encode("utf-8")


def unassigned(shown: str) -> set[str]:
    """Format characters of rare scripts (Egyptian, musical notation, …) change only their own writing."""
    rare = {c for c in shown if unicodedata.category(c) == "Cf" and ord(c) > 0x5FF and not 0x2000 <= ord(c) <= 0x2FFF}
    return {unicodedata.category(c) for c in rare}


@unhurried
@given(st.text())
def test_escaping_twice_changes_nothing_more(text: str) -> None:
    assert escaped(escaped(text)) == escaped(text)
