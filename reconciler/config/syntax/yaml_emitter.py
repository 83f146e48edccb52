"""Writes values as YAML that this tool, and readers of YAML 1.1, read back as the same values.

Written here rather than by a library because a value is also put into files that people wrote: indentation, quoting
and block style are theirs, and everything that hides (control, invisible, bidirectional characters) becomes an escape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.config.syntax.yaml_scalars import RefusedScalar, Tagged, is_plain_text, read_plain
from reconciler.core.values.model import Json

# Quoted although YAML 1.2 takes them for text: YAML 1.1 reads a boolean, a number, a date or a merge key.
_MISREAD: Final = re.compile(r"(?i:y|n|yes|no|on|off|true|false|null|~|=|<<)|[-+.]?[0-9][0-9a-fxobetz_,.:+-]*", re.I)
_INDICATORS: Final = "-?:,[]{}#&*!|>'\"%@`."
_ENDS_PLAIN: Final = re.compile(r": |:$| #")
_ENDS_PLAIN_IN_FLOW: Final = re.compile(r"[,\[\]{}:?#]")
# What a block scalar cannot hold, or holds unseen: controls, separators that other readers take for line breaks.
_NOT_IN_BLOCK: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
_UNSEEN_IN_JSON: Final = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]")
_TRAILING_BLANK: Final = re.compile(r"[ \t]+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class YamlStyle:
    """How a file is indented: columns to the entries of a mapping, and to the dashes of a list, below their key."""

    indent: int = 2
    dash: int = 2


@dataclass(frozen=True, slots=True)
class BlockText:
    """A value as it stands after `key:`: what follows on that line, and whole lines below, from the key's column."""

    head: str
    body: tuple[str, ...] = ()


def document_text(value: Mapping[str, Json], style: YamlStyle = YamlStyle()) -> str:
    """A mapping as a YAML document in block style."""
    return "".join(line + "\n" for line in _mapping(value, style)) or "{}\n"


def json_text(value: Json, indent: int | str | None = 2) -> str:
    """A value as JSON that YAML reads as well, with what is unseen as an escape."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _UNSEEN_IN_JSON.sub(lambda found: _escape(found.group()), text)


def laid_out(value: Json, style: YamlStyle = YamlStyle()) -> BlockText:
    """A value in block style, as it stands after `key:`."""
    if isinstance(value, dict) and value:
        return BlockText("", tuple(_indented(_mapping(value, style), style.indent)))
    if isinstance(value, list) and value:
        return BlockText("", tuple(_indented(_sequence(value, style), style.dash)))
    if isinstance(value, str) and fits_block(value):
        return block_scalar(value, style.indent)
    return BlockText(flow(value) if isinstance(value, dict | list) else scalar(value))


def item_lines(value: Json, style: YamlStyle = YamlStyle()) -> tuple[str, ...]:
    """A value in block style, as an item of a list: the first line starts with the dash, in column 0."""
    if isinstance(value, dict | list) and value:
        first, *rest = _mapping(value, style) if isinstance(value, dict) else _sequence(value, style)
        return (f"- {first}", *_indented(rest, 2))
    laid = laid_out(value, YamlStyle(2, 2))
    return (f"- {laid.head}", *laid.body)


def entry_lines(key: str, value: Json, style: YamlStyle = YamlStyle()) -> tuple[str, ...]:
    """An entry of a mapping in block style, in column 0."""
    laid = laid_out(value, style)
    return (f"{key_text(key)}: {laid.head}".rstrip(" "), *laid.body)


def block_scalar(text: str, indent: int) -> BlockText:
    """A text of several lines as a literal block scalar; it has to fit one."""
    header = "|" if text.endswith("\n") else "|-"
    return BlockText(header, tuple(_indented(text.removesuffix("\n").split("\n"), indent)))


def fits_block(text: str, *, blanks_kept: bool = False) -> bool:
    """Whether a literal block scalar holds a text exactly and shows all of it.

    A block scalar holds trailing spaces, but nobody sees them and editors remove them. `blanks_kept` accepts them, for
    texts that are in a block scalar already.
    """
    if "\n" not in text or text[0] in " \t\n" or text.endswith("\n\n") or _NOT_IN_BLOCK.search(text):
        return False
    return blanks_kept or not _TRAILING_BLANK.search(text)


def flow(value: Json) -> str:
    """A value on one line, in flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key_text(key, True)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(each) for each in value) + "]"
    return scalar(value, in_flow=True)


def key_text(key: str, in_flow: bool = False) -> str:
    """The name of a field."""
    return key if _is_plain(key, in_flow) and is_plain_text(key) else double_quoted(key)


def scalar(value: Json, *, in_flow: bool = False) -> str:
    """A leaf on one line: unquoted where every reader sees the same value, else in double quotes."""
    if isinstance(value, Tagged):
        return f"{value.tag} {scalar(value.text, in_flow=in_flow)}"
    if isinstance(value, str):
        return value if _is_plain(value, in_flow) else double_quoted(value)
    return json.dumps(value)


def double_quoted(text: str) -> str:
    """A text in double quotes, with everything unseen as an escape."""
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if quoted.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in quoted)


def single_quoted(text: str) -> str | None:
    """A text in single quotes; None where these cannot hold it."""
    return "'" + text.replace("'", "''") + "'" if text.isprintable() else None


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is_plain(text: str, in_flow: bool) -> bool:
    if not text or not text.isprintable() or text != text.strip(" "):
        return False
    if text[0] in _INDICATORS and not text.startswith("../"):
        return False
    if _ENDS_PLAIN.search(text) or (in_flow and _ENDS_PLAIN_IN_FLOW.search(text)) or _MISREAD.fullmatch(text):
        return False
    try:
        return read_plain(text) is text
    except RefusedScalar:
        return False


def _mapping(value: Mapping[str, Json], style: YamlStyle) -> Iterator[str]:
    for key, each in value.items():
        yield from entry_lines(key, each, style)


def _sequence(value: Sequence[Json], style: YamlStyle) -> Iterator[str]:
    for each in value:
        yield from item_lines(each, style)


def _indented(lines: Iterator[str] | Sequence[str], columns: int) -> Iterator[str]:
    for line in lines:
        yield " " * columns + line if line else ""
