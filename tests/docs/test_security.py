"""Every guarantee in SECURITY.md names a test, and every named test exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "SECURITY.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.split("## What a mark is worth")[0].splitlines() if line.startswith("| ")]
NAMED = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")


def _functions(file: Path) -> set[str]:
    parsed = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return {each.name for each in parsed if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")}


def test_every_guarantee_names_its_test() -> None:
    guarantees = [row for row in ROWS if not row.startswith("| guarantee")]
    assert len(guarantees) > 25
    assert [row for row in guarantees if not NAMED.search(row.rsplit(" | ", 1)[1])] == []


def test_every_test_it_names_is_there() -> None:
    for file, name in NAMED.findall(PAGE):
        assert _functions(TESTS / file), file
        assert not name or name in _functions(TESTS / file), f"{file}::{name}"
