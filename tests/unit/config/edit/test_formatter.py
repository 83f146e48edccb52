"""The canonical layout: what moves, what stays, what is refused; and that generated files keep their meaning."""

from __future__ import annotations

import re
from collections import Counter
from random import Random
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.config.edit.formatter import canonical_bytes, manifest_places
from reconciler.config.schema.schemas import shipped
from reconciler.config.syntax import yaml_emitter
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.config.syntax.yaml import read_yaml
from tests.strategies import bodies, json_values, law

PLACES = manifest_places(shipped(), {"assistant": "assistant.schema.json"}, "assistant")
SCHEMA = shipped().schema("assistant.schema.json")


def laid_out(text: str, suffix: str = ".yaml") -> str:
    new = canonical_bytes(text.encode(), "a" + suffix, suffix, PLACES).decode()
    assert canonical_bytes(new.encode(), "a" + suffix, suffix, PLACES).decode() == new
    return new


def yaml(text: str) -> str:
    return dedent(text).lstrip("\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("model: a\nname: b\n", "name: b\nmodel: a\n", id="order of the schema"),
        pytest.param("name: b\nreconciler: {key: a}\n", "reconciler: {key: a}\nname: b\n", id="our block first"),
        pytest.param(
            "name: b\nzeta: 1\nmodel: a\nalpha: 2\n", "name: b\nmodel: a\nzeta: 1\nalpha: 2\n", id="unknown last"
        ),
        pytest.param("name:    b   \n\n\n\nmodel: a", "name: b\n\nmodel: a\n", id="blanks"),
        pytest.param("name: b\r\nmodel: a\r\n", "name: b\r\nmodel: a\r\n", id="line ends stay"),
        pytest.param("tools:\n- type: a\n", "tools:\n  - type: a\n", id="dashes two columns in"),
        pytest.param("tools:\n-   type: a\n", "tools:\n  - type: a\n", id="one blank after a dash"),
        pytest.param("tools:\n  -\n    type: a\n", "tools:\n  - type: a\n", id="an item starts at its dash"),
        pytest.param("metadata:\n     team: a\n", "metadata:\n  team: a\n", id="two columns a step"),
        pytest.param("metadata: {b:   1, a: 2}\n", "metadata: {b:   1, a: 2}\n", id="one line stays as it is"),
        pytest.param("name:\n  b\n", "name: b\n", id="a value beside its key"),
        pytest.param("name: 'b'\nmodel: \"c\"\n", "name: 'b'\nmodel: \"c\"\n", id="quotes stay"),
        pytest.param('model: "a\\nb\\n"\n', "model: |\n  a\n  b\n", id="several lines are a block"),
        pytest.param('model: "a\\nb"\n', "model: |-\n  a\n  b\n", id="a block without a line break at its end"),
        pytest.param('model: "a \\nb"\n', 'model: "a \\nb"\n', id="a blank that would be lost keeps its quotes"),
        pytest.param("model: |\n      a\n        b\n", "model: |\n  a\n    b\n", id="a block moves as a whole"),
        pytest.param("model: >-\n     a\n     b\n", "model: >-\n  a\n  b\n", id="a folded block stays folded"),
        pytest.param("model: |4\n      a\n    b\n", "model: |2\n    a\n  b\n", id="a block that starts with blanks"),
        pytest.param("model: |\n    a", "model: |-\n  a\n", id="a block that ends with the file"),
        pytest.param("model: a\n   b\n", "model: a\n  b\n", id="a text over two lines"),
        pytest.param(
            "tools: [\n     {type: a},\n ]\n", "tools: [\n     {type: a},\n ]\n", id="brackets keep their form"
        ),
        pytest.param("\ufeffname: b\n", "name: b\n", id="no byte order mark"),
        pytest.param("", "", id="nothing"),
        pytest.param("# only this\n\n\n", "# only this\n", id="only a comment"),
    ],
)
def test_layout(before: str, after: str) -> None:
    assert laid_out(before) == after


def test_a_comment_goes_with_the_field_below_or_beside_it() -> None:
    before = yaml("""
        # yaml-language-server: $schema=a.json
        # The model that customers see.
        model: a   # short

        # The name we pay for.
        name: b  # dear
        """)
    after = yaml("""
        # yaml-language-server: $schema=a.json
        # The name we pay for.
        name: b  # dear
        # The model that customers see.
        model: a   # short
        """)
    assert laid_out(before) == after


def test_a_comment_apart_from_the_first_field_is_about_the_file() -> None:
    assert laid_out("# Ours.\n\n# Seen.\nmodel: a\nname: b\n") == "# Ours.\n\nname: b\n# Seen.\nmodel: a\n"


def test_a_comment_below_the_last_item_of_a_list_stays_in_the_list() -> None:
    before = yaml("""
        tools:
          -   type: function
              function:
                 name: a
                 # strict: true
          # - type: file_search
        # The name we pay for.
        name: b
        # The end.
        """)
    after = yaml("""
        # The name we pay for.
        name: b
        tools:
          - type: function
            function:
              name: a
              # strict: true
          # - type: file_search
        # The end.
        """)
    assert laid_out(before) == after


def test_fields_of_tools_are_sorted_and_those_of_a_function_s_arguments_are_not() -> None:
    before = yaml("""
        tools:
          - function:
              parameters: {type: object}
              name: a
            # What it is.
            type: function
          - function:
              name: b
              parameters:
                type: object
                properties:
                  zeta: {}
                  alpha: {}
                additionalProperties: false
            type: function
        """)
    new = laid_out(before)
    assert new.startswith("tools:\n  -\n    # What it is.\n    type: function\n    function:\n      name: a\n")
    assert new.index("zeta") < new.index("alpha") < new.index("additionalProperties")


def test_every_document_of_a_file_is_laid_out() -> None:
    before = "# first\n---\nmodel: a\nname: b\n# below\n--- # second\nmodel: c\nname: d\n---\n"
    after = "# first\n---\nname: b\nmodel: a\n# below\n--- # second\nname: d\nmodel: c\n---\n"
    assert laid_out(before) == after


def test_with_aliases_the_order_stays_because_an_anchor_comes_first() -> None:
    assert laid_out("model: &a x\nname:   *a\n") == "model: &a x\nname: *a\n"
    anchored = "tool_resources: &r\n    code_interpreter: {}\nmetadata: {}\nname: b\n"
    assert laid_out(anchored) == "name: b\ntool_resources: &r\n  code_interpreter: {}\nmetadata: {}\n"


def test_markdown_has_its_front_matter_laid_out_and_its_prose_left() -> None:
    before = "---\nmodel:   a\nname: b\n---\nProse  \n\n\n  with blanks.  "
    assert laid_out(before, ".md") == "---\nname: b\nmodel: a\n---\n\nProse  \n\n\n  with blanks.  \n"
    assert laid_out("no front matter:   x", ".md") == "no front matter:   x"
    assert laid_out("---\n---\nx", ".md") == "---\n---\n\nx\n"
    assert laid_out("---  \r\nname:  b\r\n---\r\nx\r\n", ".md") == "---\r\nname: b\r\n---\r\n\r\nx\r\n"
    assert laid_out("---\nname: b\n---\n", ".md") == "---\nname: b\n---\n"


def test_json_has_one_entry_a_line_and_keeps_the_spelling_of_values() -> None:
    before = '{"model": "\\u00e9", "temperature": 1e0,\n\t"tools": [], "metadata": {}, "name": "b"}'
    after = '{\n  "name": "b",\n  "model": "\\u00e9",\n  "temperature": 1e0,\n  "tools": [],\n  "metadata": {}\n}\n'
    assert laid_out(before, ".json") == after


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("? name\n: b\n", "line 1 has text between two values"),
        ("name: b\n...\n", "between documents"),
        ("%YAML 1.2\n---\nname: b\n", "between documents"),
        ("model: # why\n  b\n", "there is a comment between"),
        ("model: |+\n  a\n\nname: b\n", "keeps the blank lines"),
        ("model: |\n  a\n    \nname: b\n", "would change"),
        ("name: b\rmodel: a\r", "carriage return"),
        ("&a\nname: b\n", "anchor or a tag"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(UnreadableFile, match=re.escape(why)) as refused:
        laid_out(text)
    assert refused.value.diagnostic.code == "RC0109"


def test_a_file_that_cannot_be_read_is_told_with_its_place() -> None:
    with pytest.raises(UnreadableFile) as refused:
        laid_out("name: b\nname: c\n")
    assert (refused.value.diagnostic.code, refused.value.diagnostic.source) == ("RC0103", ("a.yaml", 2, 1))


class Writer:
    """Writes a value as YAML the way people in a hurry do; every comment is numbered, so that none can be lost."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.comments = 0

    def document(self, body: dict[str, Any]) -> str:
        lines = self.filler(0) + self.mapping(body, self.random.choice([0, 0, 0, 2])) + self.filler(0)
        return "\n".join(
            line + self.chance(0.1) * "  " * (bool(line) and "|" not in line and '"' not in line) for line in lines
        )

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def comment(self) -> str:
        self.comments += 1
        return f"# comment {self.comments}"

    def filler(self, column: int) -> list[str]:
        return [
            "" if self.chance(0.5) else " " * column + self.comment()
            for _ in range(self.random.choice([0, 0, 0, 1, 3]))
        ]

    def tail(self) -> str:
        return f" {self.comment()}" if self.chance(0.15) else ""

    def mapping(self, value: dict[str, Any], column: int) -> list[str]:
        keys = list(value)
        self.random.shuffle(keys)
        lines: list[str] = []
        for key in keys:
            lines += self.filler(self.random.choice([column, column, column + 2])) if lines else []
            model = yaml_emitter.double_quoted(key) if self.chance(0.1) else yaml_emitter.key_text(key)
            lines += self.entry(" " * column + model + ":", value[key], column, column + self.random.randint(1, 5))
        return lines

    def sequence(self, value: list[Any], column: int) -> list[str]:
        lines: list[str] = []
        for each in value:
            lines += self.filler(column) if lines else []
            if isinstance(each, dict) and each and self.chance(0.7):
                step = self.random.randint(2, 4)
                first, *rest = self.mapping(each, column + step)
                lines += [" " * column + "-" + " " * (step - 1) + first.lstrip(" "), *rest]
            else:
                lines += self.entry(" " * column + "-", each, column, column + self.random.randint(2, 4))
        return lines

    def entry(self, lead: str, value: Any, column: int, inner: int) -> list[str]:
        if isinstance(value, dict) and value and self.chance(0.8):
            return [lead + self.tail(), *self.filler(inner), *self.mapping(value, inner)]
        if isinstance(value, list) and value and self.chance(0.8):
            at = column if lead.endswith(":") and self.chance(0.3) else inner
            return [lead + self.tail(), *self.filler(at), *self.sequence(value, at)]
        if isinstance(value, str) and yaml_emitter.fits_block(value) and self.chance(0.6):
            return [f"{lead} {'|' if value.endswith(chr(10)) else '|-'}{self.tail()}"] + [
                " " * inner + line if line else "" for line in value.removesuffix("\n").split("\n")
            ]
        if isinstance(value, str) and re.fullmatch(r"\w+( \w+)+", value) and self.chance(0.5):
            words = yaml_emitter.double_quoted(value).split(" ")
            return [f"{lead} {words[0]}", *(" " * inner + word for word in words[1:])]
        if isinstance(value, list | dict) and value and self.chance(0.3):
            opened, closed = "[]" if isinstance(value, list) else "{}"
            inside = yaml_emitter.flow(value)[1:-1]
            return [f"{lead} {opened}", " " * inner + inside, " " * inner + closed + self.tail()]
        text = yaml_emitter.flow(value) if isinstance(value, list | dict) else yaml_emitter.scalar(value)
        if isinstance(value, str) and self.chance(0.3):
            text = yaml_emitter.double_quoted(value)
        return [lead + (f" {text}" if self.chance(0.9) else f"\n{' ' * inner}{text}") + self.tail()]


MANIFESTS = st.fixed_dictionaries(
    {},
    optional={
        "reconciler": st.fixed_dictionaries(
            {}, optional={"protect": st.booleans(), "key": st.sampled_from(["a", "b/c"])}
        ),
        "instructions": st.lists(st.sampled_from(["", "A line.", "  indented", "- item", "# title"]), min_size=2).map(
            "\n".join
        ),
        "model": st.sampled_from(["two words", "and three more", "x"]),
        "later": json_values().filter(
            lambda value: not read_yaml(yaml_emitter.document_text({"a": value}).encode(), "a")[1]
        ),
    },
)


@settings(law, max_examples=250)
@given(st.lists(st.tuples(bodies(SCHEMA), MANIFESTS), min_size=1, max_size=3), st.integers())
def test_generated_files_keep_their_meaning_and_every_comment_and_are_laid_out_once_and_for_all(
    drawn: list[tuple[dict[str, Any], dict[str, Any]]], seed: int
) -> None:
    for round_ in range(4):
        writer = Writer(Random(seed * 4 + round_))
        text = "\n---\n".join(writer.document({**body, **more}) for body, more in drawn)
        if writer.chance(0.2):
            text = text.replace("\n", "\r\n")
        before, problems = read_yaml(text.encode(), "a.yaml")
        assert not problems, (text, problems)
        new = laid_out(text)
        after, problems = read_yaml(new.encode(), "a.yaml")
        assert not problems
        assert repr([canonically(each.value) for each in after]) == repr([canonically(each.value) for each in before])
        assert Counter(re.findall(r"# comment \d+", new)) == Counter(re.findall(r"# comment \d+", text))
        assert new.endswith("\n")
        assert not new.endswith(("\n\n", "\n\r\n"))


def canonically(value: Any) -> Any:
    """The value with its fields in order, so that their order does not count."""
    if isinstance(value, dict):
        return sorted((key, canonically(each)) for key, each in value.items())
    return [canonically(each) for each in value] if isinstance(value, list) else value
