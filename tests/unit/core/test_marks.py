"""Marks: what they hold, how long they may be, and that reading is total."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.values import marks
from reconciler.core.values.managed_units import managed_units
from reconciler.core.values.marks import DamagedMark, Mark, NewerMark, Proof, Signing
from reconciler.core.values.model import Json, OnRemove
from tests.strategies import json_values, law
from tests.unit.core.build import ASSISTANT, SCHEMA, manifest
from tests.unit.core.plans import keys

SIGNING = Signing((b"k" * 32,), "org-1")
NAMES = st.lists(st.text(max_size=64), min_size=1, max_size=2).map(tuple)
WELL_FORMED = st.builds(
    Mark,
    owner=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,31}", fullmatch=True),
    key=keys,
    nonce=st.just(marks.NO_NONCE) | st.text(string.ascii_letters + string.digits, min_size=1, max_size=16),
    protect=st.booleans(),
    on_remove=st.sampled_from([None, *OnRemove]),
    units=st.sets(NAMES, max_size=40).map(marks.codes),
    former=st.none() | keys.map(marks.key_code),
)
REMEMBERING = WELL_FORMED.filter(lambda mark: len(mark.units) < 25).map(
    lambda mark: marks.with_digests(mark, {unit: marks.digest_of(unit) for unit in mark.units}, 512)
)


@law
@given(WELL_FORMED | REMEMBERING)
def test_a_mark_is_read_back_as_it_was_written(mark: Mark) -> None:
    text = marks.write(mark)
    assert marks.read(text) == mark
    assert len(text) <= 512


@law
@given(json_values() | st.text(st.characters()) | st.binary(max_size=600).map(lambda b: b.decode("latin-1")))
def test_reading_is_total(value: Json) -> None:
    found = marks.read(value)
    assert found is None if value is None or value == "" else isinstance(found, Mark | NewerMark | DamagedMark)


@law
@given(WELL_FORMED | REMEMBERING, st.data())
def test_a_mark_with_a_letter_changed_is_read_as_written_or_refused(mark: Mark, data: st.DataObject) -> None:
    text = marks.write(mark)
    at = data.draw(st.integers(0, len(text) - 1))
    found = marks.read(text[:at] + data.draw(st.characters()) + text[at + 1 :])
    if isinstance(found, Mark):
        assert marks.read(marks.write(found)) == found
    else:
        assert isinstance(found, NewerMark | DamagedMark)


def test_digests_are_the_sixth_word_in_the_order_of_the_units() -> None:
    one, other = sorted([marks.code(("model",)), marks.code(("name",))])
    digests = {other: marks.digest_of("b"), one: marks.digest_of("a")}
    mark = marks.with_digests(Mark("acme", "k", "Ab12", units=frozenset([one, other])), digests, 512)
    assert marks.write(mark) == f"1 acme k Ab12 - {one}{other} {marks.digest_of('a')}{marks.digest_of('b')}"


def with_room_for(length: int, nonce: str = marks.NO_NONCE) -> Mark:
    """A mark that, with digests, the longest nonce and all flags, is so many characters long."""
    codes = marks.codes((str(n),) for n in range(30))
    used = len("1 acme  nnnnnnnnnnnnnnnn pd  ") + 30 * (6 + 7)
    mark = Mark("acme", "k" * (length - used), nonce, units=codes)
    return marks.with_digests(mark, dict.fromkeys(codes, "d" * 7), 512)


@pytest.mark.parametrize(("length", "kept"), [(511, True), (512, True), (513, False)])
def test_digests_are_kept_as_long_as_there_is_room_for_them_and_a_nonce(length: int, kept: bool) -> None:
    mark = with_room_for(length)
    assert bool(mark.digests) is kept
    drawn = marks.draw(marks.write(replace(mark, protect=True, on_remove=OnRemove.DELETE)), "n" * 16)
    assert len(drawn) == length if kept else len(drawn) < length
    assert bool(with_room_for(length, "n" * 16).digests) is kept


def test_a_mark_that_says_where_it_came_from_needs_room_for_that() -> None:
    moved = replace(with_room_for(512), former=marks.key_code("old"), digests={})
    assert marks.with_digests(moved, dict.fromkeys(moved.units, "d" * 7), 512) == moved
    longer = marks.with_digests(moved, dict.fromkeys(moved.units, "d" * 7), 519)
    assert marks.read(marks.write(longer)) == longer
    assert len(marks.draw(marks.write(replace(longer, protect=True, on_remove=OnRemove.DELETE)), "n" * 16)) == 519


def test_a_mark_without_room_for_digests_has_none_when_its_nonce_is_drawn() -> None:
    assert with_room_for(513, "n" * 12).digests == {}


def test_a_digest_is_of_a_value_and_says_nothing_else() -> None:
    assert marks.digest_of('"a"') == marks.digest_of('"a"') != marks.digest_of('"b"')
    assert len(marks.digest_of("x" * 10_000)) == len(marks.digest_of("\ud800")) == 7


def test_digests_that_do_not_belong_to_the_units_make_a_mark_damaged() -> None:
    code = marks.code(("model",))
    assert marks.read(f"1 acme k Ab12 - {code} aaaaaaabbbbbbb") == DamagedMark()
    assert marks.read("1 acme k Ab12 - - aaaaaaa") == DamagedMark()


def test_without_digests_the_format_is_five_words() -> None:
    mark = Mark("acme", "support/hr-bot", "Ab12", True, OnRemove.RELEASE, marks.codes([("model",), ("name",)]))
    packed = "".join(sorted({marks.code(("model",)), marks.code(("name",))}))
    assert marks.write(mark) == f"1 acme support/hr-bot Ab12 pr {packed}"


def test_an_object_that_was_moved_remembers_the_key_it_had_beside_its_flags() -> None:
    former = marks.key_code("support/old")
    assert marks.write(Mark("acme", "k", "n1", former=former)) == f"1 acme k n1 -<{former} -"
    protected = Mark("acme", "k", "n1", True, OnRemove.DELETE, former=former)
    assert marks.write(protected) == f"1 acme k n1 pd<{former} -"
    assert marks.read(f"1 acme k n1 pd<{former} -") == protected
    assert marks.key_code("support/old") != marks.key_code("support/new")


def test_codes_never_change_their_meaning() -> None:
    assert marks.code(("model",)) == "pCJhgb"
    assert marks.code(("metadata", "team")) != marks.code(("metadata.team",))


def test_the_longest_legal_manifest_has_room_for_its_mark() -> None:
    entries = {f"{n:02}".ljust(64, "\U0001f600"): "x" * 512 for n in range(15)}
    values = dict.fromkeys(SCHEMA["properties"], "x")
    body = {**values, "metadata": entries}
    managed = marks.codes(managed_units(ASSISTANT, manifest("k", body)))
    assert len(managed) == len(SCHEMA["properties"]) - 4 + 15
    longest = Mark("o" * 32, "k" * 128, "n" * 16, True, OnRemove.DELETE, managed)
    remembering = marks.with_digests(longest, dict.fromkeys(managed, "d" * 7), 512)
    assert remembering.digests
    assert len(marks.write(longest)) < len(marks.write(remembering)) <= 512
    signed = marks.draw(marks.write(remembering), "", SIGNING, 512)
    assert marks.checked(signed, SIGNING) == longest
    assert len(signed) <= marks.longest("o" * 32, "k" * 128, len(managed)) <= 512
    assert len(marks.draw(marks.write(remembering), "", SIGNING, 600)) == len(marks.write(remembering)) + 15
    again = marks.with_digests(replace(longest, proof=Proof.SIGNED), remembering.digests, 512)
    assert again == longest


@pytest.mark.parametrize(
    "mark",
    [
        Mark("", "k"),
        Mark("Acme", "k"),
        Mark("acme corp", "k"),
        Mark("o" * 33, "k"),
        Mark("acme", ""),
        Mark("acme", "k" * 129),
        Mark("acme", "a b"),
        Mark("acme", "/a"),
        Mark("acme", "k\n"),
        Mark("acme", "k", "n" * 17),
        Mark("acme", "k", ""),
        Mark("acme", "k", units=frozenset({"short"})),
        Mark("acme", "k", units=frozenset(f"{n:06}" for n in range(marks.MAX_LENGTH // 6))),
    ],
)
def test_what_would_not_be_read_back_is_not_written(mark: Mark) -> None:
    with pytest.raises(ValueError, match="no mark can be written"):
        marks.write(mark)


@pytest.mark.parametrize(
    "text",
    [
        *(" ", "1", "1 a", "1 acme k n1 -", "1 acme k n1 - - ", "1 acme k n1 x -", "1  acme k n1 - -"),
        *("1 acme k n1 - abc", "1 acme k n1 dr -", "1 acme k n1 rd -", "1 acme k ~~ - -", "1 acme k n1 - -\n", "hello"),
        *("1 acme k n1 -< -", "1 acme k n1 -<abc -", "1 acme k n1 <abcdef -", "1 acme k n1 -<abcdefg -"),
        *("1 acme a/../b n1 - -", "1 acme a//b n1 - -", "1 acme a/ n1 - -", f"1 acme {'k' * 129} n1 - -"),
        *("1 acmé k n1 - -", "1 acme k n1 - " + "abcdef" * 90, "12345 acme k", "\u0661 acme k n1 - -", "v2 x"),
    ],
)
def test_hostile_or_broken_texts_are_damaged(text: str) -> None:
    assert marks.read(text) == DamagedMark()


def test_a_text_that_no_document_could_need_is_not_looked_at() -> None:
    start = "1 acme k n1 - "
    units = "".join(f"{n:06}" for n in range((marks.MAX_LENGTH - len(start)) // 6))
    assert isinstance(marks.read(start + units), Mark)
    assert marks.read(start + units + "abcdef") == DamagedMark()


@pytest.mark.parametrize("value", [0, 1, True, 1.5, [], ["1 acme k n1 - -"], {}, {"1": 2}])
def test_values_that_are_no_text_are_damaged(value: Json) -> None:
    assert marks.read(value) == DamagedMark()


@pytest.mark.parametrize(
    ("text", "owner", "key"),
    [
        ("2 acme k n1 - -", "acme", "k"),
        ("2 {}", "{}", ""),
        ("10 any thing\nat all", "any", "thing\nat"),
        ("9999 x", "x", ""),
    ],
)
def test_another_version_number_is_a_newer_mark_that_still_says_whose(text: str, owner: str, key: str) -> None:
    assert marks.read(text) == NewerMark(owner, key)


def test_an_absent_mark_is_none_and_so_is_one_that_could_only_be_emptied() -> None:
    assert marks.read(None) is None
    assert marks.read("") is None


def test_a_unit_whose_code_begins_with_a_dash_is_still_read() -> None:
    assert marks.read("1 acme k n1 - -abcde-fghij") == Mark("acme", "k", "n1", units=frozenset({"-abcde", "-fghij"}))


def test_a_mark_knows_the_units_it_manages() -> None:
    mark = Mark("acme", "k", units=marks.codes([("model",), ("metadata", "team")]))
    assert mark.manages(("model",))
    assert mark.manages(("metadata", "team"))
    assert not mark.manages(("metadata",))


def test_a_nonce_is_drawn_once() -> None:
    planned = marks.write(Mark("acme", "k"))
    drawn = marks.draw(planned, "n1")
    assert marks.read(drawn) == Mark("acme", "k", "n1")
    assert marks.draw(drawn, "n2") == drawn
    assert marks.draw("not a mark", "n1") == "not a mark"


@law
@given(WELL_FORMED | REMEMBERING)
def test_a_signed_mark_says_the_same_and_shows_that_it_is_ours(mark: Mark) -> None:
    text = marks.signed(marks.write(mark), SIGNING)
    found = marks.checked(text, SIGNING)
    assert found == mark
    assert isinstance(found, Mark)
    assert found.proof is Proof.SIGNED
    assert len(text) <= 512
    later = marks.checked(text, Signing((b"n" * 32, *SIGNING.keys), "org-1"))
    assert isinstance(later, Mark)
    assert (later, later.proof) == (mark, Proof.EARLIER)


def proof(text: Json, signing: Signing | None = SIGNING) -> Proof | None:
    found = marks.checked(text, signing)
    return found.proof if isinstance(found, Mark) else None


@law
@given(WELL_FORMED | REMEMBERING, st.data())
def test_a_signed_mark_with_a_letter_changed_is_not_believed(mark: Mark, data: st.DataObject) -> None:
    text = marks.signed(marks.write(mark), SIGNING)
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.characters()) + text[at + 1 :]
    assert changed == text or proof(changed) in (Proof.WRONG, Proof.UNSIGNED, Proof.CLAIM, None)


@law
@given(json_values() | st.text(st.characters()) | WELL_FORMED.map(marks.write))
def test_nothing_that_is_not_signed_is_believed_where_there_is_a_key(value: Json) -> None:
    found = proof(value)
    assert found is None or found.is_doubtful


SIGNED = marks.signed("1 acme a 0123456789ab p -", SIGNING)


@pytest.mark.parametrize(
    ("text", "signing", "worth"),
    [
        ("1 acme a 0123456789ab - -", None, Proof.LABEL),
        ("1 acme a 0123456789ab - -", SIGNING, Proof.UNSIGNED),
        (SIGNED, SIGNING, Proof.SIGNED),
        (SIGNED, None, Proof.NO_KEY),
        (SIGNED, Signing((b"other" * 8,), "org-1"), Proof.WRONG),
        (SIGNED, Signing(SIGNING.keys, "org-2"), Proof.WRONG),
        (SIGNED.replace(" acme ", " acmf "), SIGNING, Proof.WRONG),
        (SIGNED.replace(" a ", " b "), SIGNING, Proof.WRONG),
        (SIGNED.replace("0123", "0124"), SIGNING, Proof.WRONG),
        (SIGNED.replace(" p ", " - "), SIGNING, Proof.WRONG),
        (SIGNED.replace("2 ", "1 ", 1), SIGNING, None),
        ("0 acme a 0123456789ab - -", None, Proof.CLAIM),
        ("0 acme a 0123456789ab - -", SIGNING, Proof.CLAIM),
        (marks.claimed(SIGNED), SIGNING, Proof.SIGNED),
    ],
)
def test_what_a_mark_is_worth(text: str, signing: Signing | None, worth: Proof | None) -> None:
    assert proof(text, signing) is worth
    assert worth is None or worth.is_doubtful is (worth not in (Proof.LABEL, Proof.SIGNED))


def test_a_version_that_knows_no_signatures_leaves_what_is_signed_alone() -> None:
    words = SIGNED.split(" ")
    assert words[:3] == ["2", "acme", "a"]  # all that is read of a version that is not known
    assert not SIGNED.startswith("1 ")
    assert marks.read(SIGNED.replace("2 ", "3 ", 1)) == NewerMark("acme", "a")


@pytest.mark.parametrize("text", ["2 acme a", "2 acme a x - -", "2 acme a 0123456789ab - - short"])
def test_a_second_version_without_a_signature_is_one_that_is_not_known(text: str) -> None:
    assert marks.read(text) == NewerMark("acme", "a")


def test_a_mark_is_signed_once_and_only_where_there_is_a_key() -> None:
    plain = marks.write(Mark("acme", "a"))
    assert marks.draw(plain, "n1") == "1 acme a n1 - -"
    text = marks.draw(plain, "n1", SIGNING)
    assert marks.draw(text, "n2", SIGNING) == text == marks.signed("1 acme a n1 - -", SIGNING)
    assert marks.claimed(text) == text
    assert marks.claimed("1 acme a n1 - -") == "0 acme a n1 - -"
    assert "kkk" not in repr(SIGNING)


def test_a_signature_that_stands_elsewhere_and_is_not_ours_is_wrong_here_too() -> None:
    assert proof(marks.unproven("1 acme a n1 - -")) is Proof.WRONG
    assert proof(marks.unproven("1 acme a n1 - -"), None) is Proof.NO_KEY
