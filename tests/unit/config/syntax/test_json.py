"""JSON files: strict JSON, every value as it was written, the same limits as YAML."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.syntax.yaml import read_yaml
from reconciler.diagnostics import Code, Source

texts = st.text(st.characters(exclude_categories=["Cs"]))
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts.filter(lambda text: "\0" not in text)
)
values = st.recursive(
    leaves, lambda each: st.lists(each, max_size=5) | st.dictionaries(texts, each, max_size=5), max_leaves=30
)


def exactly(value: Any) -> str:
    """The value with the types of its numbers, which `==` does not tell apart."""
    return repr(value)


@given(values, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_any_json_value_is_read_back_equal(value: Any, ascii_only: bool, indent: int | str | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    documents, problems = read_yaml(text.encode(), "a.json")
    assert not problems
    assert exactly(documents[0].value) == exactly(value)


plain = st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="\ufeff")


@given(st.recursive(st.text(plain), lambda each: st.dictionaries(st.text(plain, max_size=30), each, max_size=5)))
def test_json_in_a_yaml_file_is_read_the_same(value: Any) -> None:
    text = json.dumps({"a": value}, ensure_ascii=False)
    documents, problems = read_yaml(text.encode(), "a.yaml")
    assert not problems
    assert documents[0].value == {"a": value}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'"\ud83d\ude00"', "😀"),
        (r'"a\/b"', "a/b"),
        (r'"\u0041\n\t\"\\"', 'A\n\t"\\'),
        ('"\x7f\x85\u2028"', "\x7f\x85\u2028"),
        ("1E400".replace("400", "3"), 1000.0),
        ("-0", 0),
        ('{"' + "k" * 2_000 + '": 1}', {"k" * 2_000: 1}),
    ],
)
def test_what_a_yaml_parser_would_refuse_or_change_is_read_as_json(text: str, expected: object) -> None:
    documents, problems = read_yaml(text.encode(), "a.json")
    assert not problems
    assert documents[0].value == expected


def test_places_count_lines_and_columns() -> None:
    documents, _ = read_yaml(b'{\n  "a": [1,\n\t{"b": "x"}]\n}\n', "a.json")
    assert documents[0].places[("a", 1, "b")] == Source("a.json", 3, 8)
    assert documents[0].key_place(("a", 1, "b")) == Source("a.json", 3, 3)


@pytest.mark.parametrize(
    ("text", "place", "summary"),
    [
        ('{"a": 1,}', "1:9", 'not valid JSON: expected a key in "double quotes", found "}"'),
        ('{"a" 1}', "1:6", 'not valid JSON: expected a colon, found "1"'),
        ('{"a": 1 "b": 2}', "1:9", 'not valid JSON: expected a comma or }, found "\\""'),
        ("{'a': 1}", "1:2", 'not valid JSON: expected a key in "double quotes", found "\'"'),
        ('{"a": [1, 2', "1:12", "not valid JSON: expected a comma or ], found the end of the file"),
        ('{"a": nope}', "1:7", 'not valid JSON: expected a value, found "n"'),
        ('{"a": 01}', "1:8", 'not valid JSON: expected a comma or }, found "1"'),
        ('// no\n{"a": 1}', "1:1", 'not valid JSON: expected a value, found "/"'),
        ('{"a": 1}\n{"b": 2}', "2:1", 'not valid JSON: expected the end of the file, found "{"'),
        ('{"a": NaN}', "1:7", 'not valid JSON: expected a value, found "N"'),
        ('{"a": "x\ty"}', "1:9", "not valid JSON: Invalid control character at"),
        ('{"a": "x', "1:7", "not valid JSON: Unterminated string starting at"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(text: str, place: str, summary: str) -> None:
    documents, problems = read_yaml(text.encode(), "a.json")
    assert documents == []
    assert [(str(each.source), each.summary) for each in problems] == [(f"a.json:{place}", summary)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": 1, "a": 2}', Code.DUPLICATE_KEY),
        ('{"a": 1e999}', Code.INVALID_YAML),
        ('{"a": ' + "9" * 5_000 + "}", Code.INVALID_YAML),
        ("[" * 100_000, Code.UNSAFE_YAML),
        ('{"a":' * 100_000, Code.UNSAFE_YAML),
        ("[" + "1," * 20_000 + "1]", Code.UNSAFE_YAML),
        (r'{"a": "\ud83d"}', Code.BAD_ENCODING),
        (r'{"\udc00": 1}', Code.BAD_ENCODING),
    ],
)
def test_the_limits_are_those_of_yaml(text: str, code: Code) -> None:
    _, problems = read_yaml(text.encode(), "a.json")
    assert [each.code for each in problems] == [code]


def test_words_that_mean_something_in_yaml_are_text_in_json() -> None:
    documents, problems = read_yaml(b'{"<<": "!file x", "true": "*a"}', "a.json")
    assert not problems
    assert documents[0].value == {"<<": "!file x", "true": "*a"}
