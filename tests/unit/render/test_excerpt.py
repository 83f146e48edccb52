"""The lines around a place: the right ones, underlined at the right columns, and safe whatever is in the file."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.diagnostics import Code, Diagnostic, Severity, Source
from reconciler.render.terminal.color import painter
from reconciler.render.terminal.diagnostic_lines import diagnostics
from reconciler.render.terminal.excerpt import excerpt

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
SECRET = "hunter2-hunter2"


def around(text: str, line: int, column: int, file: str = "a.yaml", room: int = 100) -> list[str]:
    return list(excerpt(Source(file, line, column), text.split("\n"), room, painter(color=False), "error"))


def underlined(text: str, line: int, column: int, file: str = "a.yaml") -> str:
    """What stands above the carets."""
    shown = around(text, line, column, file)
    carets = next(at for at, each in enumerate(shown) if "^" in each)
    start, end = shown[carets].index("^"), shown[carets].rindex("^") + 1
    return shown[carets - 1][start:end]


def test_the_lines_around_with_their_numbers() -> None:
    assert around("a: 1\n\nb: 2\nmodle: x\nc: 3\nd: 4", 4, 1) == [
        "   |",
        " 3 | b: 2",
        " 4 | modle: x",
        "   | ^^^^^",
        " 5 | c: 3",
    ]
    assert around("\n".join(f"k{n}: v" for n in range(1, 101)), 99, 6)[1:4] == [
        "  98 | k98: v",
        "  99 | k99: v",
        "     |      ^",
    ]


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("modle: x", 1, "modle"),
        ("name: HR bot, the first   # ours", 7, "HR bot, the first"),
        ('name: "a: \\"b\\" c" # d', 7, '"a: \\"b\\" c"'),
        ("name: 'it''s' # d", 7, "'it''s'"),
        ("a: {b: one two, c: 3}", 8, "one two"),
        ("a: [one, two]", 4, "[one, two]"),
        ("a: [one, two]", 10, "two"),
        ("a: [one, [two]]", 4, "["),
        ("text: !file prompts/a.md", 7, "!file prompts/a.md"),
        ("text: |", 7, "|"),
        ("url: https://a.example/b", 6, "https://a.example/b"),
        ("  - type: x", 5, "type"),
    ],
)
def test_the_whole_of_what_starts_there_is_underlined(text: str, column: int, what: str) -> None:
    assert underlined(text, 1, column) == what


def test_prose_has_no_words_of_yaml() -> None:
    assert underlined("Answer: politely", 1, 9, "prompts/a.md") == "p"
    assert underlined("---\nmodle: x\n---\nAnswer: politely", 2, 1, "a.md") == "modle"
    assert underlined("---\nmodel: x\n---\nAnswer: politely", 4, 1, "a.md") == "A"


def test_a_long_line_is_cut_around_the_place() -> None:
    text = "instructions: " + "word " * 50_000 + "{" + " word" * 50_000
    _, line, carets = around(text, 1, text.index("{") + 1, room=80)
    assert len(line) <= 80 + len(" 1 | ……")
    assert line[carets.index("^")] == "{"
    assert line.count("…") == 2


@pytest.mark.parametrize("filler", ["x", " ", "a-", "!env ", "token", '"', ":"])
def test_a_line_of_a_megabyte_takes_no_longer_than_a_short_one(filler: str) -> None:
    # With a pattern that looks through the line again from each of its characters, this would not end today.
    text = "instructions: " + filler * (1_000_000 // len(filler))
    assert len(around(text, 1, 15)) == 3
    assert len(around(f"a: 1\n{text}", 1, 1)) == 4


def test_wide_and_unseen_characters_keep_the_caret_in_its_place() -> None:
    assert around("{n: 日本語, m: x}", 1, 13)[2] == "   |                ^"  # each of the three takes two columns
    assert around("n:\tx\u202ey", 1, 4)[1:] == [" 1 | n:\\tx\\u202ey", "   |     ^^^^^^^^"]


def test_what_is_not_there_is_not_shown() -> None:
    assert around("a: 1", 2, 1) == []
    assert around("a: 1", 1, 40)[2] == "   |     ^"


@pytest.mark.parametrize(
    "text",
    [
        f"targets:\n  t:\n    credentials:\n      api_key: {SECRET}\n    url: x",
        f"targets:\n  t:\n    credentials:\n      # the key\n\n      api_key: |\n        {SECRET}\n    url: x",
        f"targets:\n  t:\n    credentials: {{api_key: {SECRET}}}",
        f"targets:\n  t: {{provider: p, credentials: {{api_key: '{SECRET}', virtual_key: !env V}}}}",
        f"targets:\n  t:\n    headers:\n      x-odd: {SECRET}",
        f'{{"targets": {{"t": {{\n"credentials": {{\n  "api_key": "{SECRET}"\n}}}}}}}}',
        f"api_key: {SECRET}",
        f"x: {{token: '{SECRET}', a: 1}}",
    ],
)
def test_a_literal_credential_is_never_shown(text: str) -> None:
    for line in range(1, text.count("\n") + 2):
        assert "hunter2" not in "\n".join(around(text, line, 1))


def test_where_a_credential_comes_from_is_shown() -> None:
    text = "t:\n  p:\n    credentials:\n      api_key: !env KEY # ours\n    headers: {a: !env A}\n    max_tokens: 25600"
    shown = "\n".join(line for number in (3, 5) for line in around(text, number, 5))
    assert {"!env KEY # ours", "{a: !env A}", "25600"} <= set(re.findall(r"!env KEY.*|\{a.*|25600", shown))


@given(st.text(max_size=200), st.integers(0, 6), st.integers(1, 250), st.integers(1, 120))
def test_whatever_is_in_a_file_nothing_unsafe_is_shown(text: str, line: int, column: int, room: int) -> None:
    for each in around(text, line, column, room=room):
        assert not UNSAFE.search(each)


def test_each_place_is_shown_once_and_the_first_twenty() -> None:
    def found(line: int, severity: Severity = Severity.ERROR) -> Diagnostic:
        return Diagnostic(severity, Code.INVALID_VALUE, "wrong", source=Source("a.yaml", line, 1))

    lines = [f"k{number}: v" for number in range(100)]
    many = [found(1), found(1), found(2, Severity.INFO), *map(found, range(3, 60))]
    text = diagnostics(many, lines=lambda name: lines)
    assert text.count("wrong [RC0202]") == len(many)
    assert text.count("^^") == 20
    assert diagnostics(many, lines=lambda name: None) == diagnostics(many)
