"""What is written is read back exactly the same, by this loader and by readers of YAML 1.1."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.syntax import yaml_emitter
from reconciler.config.syntax.yaml import read_yaml
from tests.strategies import law

WORDS = ["yes", "NO", "on", "~", "null", "1:30", "2026-01-01", "0o17", "0x1F", "1_000", ".5", "1e3", "=", "<<", "-"]
WORDS += ["?", ":", "#", "---", "...", "@a", "`a", "%a", "!a", "&a", "*a", "|a", ">a"]
ODD = list("\n\n -:#'\"|>\t\r{}[],&*!%@`~.019eyno<=\\_\x00\x7f\x85\u2028\u200b\ufeff😀")
TEXTS = st.text(st.sampled_from(ODD) | st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    [
        *WORDS,
        "a: b",
        "a #b",
        "",
        " a",
        "a ",
        "---\na",
        "a\n---\nb",
        "a\n\n\n",
        "\n",
        "a\nb ",
        "#a\nb\n",
        "a\n  b\n\nc\n",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    LEAVES | TEXTS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=15
)
STYLES = [
    yaml_emitter.YamlStyle(),
    yaml_emitter.YamlStyle(2, 0),
    yaml_emitter.YamlStyle(4, 2),
    yaml_emitter.YamlStyle(3, 3),
]


def read(text: str, file: str = "a.yaml") -> Any:
    documents, problems = read_yaml(text.encode(), file)
    assert not problems, problems
    (document,) = documents
    return document.value


@law
@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=5), st.sampled_from(STYLES))
def test_block_style_is_read_back_exactly(value: dict[str, Any], style: yaml_emitter.YamlStyle) -> None:
    assert json.dumps(read(yaml_emitter.document_text(value, style))) == json.dumps(value)


@law
@given(VALUES)
def test_flow_style_is_read_back_exactly_and_is_one_line(value: Any) -> None:
    text = yaml_emitter.flow(value)
    assert "\n" not in text
    assert json.dumps(read(text)) == json.dumps(value)


@law
@given(VALUES, st.sampled_from([None, 2, "\t"]))
def test_json_is_read_back_exactly(value: Any, indent: int | str | None) -> None:
    assert json.dumps(read(yaml_emitter.json_text(value, indent), "a.json")) == json.dumps(value)


@law
@given(st.lists(st.sampled_from([*WORDS, "Help desk", "gpt-4o", "3.5-turbo", "12e03", "0b11", "1__0", "190:20:30"])))
def test_readers_of_yaml_1_1_see_the_same_texts(texts: list[str]) -> None:
    value = {"texts": texts}
    assert yaml.safe_load(yaml_emitter.document_text(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": "plain text, with (this) and that's it"}, "a: plain text, with (this) and that's it\n"),
        ({"a": "no"}, 'a: "no"\n'),
        ({"no": 1}, '"no": 1\n'),
        ({"a": "x\ny\n"}, "a: |\n  x\n  y\n"),
        ({"a": "x\n\ny"}, "a: |-\n  x\n\n  y\n"),
        ({"a": "x \ny\n"}, 'a: "x \\ny\\n"\n'),
        ({"a": "x\u202ey"}, 'a: "x\\u202ey"\n'),
        ({"a": "x\u200b\ny"}, "a: |-\n  x\u200b\n  y\n"),
        ({"a": [], "b": {}}, "a: []\nb: {}\n"),
        (
            {"a": [{"b": 1, "c": ["d"]}, ["e"], "f\ng\n"]},
            "a:\n  - b: 1\n    c:\n      - d\n  - - e\n  - |\n    f\n    g\n",
        ),
        ({"a": None, "b": True, "c": 0.5}, "a: null\nb: true\nc: 0.5\n"),
    ],
)
def test_what_people_see(value: dict[str, Any], text: str) -> None:
    assert yaml_emitter.document_text(value) == text
