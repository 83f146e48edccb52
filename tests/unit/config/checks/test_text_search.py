"""Looking at all texts of a document together finds what looking at each of them finds."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.checks.foreign_placeholders import unreplaced_placeholders
from reconciler.config.checks.hidden_characters import suspicious_text
from reconciler.config.checks.secret_detection import find_secrets
from reconciler.config.checks.text_search import is_printable, joined_texts, may_begin_with
from reconciler.config.schema.schemas import shipped
from reconciler.config.syntax.document import Document
from reconciler.core.values.model import Json
from reconciler.diagnostics import Source
from tests.strategies import law

KIND = shipped().provider("local").kinds["assistant"]
WORDS = (
    "a",
    "ä",
    " ",
    "\n",
    "\t",
    "\x07",
    "\u200b",
    "$",
    "${X}",
    "%X%",
    "!",
    "!file a.txt",
    "{{ x }}",
    ": ",
    "a.md",
    "",
)
TEXTS = st.lists(st.sampled_from(WORDS), max_size=3).map("".join)
VALUES = st.recursive(
    TEXTS | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
BODIES = st.dictionaries(st.sampled_from(["name", "instructions", "tools", "metadata"]), VALUES, max_size=4)
LOOK_AT_EACH = ": $\0"
"""What makes everything be looked at one by one."""


@law
@given(BODIES)
def test_nothing_is_found_in_each_that_is_not_found_together(body: dict[str, Any]) -> None:
    document = Document(body, Source("a.yaml", 1, 1))
    for look in (suspicious_text, unreplaced_placeholders):
        assert list(look(document, body, KIND, joined_texts(body))) == list(look(document, body, KIND, LOOK_AT_EACH))


@law
@given(VALUES)
def test_every_text_and_name_is_in_it(value: Json) -> None:
    texts = joined_texts(value)
    for each in _each(value):
        assert f": {each}" in texts
        assert may_begin_with(texts, each[:1]) or not each
        assert is_printable(each) or not is_printable(texts)


def test_a_name_and_its_key_are_read_as_one() -> None:
    key = "aB3dE5fG7hJ9kL1mN2pQ4rS6"
    assert next(find_secrets(joined_texts({"headers": [{"api_key": key}]})), None) is not None
    assert next(find_secrets(joined_texts([key])), None) is None


def _each(value: Json) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(each for inner in value.values() for each in _each(inner))]
    if isinstance(value, list):
        return [each for inner in value for each in _each(inner)]
    return [value] if isinstance(value, str) else []
