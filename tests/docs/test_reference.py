"""Generated pages are as their sources say, and nothing of the sources is missing on them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from reconciler.cli.exits import Exit
from reconciler.config.schema.schemas import shipped
from tests.docs.pages import ROOT
from tests.docs.reference.__main__ import outdated, write
from tests.docs.test_pages import REGENERATE

REFERENCE = ROOT / "docs/reference"


def test_generated_pages_are_up_to_date() -> None:
    if REGENERATE:
        write()
    assert outdated() == [], "run `.venv/bin/python -m tests.docs.reference` and look at the difference"


def test_every_field_of_every_kind_is_told() -> None:
    schemas = shipped()
    for provider in schemas.provider_names():
        for spec in schemas.provider(provider).kinds.values():
            page = REFERENCE / f"kinds/{spec.schema.removesuffix('.schema.json').replace('/', '-')}.md"
            text = page.read_text(encoding="utf-8")
            for name, part in schemas.schema(spec.schema)["properties"].items():
                assert f"`{name}`" in text if part.get("readOnly") else f"\n## {name}\n" in text


def test_every_exit_code_is_told() -> None:
    text = (REFERENCE / "exit-codes.md").read_text(encoding="utf-8")
    assert [int(code) for code in re.findall(r"^\| `(\d+)`", text, re.MULTILINE)] == sorted(Exit)


def test_every_environment_variable_that_is_read_is_told() -> None:
    told = (REFERENCE / "environment.md").read_text(encoding="utf-8")
    read = set(_read_variables())
    assert "RECONCILER_ALLOWED_HOSTS" in told
    assert len(read) > 10
    assert sorted(name for name in read - {"PATH", "HOME", "USERPROFILE"} if f"`{name}`" not in told) == []


def _read_variables() -> Iterator[str]:
    """Names that the package looks up in an environment, where they stand in the source."""
    sources = [file for file in (ROOT / "reconciler").rglob("*.py") if file.parts[-2] != "server"]
    for file in sources:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case (
                    ast.Call(func=ast.Attribute(value=looked, attr="get"), args=[ast.Constant(value=str(name)), *_])
                    | ast.Subscript(value=looked, slice=ast.Constant(value=str(name)))
                ) if "environ" in ast.unparse(looked) and name.isupper():
                    yield name
