"""Anybody finds the room: few modules in a folder, one module for a name, one class for a name, short files."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import reconciler

ROOT = Path(reconciler.__file__).parent
MOST_MODULES = 13
MOST_LINES = 350
LARGE_FOLDERS = {"cli/commands": "one file for each verb"}
SAME_MODULE_NAMES = {
    "apply": "a verb, and the engine of it",
    "github": "plans as annotations, and requests to the API",
    "gitlab": "plans as reports, and requests to the API",
    "graph": "a verb, and its drawings",
    "http": "the client, and the embedded server",
    "json": "reading files, and writing plans",
    "markdown": "reading files, and writing plans",
    "plan": "a verb, and the core's plan",
}


def modules() -> Iterator[Path]:
    """Every module of the package, relative to it."""
    return (path.relative_to(ROOT) for path in sorted(ROOT.rglob("*.py")) if path.name != "__init__.py")


def test_no_folder_holds_many_modules() -> None:
    sizes = Counter(path.parent.as_posix() for path in modules())
    assert {folder for folder, size in sizes.items() if size > MOST_MODULES} == set(LARGE_FOLDERS)


def test_a_module_is_found_by_its_name() -> None:
    times = Counter(path.stem for path in modules())
    assert {name for name, count in times.items() if count > 1} == set(SAME_MODULE_NAMES)


def test_a_class_is_found_by_its_name() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for path in modules():
        for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                homes[node.name].append(path.as_posix())
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


def test_files_are_short() -> None:
    lengths = {path.as_posix(): len((ROOT / path).read_text("utf-8").splitlines()) for path in modules()}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in sorted(ROOT.rglob("*.py")) if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert silent == []
