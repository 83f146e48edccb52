"""CONTRIBUTING.md names files, folders and functions that are there."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.pages import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PATHS = sorted(set(re.findall(r"`((?:reconciler|schemas|tests|docs)/[\w./-]*)`", PAGE)) - {"docs/"})
PLACEHOLDERS = re.compile(r"API|KIND|NAME|VERB|FORMAT|CODE|nnnn")
WALK = re.findall(r"^\| [^|]+ \| `(reconciler/[\w/]+\.py)` \| `(\w+)` \|$", PAGE, re.MULTILINE)
DRAWN = re.findall(r"^  +(\w+(?:/|\.py))", PAGE, re.MULTILINE)


@pytest.mark.parametrize("path", [path for path in PATHS if not PLACEHOLDERS.search(path)])
def test_a_path_leads_somewhere(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_folder_of_the_package_is_in_the_drawing() -> None:
    names = {path.name for path in (ROOT / "reconciler").iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert names <= {each.rstrip("/") for each in DRAWN}


@pytest.mark.parametrize(("path", "name"), WALK)
def test_a_step_of_the_walk_names_a_function_or_class_of_its_file(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_the_walk_has_steps() -> None:
    assert len(WALK) > 15
