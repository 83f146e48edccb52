"""The values everything else is made of."""

from __future__ import annotations

import pytest

from reconciler.core.values.model import ABSENT, Address, Manifest
from reconciler.diagnostics import Code, Source


def test_an_address_is_read_as_it_is_written() -> None:
    address = Address("assistant", "support/hr-bot")
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize("text", ["", "assistant", "assistant/", "/key"])
def test_what_is_no_address_says_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected KIND/KEY"):
        Address.parse(text)


def test_a_source_is_written_as_editors_read_it() -> None:
    assert str(Source("a.yaml", 3, 7)) == "a.yaml:3:7"


def test_absent_is_told_apart_from_null() -> None:
    assert ABSENT is not None
    assert repr(ABSENT) == "ABSENT"


def test_a_place_is_that_of_the_value_or_of_what_encloses_it() -> None:
    top, tools, first = Source("a", 1, 1), Source("a", 2, 1), Source("a", 3, 5)
    places = {("tools",): tools, ("tools", 0): first}
    manifest = Manifest(Address("assistant", "k"), {}, top, places)
    assert manifest.place(("tools", 0, "type")) == first
    assert manifest.place(("tools", 1)) == tools
    assert manifest.place(("name",)) == top
    assert Manifest(Address("assistant", "k"), {}, top, {(): tools}).place(("x",)) == tools


def test_codes_are_unique_and_of_one_form() -> None:
    assert all(len(code) == 6 and code.startswith("RC0") and code[2:].isdigit() for code in Code)
    assert len({code.value for code in Code}) == len(Code.__members__)
