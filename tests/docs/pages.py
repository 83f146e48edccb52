"""A page of the documentation as what its shell would do: the steps in order, with their place on the page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT: Final = Path(__file__).parents[2]
SHELL: Final = ("sh", "bash")
_COMMENT: Final = re.compile(r"\s*<!--\s*(.*?)\s*-->\s*", re.DOTALL)
_NAMED: Final = re.compile(r"# ([\w.@-]+(?:/[\w.@-]+)*\.(?:ya?ml|json|csv|md|txt|toml|py|sh))")


@dataclass(frozen=True, slots=True)
class Command:
    """One line that a reader types, with what the page shows below it."""

    text: str
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page.

    `lines` are the page's lines of its content, from 0, the last one excluded; `exit` is the code its last command
    ends with; `reason` says why it is not run, and is None where it is.
    """

    page: Path
    lines: tuple[int, int]
    language: str
    text: str
    exit: int = 0
    reason: str | None = None
    file: str | None = None

    @property
    def place(self) -> str:
        """`docs/tutorial.md:12`, for messages."""
        return f"{self.page.relative_to(ROOT)}:{self.lines[0] + 1}"

    @property
    def has_shell(self) -> bool:
        return self.language in (*SHELL, "console")


@dataclass(frozen=True, slots=True)
class Setup:
    """Shell that is run and not shown."""

    page: Path
    line: int
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line + 1}"


@dataclass(frozen=True, slots=True)
class Fresh:
    """From here on another directory: a copy of the example fleet, or an empty one."""

    empty: bool


@dataclass(frozen=True, slots=True)
class ServerNeeded:
    """From here on `$SERVER` is another embedded server, with these options of `create_app`."""

    options: Mapping[str, Any] = field(default_factory=dict)


Step = Block | Setup | Fresh | ServerNeeded


class PageError(ValueError):
    """A page says something to its test that has no meaning."""


def steps(page: Path) -> Iterator[Step]:
    """What a page does, in order. Raises PageError naming the line that has no meaning."""
    notes: dict[str, str] = {}
    for token in MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8")):
        line = token.map[0] if token.map else 0
        if token.type == "html_block":
            for comment in _COMMENT.findall(token.content):
                word, _, rest = comment.partition("\n") if "\n" in comment else comment.partition(" ")
                match word.strip().rstrip(":"):
                    case "setup":
                        yield Setup(page, line, rest)
                    case "fresh":
                        yield Fresh(rest == "empty")
                    case "server":
                        yield ServerNeeded(json.loads(rest))
                    case "exit" | "file" | "not-run" as note:
                        notes[note] = rest
                    case "generated":
                        pass
                    case _:
                        raise PageError(f"{page}:{line + 1}: tests do not know the comment {word!r}")
        elif token.type == "fence":
            yield _block(page, token, notes)
            notes = {}


def _block(page: Path, token: Token, notes: Mapping[str, str]) -> Block:
    start, end = token.map or (0, 0)
    text = token.content
    language = token.info.partition(" ")[0]
    file = notes.get("file")
    if language not in (*SHELL, "console") and file is None and (named := _NAMED.fullmatch(text.partition("\n")[0])):
        file, text = named[1], text.partition("\n")[2]
    if not language and text.startswith("$ "):
        language = "console"
    return Block(page, (start + 1, end - 1), language, text, int(notes.get("exit", "0")), notes.get("not-run"), file)


def commands(block: Block) -> list[Command]:
    """The commands of a `console` block: `$ ` begins one, `> ` goes on with it, all else is what it prints."""
    found: list[Command] = []
    typing = False
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:]))
            typing = True
        elif not found:
            raise PageError(f"{block.place}: a console block begins with `$ ` and a command")
        elif typing and line.startswith("> "):
            found[-1] = Command(f"{found[-1].text}\n{line[2:]}")
        else:
            typing = False
            found[-1] = Command(found[-1].text, f"{found[-1].shown}{line}\n")
    return found


def pages() -> list[Path]:
    """Every page that people read, in the order of their names."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
