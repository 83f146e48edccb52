"""Find words that our prose does not use: `python -m tests.prose [PATHS]`. Exit 1 if there are any.

`words.txt` lists words, `names.txt` names of Python; both with what to write instead.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.prose.lines import Piece, names, prose

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
EVERYTHING: Final = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "action.yml")
EVERYTHING_BELOW: Final = ("docs", "reconciler", "schemas", "deploy", "templates", ".github")
Rules = tuple[re.Pattern[str], dict[str, str]]  # one pattern of all words; what to write instead, by its groups


def main(arguments: Sequence[str]) -> int:
    """Check the files and directories of `arguments`, or all that we wrote; 1 if a word is found."""
    paths = [Path(argument).resolve() for argument in arguments] or [
        ROOT / name for name in EVERYTHING + EVERYTHING_BELOW
    ]
    found = [line for file in files(paths) for line in check(file)]
    print("\n".join([*found, f"{len(found)} to rewrite"]) if found else "no word of the list")
    return 1 if found else 0


def files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files at and below `paths`, in order."""
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
        else:
            yield path


def check(file: Path) -> Iterator[str]:
    """One line of output per word or name that has a better one."""
    yield from _check(file, prose(file), WORDS)
    yield from _check(file, names(file), NAMES)


def _check(file: Path, pieces: Iterable[Piece], rules: Rules) -> Iterator[str]:
    pattern, better = rules
    place = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    for line, text in pieces:
        for hit in pattern.finditer(text):
            number = line + text.count("\n", 0, hit.start())
            yield f"{place}:{number}: {' '.join(hit[0].split())} -> {better[str(hit.lastgroup)]}"


def _rules(file: str, form: str) -> Rules:
    lines = (HERE / file).read_text(encoding="utf-8").splitlines()
    rows = [line.split(" -> ", 1) for line in lines if " -> " in line]
    words = "|".join(f"(?P<w{n}>{word.strip()})" for n, (word, _) in enumerate(rows))
    pattern = re.compile(form.format(words.replace(" ", r"\s+")), re.IGNORECASE)
    return pattern, {f"w{n}": better for n, (_, better) in enumerate(rows)}


WORDS: Final = _rules("words.txt", r"\b(?:{})(?!\w)")
NAMES: Final = _rules("names.txt", r"\A_*(?:{})\Z")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
