"""What of a file is prose, and which names it gives: pieces of text with the line that each begins on."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

Piece = tuple[int, str]
PLAIN: Final = (".yaml", ".yml", ".html", ".service", ".timer", ".sh", ".toml")
_CODE: Final = re.compile(r"^ *```.*?^ *```$|<!--.*?-->|`[^`\n]*`|\]\([^)\n]*\)", re.DOTALL | re.MULTILINE)
_QUOTED: Final = re.compile(r"`[^`\n]*`")
_STATEMENT: Final = re.compile(r"\s*(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s")  # of SQL, which is code
_SQL_CODE: Final = re.compile(r"^(?![ \t]*--).*", re.MULTILINE)
_JSON_WORD: Final = re.compile(r'"[^" ]*"')  # a key or a value; prose has a space


def prose(file: Path) -> Iterator[Piece]:
    """The prose of `file`: Markdown without code and quoted names, comments of SQL, comments and texts of Python."""
    if file.suffix == ".md":
        yield 1, _CODE.sub(_lines_only, _text(file))
    elif file.suffix == ".py":
        yield from _python(_text(file))
    elif file.suffix == ".json":
        yield 1, _JSON_WORD.sub(_lines_only, _text(file))
    elif file.suffix == ".sql":
        yield 1, _SQL_CODE.sub("", _text(file))
    elif file.suffix in PLAIN:
        yield 1, _QUOTED.sub(_lines_only, _text(file))


def names(file: Path) -> Iterator[Piece]:
    """The names in a file of Python in small letters, each where it is first; before them the file's own."""
    if file.suffix != ".py":
        return
    yield 1, file.name
    found: dict[str, int] = {}
    for token in _tokens(_text(file)):
        if token.type == tokenize.NAME:
            found.setdefault(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", token.string).lower(), token.start[0])
    yield from ((line, name) for name, line in found.items())


def _python(source: str) -> Iterator[Piece]:
    for token in _tokens(source):
        if token.type == tokenize.COMMENT:
            yield token.start[0], _QUOTED.sub(_lines_only, token.string)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_prose(node.value):
            yield node.lineno, _QUOTED.sub(_lines_only, node.value)


def _is_prose(text: str) -> bool:
    return " " in text.strip() and not _STATEMENT.match(text)


def _tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(source).readline)


def _lines_only(found: re.Match[str]) -> str:
    """A space in the place of what is left out, and its line breaks, so that lines after it keep their number."""
    return " " + "\n" * found[0].count("\n")


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")
