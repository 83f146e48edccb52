"""Finds text that looks like an API key in prompts, metadata, settings and uploaded files.

The shapes are in `schemas/secrets.json`. A text without a long word (twenty letters, digits, and what else keys are
made of) cannot hold a key; looking for one costs a few microseconds, and nearly all texts end there. All of it takes
time linear in the text. Diagnostics never contain what was found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from reconciler.config.checks.text_search import line_of, place_of
from reconciler.config.errors import error, warning
from reconciler.config.message_text import count, dotted
from reconciler.config.schema.schemas import schema_directory
from reconciler.config.syntax.document import Document
from reconciler.core.values.model import Json, Path
from reconciler.diagnostics import Code, Diagnostic, Source

FILE: Final = "secrets.json"
MASK: Final = "(looks like a key)"
_HEAD: Final = 8192
"""So much of a file tells whether it is text."""
_SHORTEST: Final = 20
_NAME_LENGTH: Final = 40
_PARTS_LENGTH: Final = 12
"""So much behind a long word may belong to it: the parts of a web token are joined by dots."""
_ALLOWED = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+/=-"
_WORDS: Final = bytes(0x61 if code in _ALLOWED else 0x20 for code in range(256))
_LONG_WORD: Final = re.compile(rb"a{%d,}" % _SHORTEST)
_DIGIT: Final = re.compile("[0-9]")
_ALNUM: Final = re.compile(r"[A-Za-z0-9]+")
IN_MANIFEST: Final = (
    "remove it and revoke it: it was stored in a file. If it is not a key, write `reconciler: {secret_like: "
    "allow}` into the manifest, or run with --allow-secret-like"
)
IN_FILE: Final = (
    "remove it and revoke it: it was stored in a file. If it is not a key, write `reconciler: {secret_like: "
    "allow}` into the manifest that names the file, or run with --allow-secret-like"
)
IN_SETTINGS: Final = (
    "remove it and revoke it: it was stored in a file. Write !env NAME under `credentials` or `headers`"
)


@dataclass(frozen=True, slots=True)
class SecretPatterns:
    """The rules, compiled: `tokens` has one group for each of `names`; those in `guessed` have to look random."""

    tokens: re.Pattern[str]
    names: tuple[str, ...]
    guessed: frozenset[str]
    assignment: re.Pattern[str]
    assigned: str
    markers: dict[str, str]
    examples: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class SecretMatch:
    """Something shaped like a key: what kind, and where in the text."""

    name: str
    start: int
    end: int


def secret_like(
    document: Document, texts: str, *, allowed: bool = False, hint: str = IN_MANIFEST
) -> tuple[list[Diagnostic], tuple[str, ...]]:
    """What is shaped like a key in the texts of a document: problems (warnings where it is allowed), and those texts.

    `texts` is all of them together.
    """
    # A name and its value stand side by side, so that nothing is found one by one that is not found here.
    if next(find_secrets(texts), None) is None:
        return [], ()
    tell = warning if allowed else error
    problems: list[Diagnostic] = []
    secrets: list[str] = []
    for path, text, skipped in _placed(document.value):
        for found in find_secrets(text):
            length = count(found.end - found.start, "character")
            alone, at = text[skipped:], max(0, found.start - skipped)
            summary = f"{dotted(path)} contains {found.name} ({length}){line_of(alone, at)}"
            problems.append(tell(Code.KEY_LIKE, summary, place_of(document, path, alone, at), hint=hint))
            secrets.append(text[found.start : found.end])
    return problems, tuple(secrets)


def keys_in_file(content: bytes, shown: str, *, allowed: bool) -> Iterator[Diagnostic]:
    """What is shaped like a key in a file that is uploaded as it is; nothing where it is no text."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    text = content.decode(encoding, "replace")
    if "\0" in text[:_HEAD]:
        return
    tell = warning if allowed else error
    for found in find_secrets(text):
        before = text[: found.start]
        place = Source(shown, before.count("\n") + 1, len(before) - before.rfind("\n"))
        length = count(found.end - found.start, "character")
        yield tell(Code.KEY_LIKE, f"the file contains {found.name} ({length})", place, hint=IN_FILE)


def masked(problems: Iterable[Diagnostic], secrets: tuple[str, ...]) -> Iterator[Diagnostic]:
    """Problems that quote nothing of these texts."""
    for each in problems:
        summary, detail, hint = each.summary, each.detail, each.hint
        for secret in secrets:
            summary, detail, hint = (text.replace(secret, MASK) for text in (summary, detail, hint))
        yield replace(each, summary=summary, detail=detail, hint=hint)


def find_secrets(text: str) -> Iterator[SecretMatch]:
    """Everything in a text that is shaped like a key, in order of where it starts, for each long word."""
    known = shapes()
    for name, marker in known.markers.items():
        if (at := text.find(marker)) >= 0:
            yield SecretMatch(name, at, at + len(marker))
    words = text.encode("ascii", "replace").translate(_WORDS)
    if b"a" * _SHORTEST not in words:
        return
    for word in _LONG_WORD.finditer(words):
        if _DIGIT.search(text, *word.span()):
            yield from _in_word(known, text, *word.span())


@cache
def shapes() -> SecretPatterns:
    """The rules as shipped."""
    rules = json.loads((schema_directory() / FILE).read_bytes())
    tokens = "|".join(f"({rule['pattern']})" for rule in rules["rules"])
    return SecretPatterns(
        tokens=re.compile(f"(?<![A-Za-z0-9_-])(?:{tokens})"),
        names=tuple(f"what looks like {rule['name']}" for rule in rules["rules"]),
        guessed=frozenset(f"what looks like {rule['name']}" for rule in rules["rules"] if rule["guessed"]),
        assignment=re.compile(rules["assignment"]["pattern"], re.IGNORECASE),
        assigned=rules["assignment"]["name"],
        markers={f"what looks like {name}": text for name, text in rules["markers"].items()},
        examples=re.compile(rules["examples"], re.IGNORECASE),
    )


def _placed(value: Json, path: Path = (), name: str = "") -> Iterator[tuple[Path, str, int]]:
    """Every text and its path; it follows its name, which takes the number of characters that is given."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _placed(each, (*path, key), f"{key}: ")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _placed(each, (*path, index))
    if isinstance(value, str) or name:
        yield path, f"{name}{value if isinstance(value, str) else ''}", len(name)


def _in_word(known: SecretPatterns, text: str, start: int, end: int) -> Iterator[SecretMatch]:
    seen = False
    for match in known.tokens.finditer(text, start, end + _PARTS_LENGTH):
        name = known.names[(match.lastindex or 1) - 1]
        if _looks_real(known, match.group()) and (name not in known.guessed or _looks_random(match.group())):
            seen = True
            yield SecretMatch(name, *match.span())
    if not seen and _is_given(text, start, end) and _looks_random(text[start:end]):
        for match in known.assignment.finditer(text, max(0, start - _NAME_LENGTH), end):
            if _looks_real(known, match.group(1)) and _looks_random(match.group(1)):
                yield SecretMatch(known.assigned, *match.span(1))


def _is_given(text: str, start: int, end: int) -> bool:
    """Whether a word stands where a value does; this question costs a hundredth of the search that it saves."""
    before = text[max(0, start - 8) : start].rstrip(" \t\"'`")
    return before[-1:] in {":", "=", ">"} or "=" in text[start:end]


def _looks_real(known: SecretPatterns, text: str) -> bool:
    """Many different characters, and none of the words that examples are made of."""
    return len(set(text)) >= 8 and known.examples.search(text) is None


def _looks_random(text: str) -> bool:
    """Letters and digits in one long piece: words that are joined by dashes have none."""
    pieces = (piece for piece in _ALNUM.findall(text) if len(piece) >= 12)
    return any(1 <= sum(map(str.isdigit, piece)) <= len(piece) - 2 for piece in pieces)
