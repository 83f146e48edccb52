"""Credentials are masked in whatever spelling a server gives them back; ordinary texts are left as they are."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from difflib import SequenceMatcher
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.drivers.credentials.credential_masking import LONGEST, MARGIN, MASK, without_secrets

ROOT = Path(__file__).parents[3]

KEY = "sk-proj-0a1B2c3D4e5F6g7H_8i9J-kLmN"
KEYS = (
    KEY,
    "0f8fad5b-d9cb-469f-a165-70867728950e",
    "8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92",
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY=",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "p%41ss\\u0041&amp;word<b>9Z",
)
Spelling = Callable[[str], str]


def each(form: str) -> Spelling:
    return lambda text: "".join(form.format(ord(letter), letter) for letter in text)


def encoded(before: str, code: Callable[[bytes], bytes] = base64.b64encode, after: str = "") -> Spelling:
    return lambda text: code(f"{before}{text}{after}".encode()).decode()


def joined(by: str, every: int = 3) -> Spelling:
    return lambda text: by.join(text[at : at + every] for at in range(0, len(text), every))


SPELLINGS: dict[str, Spelling] = {
    "as it is": str,
    "upper": str.upper,
    "lower": str.lower,
    "swapped case": str.swapcase,
    "json": each("\\u{0:04x}"),
    "json in json": lambda text: json.dumps(json.dumps(each("\\u{0:04X}")(text)))[3:-3],
    "javascript": each("\\x{0:02x}"),
    "braces": each("\\u{{{0:x}}}"),
    "some of json": lambda text: text.replace("-", "\\u002d").replace("/", "\\/"),
    "html decimal": each("&#{0};"),
    "html hexadecimal": each("&#X{0:x};"),
    "html with zeros, open": each("&#000{0:04}"),
    "html named": lambda text: text.replace("&", "&amp;").replace("-", "&hyphen;").replace("_", "&lowbar;"),
    "html twice": each("&amp;#x{0:x};"),
    "percent": each("%{0:02X}"),
    "percent lower": lambda text: quote(text, safe="").lower(),
    "percent twice": lambda text: quote(each("%{0:02x}")(text)),
    "percent in json in html": lambda text: each("%{0:02x}")(text).replace("%", "&#92;u0025"),
    "base64": encoded(""),
    "base64 of a header": encoded("Bearer "),
    "base64 of user and key": encoded("user:", after=":more"),
    "base64 at the third alignment": encoded("ab"),
    "base64 for urls": encoded("x", base64.urlsafe_b64encode),
    "base64 in lines": lambda text: joined("\r\n", 19)(base64.b64encode(f"key={text}".encode()).decode()),
    "base64 as json": lambda text: json.dumps(base64.b64encode(text.encode()).decode()).replace("=", "\\u003d"),
    "base64 in a url": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
    "hex": lambda text: text.encode().hex(),
    "hex upper": lambda text: text.encode().hex().upper(),
    "blanks": joined(" "),
    "lines": joined("\r\n\t"),
    "lines of json": joined("\\n"),
    "zero width": joined("\u200b", 1),
    "soft hyphens": joined("\u00ad", 2),
    "zero width of html": joined("&#8203;"),
    "zero width of json": joined("\\u2060"),
    "tags": joined("<wbr>", 5),
    "utf-16": joined("\0", 1),
}


def left(text: str, spelled: str) -> int:
    """The length of the longest stretch of `spelled` that a text still has."""
    return SequenceMatcher(None, text, spelled, autojunk=False).find_longest_match().size


@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
@pytest.mark.parametrize("name", SPELLINGS)
def test_a_key_is_masked_in_every_spelling(name: str, key: str) -> None:
    if key == KEYS[-1] and name in ("lines of json", "tags", "zero width of json", "zero width of html"):
        return  # split within its own escapes
    spelled = SPELLINGS[name](key)
    masked = without_secrets(f"Bad key: <{spelled}>, try again", (key, "another-credential-1"))
    assert masked.startswith("Bad key: <")
    assert masked.endswith(">, try again")
    assert MASK in masked
    inside = masked.removeprefix("Bad key: <").removesuffix(">, try again")
    # Of base64 the characters at the ends belong to what is around the key as well.
    assert left(inside.replace(MASK, "\0"), spelled) <= (14 if name.startswith("base64") else 1)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), key=st.text(st.sampled_from("abcdefXYZ0123456789_-/+.=~"), min_size=16, max_size=80))
@example(data=None, key="a" * 16)
def test_a_key_spelled_letter_by_letter_in_any_mixture_is_masked(data: st.DataObject | None, key: str) -> None:
    letters = [
        each(f) for f in ("{1}", "\\u{0:04x}", "&#{0};", "&#x{0:X};", "%{0:02x}", "%25{0:02X}", "\u200b{1}", "{1} ")
    ]
    drawn = [data.draw(st.sampled_from(letters)) for _ in key] if data else [letters[1]] * len(key)
    spelled = "".join(spell(letter) for spell, letter in zip(drawn, key, strict=True))
    masked = without_secrets(f"[{spelled}]", (key,))
    assert masked.translate({0x200B: None, ord(" "): None}) == f"[{MASK}]"


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_part_of_a_key_is_masked_like_the_whole(data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(KEYS[:-1]))
    length = data.draw(st.integers(12, len(key)))
    at = data.draw(st.integers(0, len(key) - length))
    spelled = SPELLINGS[data.draw(st.sampled_from(["as it is", "upper", "json", "html decimal", "percent twice"]))]
    assert without_secrets(f"({spelled(key[at : at + length])}…)", (key,)) == f"({MASK}…)"


@pytest.mark.parametrize(
    "echo", ["{0:.12}…mN", "{0:.16}****", "…{1}", "{0:.11}***{1}", "...{1} (expired)", "id {0:.17}/x"]
)
def test_an_echo_that_a_vendor_shortened_shows_no_run_of_eight(echo: str) -> None:
    masked = without_secrets(echo.format(KEY, KEY[-9:]), (KEY,))
    assert not any(KEY[at : at + 9] in masked for at in range(len(KEY) - 8))
    assert MASK in masked


def test_a_key_over_the_end_of_what_is_shown_leaves_no_beginning_behind() -> None:
    for name, spell in SPELLINGS.items():
        spelled = spell(KEY)
        for ahead in range(0, len(spelled) + 8, 13):
            text = "x" * (2000 - ahead) + " " + spelled + "y" * 5000
            masked = without_secrets(text[: 2000 + MARGIN], (KEY,), 2000)
            assert left(masked.lstrip("x").replace(MASK, "\0"), spelled) <= 14, (name, ahead)


def test_short_credentials_are_masked_as_a_whole_only() -> None:
    assert (
        without_secrets("the key abc123 is bad, abc12 as well", ("abc123",)) == f"the key {MASK} is bad, abc12 as well"
    )
    assert without_secrets("nothing", ("", " ")) == "nothing"
    assert without_secrets("it must not be empty", ("EMPTY",)) == "it must not be empty"


def test_words_of_a_credential_are_no_credential() -> None:
    said = "keys begin with sk-proj- and are for local development only; invalid_request_error"
    for key in (KEY, "local-development-key-7", "request-error-sk-proj-3"):
        assert without_secrets(said, (key,)) == said
    assert MASK in without_secrets("is it local-development-key-7?", ("local-development-key-7",))


def test_ordinary_texts_are_left_as_they_are() -> None:
    pages = [path.read_text(encoding="utf-8") for path in Path(ROOT / "docs").rglob("*.md")]
    pages += [path.read_text(encoding="utf-8") for path in Path(ROOT / "schemas").rglob("*.json")]
    assert sum(map(len, pages)) > 500_000
    keys = tuple(f"sk-{base64.b64encode(bytes([n] * 9 + list(range(n, n + 30)))).decode()}" for n in range(20))
    for page in pages:
        for at in range(0, len(page), LONGEST):
            assert without_secrets(page[at : at + LONGEST], keys) == page[at : at + LONGEST]


@pytest.mark.parametrize(
    "piece",
    ["%25", "&amp;", "\\\\", "&#0", "\u200b", "<" * 60, "<b", "<b >", "%2525%", "a", "sk-proj-0a1B2c3D", "&" * 9],
)
def test_what_is_looked_at_is_bounded(piece: str) -> None:
    masked = without_secrets(piece * 4_000_000, (KEY,))
    assert len(masked) <= LONGEST
