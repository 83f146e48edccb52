"""What YAML is accepted, as which values, and what is refused before it can do harm."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from reconciler.config.syntax import yaml
from reconciler.config.syntax.yaml import read_yaml
from reconciler.config.syntax.yaml_scalars import Tagged
from reconciler.diagnostics import Code, Source


@pytest.fixture(params=["libyaml", "pure"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both parsers: machines without libyaml must not read other values."""
    if request.param == "pure":
        monkeypatch.setattr(yaml, "_FAST_PARSER", None)
    return str(request.param)


def value(text: str) -> Any:
    """The value of a text that is accepted."""
    documents, problems = read_yaml(text.encode(), "a.yaml")
    assert not problems
    return documents[0].value


def refusal(content: str | bytes, file: str = "a.yaml") -> tuple[Code, str, str]:
    """The one problem of a text that is refused: code, place, summary."""
    _, problems = read_yaml(content if isinstance(content, bytes) else content.encode(), file)
    assert len(problems) == 1, problems
    return problems[0].code, str(problems[0].source), problems[0].summary


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((word, word) for word in ("no", "on", "yes", "off", "y", "n", "NO", "Yes")),
        *((word, word) for word in ("12:30:45", "1:30", "2026-11-22", "2026-02-30", "1_000", "0b101", "0o8", "0xg")),
        *((word, word) for word in ("+", ".", "..", "1e", "e3", "-x", "+.e", "tRue", "nuLL", "1.2.3", "0X1F")),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        *((word, None) for word in ("null", "Null", "NULL", "~", "")),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("-12", -12),
        ("+12", 12),
        ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
        ("1e3", 1000.0),
        ("1E-3", 0.001),
        (".5", 0.5),
        ("1.", 1.0),
        ("-0.0", -0.0),
    ],
)
def test_plain_scalars_follow_the_core_schema_of_yaml_1_2(text: str, expected: object) -> None:
    found = value(f"a: {text}\n")["a"]
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("text", ['"017"', "'true'", "!!str 12", "! 12", '"~"', "|\n 1e999", '""'])
def test_quoted_scalars_are_text(text: str) -> None:
    assert type(value(f"a: {text}")["a"]) is str


@pytest.mark.parametrize(
    "number",
    [
        "1e999",
        "-1e999",
        ".inf",
        "-.INF",
        ".nan",
        "18446744073709551616",
        "-9223372036854775809",
        "9" * 1_000_000,
        "0x" + "f" * 1_000_000,
        "1." + "0" * 10 + "e" + "9" * 20,
    ],
    ids=lambda text: text[:12],
)
def test_numbers_that_json_cannot_carry_are_refused(number: str) -> None:
    code, place, summary = refusal(f"a: {number}")
    assert (code, place) == (Code.INVALID_YAML, "a.yaml:1:4")
    assert len(summary) < 80


def test_long_digits_that_are_no_number_of_yaml_1_2_are_text() -> None:
    for text in ("0b" + "1" * 500_000, ":".join(["59"] * 20_000)):
        assert value(f"a: {text}")["a"] == text


def test_every_value_keeps_its_place() -> None:
    documents, _ = read_yaml(b"name: x\ntools:\n  - type: a\n    b: {c: 1}\n", "a.yaml")
    document = documents[0]
    assert document.source == Source("a.yaml", 1, 1)
    assert document.places[("name",)] == Source("a.yaml", 1, 7)
    assert document.places[("tools", 0, "b", "c")] == Source("a.yaml", 4, 12)
    assert document.key_place(("tools",)) == Source("a.yaml", 2, 1)
    assert document.place(("tools", 0, "b", "c", "further")) == Source("a.yaml", 4, 12)


def test_columns_count_characters() -> None:
    documents, _ = read_yaml("{é😀: ü, b: 1}".encode(), "a.yaml")
    assert documents[0].places[("b",)].column == 12


def test_several_documents_each_count_from_the_top_of_the_file() -> None:
    documents, problems = read_yaml(b"a: 1\n---\nb: 2\n---\n", "a.yaml")
    assert not problems
    assert [each.value for each in documents] == [{"a": 1}, {"b": 2}, None]
    assert documents[1].place(("b",)).line == 3


def test_line_ends_of_windows_change_nothing() -> None:
    text = "a: |\n  one\n  two\nb: x\n"
    assert value(text) == value(text.replace("\n", "\r\n"))


@pytest.mark.parametrize("content", [b"", b"# only a comment\n", b"\xef\xbb\xbf"])
def test_a_file_without_content_has_no_documents(content: bytes) -> None:
    assert read_yaml(content, "a.yaml") == ([], [])


def test_a_byte_order_mark_is_accepted_and_takes_no_column() -> None:
    documents, _ = read_yaml(b"\xef\xbb\xbfa: 1", "a.yaml")
    assert documents[0].value == {"a": 1}
    assert documents[0].places[("a",)].column == 4


@pytest.mark.parametrize("odd", ["\x7f", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("form", ['"one{}two"', "|-\n  one{}two", "one{}two", "'one {} two'"])
def test_characters_that_only_yaml_1_1_takes_for_line_breaks_stay_as_they_are(odd: str, form: str) -> None:
    text = value(f"a: {form.format(odd)}\nb: 1")["a"]
    assert text.replace(" ", "") == f"one{odd}two"


# What is refused


def test_an_alias_bomb_is_refused_at_the_first_alias_over_the_limit() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    code, _, summary = refusal("\n".join(lines))
    assert code is Code.UNSAFE_YAML
    assert summary == "aliases make more than 20,000 values of one document"


def test_more_than_a_hundred_aliases_are_refused() -> None:
    assert value("a: &a x\nb: [" + "*a, " * 100 + "]")["b"] == ["x"] * 100
    assert refusal("a: &a x\nb: [" + "*a, " * 101 + "]")[2] == "more than 100 aliases in one document"


def test_an_alias_is_a_copy_with_places_and_tags() -> None:
    documents, problems = read_yaml(b"a: &a {x: [1, !var v]}\nb: *a\nc: &c t\nd: *c\n", "a.yaml")
    document = documents[0]
    assert not problems
    assert document.value["b"] == document.value["a"]
    assert document.value["b"]["x"] is not document.value["a"]["x"]
    assert document.value["d"] == "t"
    assert document.places[("b",)].line == 2
    assert document.places[("b", "x", 0)].line == 1
    assert document.tagged[("b", "x", 1)] == Tagged("!var", "v")


def test_aliases_cannot_nest_deeper_than_the_limit() -> None:
    lines = ["a0: &a0 [[[[[[[[[[x]]]]]]]]]]"] + [f"a{n}: &a{n} [[[[[*a{n - 1}]]]]]" for n in range(1, 9)]
    assert refusal("\n".join(lines))[2] == "nesting is deeper than 32 levels"


@pytest.mark.parametrize(("text", "word"), [("a: &a [*a]", "inside"), ("a: &a {b: [*a]}", "inside"), ("a: *b", "no")])
def test_an_alias_needs_a_whole_anchor_before_it(text: str, word: str) -> None:
    assert word in refusal(text)[2]


DEEP = {
    "brackets": "[" * 100_000,
    "braces": "{a: " * 100_000,
    "blocks": "\n".join(" " * n + "a:" for n in range(1_400)),
    "items": "- " * 100_000,
    "closed": "a: " + "[" * 40 + "]" * 40,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP.keys())
def test_deep_nesting_is_refused(text: str) -> None:
    assert refusal(text)[2] == "nesting is deeper than 32 levels"


def test_deep_nesting_is_refused_on_a_small_stack() -> None:
    found: list[str] = []
    previous = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=lambda: found.extend(refusal(text)[2] for text in DEEP.values()))
        thread.start()
    finally:
        threading.stack_size(previous)
    thread.join()
    assert found == ["nesting is deeper than 32 levels"] * len(DEEP)


def test_32_levels_are_accepted() -> None:
    assert value("[" * 32 + "]" * 32)


def test_too_many_values_are_refused(parser: str) -> None:
    assert refusal("a: [" + "x, " * 20_001 + "]")[2] == "more than 20,000 values in one document"


@pytest.mark.parametrize("content", [b"#" * (1024 * 1024 + 1), b"- a\n" * 2_500_000])
def test_size_is_refused_before_parsing(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "_next_event", None)
    assert refusal(content)[0] is Code.TOO_LARGE


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a: 1\nb: 2\na: 3\n", (1, 3)),
        ("x:\n  - {a: 1}\n  - y: 1\n    'y': {deep: [1]}\n", (3, 4)),
        ("a: &a {k: 1}\nb: *a\na: {z: !file x}", (1, 3)),
    ],
)
def test_a_key_given_twice_names_both_lines(text: str, lines: tuple[int, int]) -> None:
    code, place, summary = refusal(text)
    assert code is Code.DUPLICATE_KEY
    assert summary.endswith(f"is given twice, in lines {lines[0]} and {lines[1]}")
    assert place.startswith(f"a.yaml:{lines[1]}:")


def test_the_first_of_two_equal_keys_stays() -> None:
    documents, _ = read_yaml(b"a: 1\na: 2\nb: 3", "a.yaml")
    assert documents[0].value == {"a": 1, "b": 3}


def test_merge_keys_are_refused_with_what_to_do_instead() -> None:
    _, problems = read_yaml(b"a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n", "a.yaml")
    assert [each.summary for each in problems] == ["merge keys (<<) are not supported"]
    assert "write the fields out" in problems[0].hint
    assert value('"<<": 1') == {"<<": 1}


@pytest.mark.parametrize("key", ["1", "true", "null", "1.5", "~", "0x1F", ".nan", "? \n", "9" * 400])
def test_keys_that_are_not_text_are_refused(key: str) -> None:
    _, problems = read_yaml(f"{key}: x".encode(), "a.yaml")
    assert [each.code for each in problems] == [Code.INVALID_YAML]
    assert "quote it" in problems[0].hint


@pytest.mark.parametrize("key", ["no", "on", "2026-11-22", "1:30", "a b", "ü"])
def test_keys_that_only_yaml_1_1_takes_for_something_else_are_text(key: str) -> None:
    assert value(f"{key}: x") == {key: "x"}


@pytest.mark.parametrize("text", ["{a: 1}: x", "[a]: x", "? [a]\n: x", "a: &a x\n*a : y"])
def test_mappings_lists_and_aliases_as_keys_are_refused(text: str) -> None:
    assert refusal(text)[2].startswith("a key must be text")


@pytest.mark.parametrize(
    "tag",
    ["!!python/object/apply:os.system", "!!python/name:os.system", "!!binary", "!!set", "!!omap", "!!int", "!own"],
)
@pytest.mark.parametrize("form", ["a: {} x", "a: {} [x]", "a: {} {{x: y}}"])
def test_unknown_tags_are_refused_naming_the_known_ones(tag: str, form: str) -> None:
    _, problems = read_yaml(form.format(tag).encode(), "a.yaml")
    assert [(each.code, each.summary) for each in problems] == [(Code.BAD_TAG, f"unknown tag {tag}")]
    assert "!file, !ref, !var, !env" in problems[0].hint


def test_our_tags_are_leaves_to_be_resolved() -> None:
    documents, problems = read_yaml(b'a: !file "x y.md"\nb: [!var n]\nc: !env E\n', "a.yaml")
    assert not problems
    assert documents[0].tagged == {
        ("a",): Tagged("!file", "x y.md"),
        ("b", 0): Tagged("!var", "n"),
        ("c",): Tagged("!env", "E"),
    }


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("a: !file {x: y}", "!file takes one word or path, not a mapping or list"),
        ("a: !ref [x]", "!ref takes one word or path, not a mapping or list"),
        ("!file a: x", "a key cannot have the tag !file"),
    ],
)
def test_tags_in_the_wrong_place_are_refused(text: str, summary: str) -> None:
    code, _, found = refusal(text)
    assert (code, found) == (Code.BAD_TAG, summary)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"a: \xff", "a.yaml:1:4"),
        (b"a: 1\nb: \xc3\xbc\xe2\x82", "a.yaml:2:5"),
        (b"\xff\xfea\0:\0 \x001\0", "a.yaml:1:1"),
        (b"\xfe\xff\0a\0:\0 \x001", "a.yaml:1:1"),
        (b"a: 1\nb: x\0y", "a.yaml:2:5"),
        (b"a: \xed\xa0\x80", "a.yaml:1:4"),
        (b"a: 1\nb: x\x1by", "a.yaml:2:5"),
        ("a: 1\nb: x\x9by".encode(), "a.yaml:2:5"),
    ],
)
def test_what_is_not_plain_utf_8_is_refused_with_its_place(content: bytes, place: str) -> None:
    code, found, _ = refusal(content)
    assert (code, found) == (Code.BAD_ENCODING, place)


@pytest.mark.parametrize("escape", [r"\ud800", r"\udfff", r"\ud83d\ude00"])
def test_surrogates_are_refused(escape: str) -> None:
    _, problems = read_yaml(f'a: "{escape}"'.encode(), "a.yaml")
    assert [each.severity for each in problems] == ["error"]


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("a: 1\nname: Acme: help desk\n", 2, "a text that contains ': ' must be quoted"),
        ("a: 1\n\tb: 2\n", 2, "indent with spaces, not tabs"),
        ("a: @bot\n", 1, "must be quoted"),
        ("a: 1\nb: 'open\nc: 2\n", 2, "the quote that opens here is never closed"),
        ("a: [1, 2\nb: 3\n", 2, "a bracket is opened and not closed"),
        ("a:\n  b: 1\n c: 2\n", 3, "check the indentation"),
        ('a: "C:\\dir"\n', 1, "use single quotes"),
    ],
)
def test_what_newcomers_write_is_refused_with_a_hint(text: str, line: int, hint: str) -> None:
    _, problems = read_yaml(text.encode(), "a.yaml")
    assert problems[0].code is Code.INVALID_YAML
    assert problems[0].source is not None
    assert problems[0].source.line == line
    assert hint in problems[0].hint


def test_problems_of_one_file_are_told_together_up_to_a_limit() -> None:
    _, problems = read_yaml(b"a: 1\na: 2\nb: !own x\nc: 1e999\n", "a.yaml")
    assert [each.code for each in problems] == [Code.DUPLICATE_KEY, Code.BAD_TAG, Code.INVALID_YAML]
    _, problems = read_yaml(b"a: 1\n" * 5_000, "a.yaml")
    assert [each.summary for each in problems] == ["more than 49 problems in one file"]
