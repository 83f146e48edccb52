"""Masks credentials in what servers answer, in whatever encoding they appear.

A text is looked at as it is, and with its escapes undone (JSON, HTML, percent-encoding), layer by layer. In each layer
case, white space and invisible characters do not count. What is masked is every run of a credential of eight
characters or more, of its base64 and of its hexadecimal form: half a key that was cut off is found like a whole one.
All of it takes time linear in the text.
"""

from __future__ import annotations

import base64
import html
import re
from array import array
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

MASK: Final = "(secret)"
LONGEST: Final = 64 * 1024
"""How much of a text is looked at; the rest is left out, for nobody shows more of an error."""
MARGIN: Final = 1024
"""How far behind what is shown a credential is looked for that begins in it: eight characters in long escapes."""
_LAYERS: Final = 5
_RUN: Final = 8
_WORDY_RUN: Final = 12
"""Of a key with words in it (`sk-proj-…`, `local-development`) a word alone is no secret, and may be in any text."""
_BASE64_RUN: Final = 12
_HEX_RUN: Final = 16
_WORDY: Final = re.compile("[a-z_-]+|[A-Z_-]+")
_ESCAPE: Final = re.compile(
    r"\\u[0-9a-f]{4}|\\u\{[0-9a-f]{1,8}\}|\\x[0-9a-f]{2}|\\.|%[0-9a-f]{2}"
    r"|&(?:#[0-9]{1,16}|#x[0-9a-f]{1,16}|[a-z]{2,31});?|</?(?:b|br|code|em|i|mark|p|span|strong|wbr) ?/?>",
    re.IGNORECASE | re.DOTALL,
)
_MARKS: Final = ("\\", "%", "&", "<")
_BLANKS: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
# Upper case as lower case, base64 for URLs as base64, and what HTML calls a hyphen as one.
_SAME: Final = {
    **{code: code + 32 for code in range(ord("A"), ord("Z") + 1)},
    **dict.fromkeys(map(ord, "-\u2010\u2011\u2012\u2013\u2014\u2212"), ord("+")),
    ord("_"): ord("/"),
}
# White space, controls, and what shows nothing: joiners, fillers, marks of direction, variants, tags.
_UNSEEN: Final = re.compile(
    "[\\x00-\\x20\\x7f-\\xa0\\xad\\u034f\\u061c\\u115f\\u1160\\u1680\\u17b4\\u17b5\\u180b-\\u180f\\u2000-\\u200f\\u2028-\\u202f"
    "\\u205f-\\u206f\\u2800\\u3000\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffd\\U000e0000-\\U000e0fff]+"
)


class _Layer(NamedTuple):
    """A text with some of its escapes undone: for each character where it begins and ends in the text as it came."""

    text: str
    starts: array[int]
    ends: array[int]


def without_secrets(text: str, secrets: tuple[str, ...], shown: int = LONGEST) -> str:
    """The beginning of a text, `shown` characters of it, with every run of a secret masked.

    A secret that begins in what is shown is masked as a whole, where `text` goes on for `MARGIN` behind that.
    """
    looked_at = text[: shown + MARGIN]
    spans = [*_exact(looked_at, secrets)]
    if runs := _runs(secrets):
        spans += _spans(looked_at, runs)
    pieces, at = [], 0
    for start, end in _joined(sorted(spans)):
        if start >= shown:
            break
        pieces += [text[at:start], MASK]
        at = end
    return "".join([*pieces, text[at:shown]])


def _exact(text: str, secrets: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Where secrets are that are too short for more: `EMPTY`, which local servers take for a key, is a word as well."""
    for secret in secrets:
        if 0 < len(_UNSEEN.sub("", secret)) < _RUN:
            yield from (found.span() for found in re.finditer(re.escape(secret), text))


def _spans(text: str, runs: Mapping[int, frozenset[str]]) -> Iterator[tuple[int, int]]:
    """Where runs of a secret are in a text."""
    layer = _Layer(text, array("L", range(len(text))), array("L", range(1, len(text) + 1)))
    for _ in range(_LAYERS):
        seen, starts, ends = _comparable(layer)
        for length, known in runs.items():
            for at in range(len(seen) - length + 1):
                if seen[at : at + length] in known:
                    yield starts[at], ends[at + length - 1]
        if not any(mark in layer.text for mark in _MARKS):
            return
        before, layer = layer, _unescaped(layer)
        if before.text == layer.text:
            return


def _joined(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Sorted spans, those that touch as one."""
    last: tuple[int, int] | None = None
    for start, end in spans:
        if last is not None and start <= last[1]:
            last = last[0], max(last[1], end)
        else:
            if last is not None:
                yield last
            last = start, end
    if last is not None:
        yield last


def _comparable(layer: _Layer) -> _Layer:
    """A layer without what is not seen, all else as it is compared."""
    text = layer.text.translate(_SAME)
    if _UNSEEN.search(text) is None:
        return layer._replace(text=text)
    kept = [at for at, character in enumerate(text) if _UNSEEN.match(character) is None]
    return _Layer(
        "".join(text[at] for at in kept),
        array("L", (layer.starts[at] for at in kept)),
        array("L", (layer.ends[at] for at in kept)),
    )


def _unescaped(layer: _Layer) -> _Layer:
    """A layer with one more layer of escapes undone."""
    pieces, starts, ends, at = [], array("L"), array("L"), 0
    for match in _ESCAPE.finditer(layer.text):
        begin, end = match.span()
        pieces.append(layer.text[at:begin])
        starts += layer.starts[at:begin]
        ends += layer.ends[at:begin]
        meant = _meant(match.group())
        pieces.append(meant)
        starts.extend([layer.starts[begin]] * len(meant))
        ends.extend([layer.ends[end - 1]] * len(meant))
        at = end
    pieces.append(layer.text[at:])
    return _Layer("".join(pieces), starts + layer.starts[at:], ends + layer.ends[at:])


def _meant(escape: str) -> str:
    """What an escape stands for; for nothing where it is a tag."""
    if escape[0] == "&":
        return html.unescape(escape)
    if escape[0] == "<":
        return ""
    if escape[0] == "\\" and len(escape) == 2:
        return _BLANKS.get(escape[1], escape[1])
    code = int(escape.strip("\\uUxX%{}"), 16)
    return chr(code) if code <= 0x10FFFF else ""


@lru_cache(maxsize=256)
def _runs(secrets: tuple[str, ...]) -> dict[int, frozenset[str]]:
    """The runs that betray a secret, as they are compared, by their length."""
    found: dict[int, set[str]] = {}
    for secret in secrets:
        for form, length in _forms(secret):
            for at in range(len(form) - length + 1):
                run = form[at : at + length]
                if length != _RUN or len(form) == _RUN or not _WORDY.fullmatch(run):
                    found.setdefault(length, set()).add(run.translate(_SAME))
    return {length: frozenset(runs) for length, runs in found.items()}


def _forms(secret: str) -> Iterator[tuple[str, int]]:
    """What a secret is written as, and how much of that betrays it."""
    secret = _UNSEEN.sub("", secret)
    if len(secret) < _RUN:
        return
    yield secret, _RUN
    yield secret, min(_WORDY_RUN, len(secret))
    content = secret.encode("utf-8", "surrogatepass")
    yield content.hex(), _HEX_RUN
    for ahead in range(3):  # what is before it moves it by so many bytes: `Bearer KEY`, `user:KEY`
        code = base64.b64encode(bytes(ahead) + content).decode()
        mixed = -(len(content) + ahead) % 3  # the last character before the padding is of what follows, too
        yield code[(0, 2, 3)[ahead] : len(code) - (mixed + 1 if mixed else 0)], _BASE64_RUN
