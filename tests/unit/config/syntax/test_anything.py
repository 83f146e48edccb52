"""Whatever stands in a file, reading it ends in manifests and diagnostics, never in an exception."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.config.errors import ConfigError, has_errors
from reconciler.config.manifests.load import load
from reconciler.config.schema.schemas import shipped
from reconciler.config.settings import load_settings
from reconciler.config.syntax.yaml import read_yaml
from reconciler.config.targets import Settings
from tests.unit.config.conftest import told

FIELDS = [
    *shipped().schema("assistant.schema.json")["properties"],
    *shipped().schema("manifest.schema.json")["properties"],
    *shipped().schema("settings.schema.json")["properties"],
    *shipped().schema("settings.schema.json")["$defs"]["target"]["properties"],
    *("reconciler", "type", "function", "parameters", "json_schema", "file_search", "vector_stores", "properties"),
]
WORDS = [
    "!file x",
    "!var x",
    "!env X",
    "!ref a/b",
    "!own",
    "&a x",
    "*a",
    "<<",
    "1e999",
    "017",
    "~",
    "- a",
    "|",
    "'",
    "---",
]
scraps = st.sampled_from([*FIELDS, *WORDS, *":[]{},#\n\t ", ": ", "\n  ", "\n- "])
texts = st.lists(scraps | st.text(max_size=5), max_size=25).map("".join)
names = st.sampled_from(FIELDS) | st.text(max_size=3)
leaves = st.sampled_from([None, True, 0, -1, 1.5, "", "text", "a\x00b", "\u202e", "allow", "function", "x" * 300])
values = st.recursive(
    leaves, lambda each: st.lists(each, max_size=3) | st.dictionaries(names, each, max_size=4), max_leaves=20
)
anything = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)


def judge(root: Path, name: str, content: bytes) -> None:
    """Load one file as a manifest and, if it is YAML, as settings."""
    file = root / name
    file.write_bytes(content)
    (root / "sub").mkdir(exist_ok=True)
    (root / "sub" / "reconciler.yaml").write_bytes(content)
    nothing_set = Settings()
    found = load(
        root,
        [Path(".")],
        settings=nothing_set,
        target=nothing_set.target(),
        provider=shipped().provider("local"),
    )
    told_of = list(found.diagnostics)
    with suppress(ConfigError):
        load_settings(root, [Path("sub")])
    file.unlink()
    assert all(told(each).isprintable() for each in told_of)


@anything
@given(texts)
def test_any_text(tmp_path: Path, text: str) -> None:
    judge(tmp_path, "a.yaml", text.encode("utf-8", "replace"))
    judge(tmp_path, "a.md", f"---\n{text}\n---\n{text}".encode("utf-8", "replace"))


@anything
@given(values)
def test_any_value(tmp_path: Path, value: Any) -> None:
    text = json.dumps(value).encode()
    judge(tmp_path, "a.yaml", text)
    judge(tmp_path, "a.json", text)


@anything
@given(st.dictionaries(st.sampled_from(FIELDS), values, max_size=4), st.dictionaries(names, values, max_size=4))
def test_any_manifest(tmp_path: Path, block: dict[str, Any], body: dict[str, Any]) -> None:
    judge(tmp_path, "a.json", json.dumps({"model": "x", **body, "reconciler": block}).encode())


@given(st.binary(max_size=200), st.sampled_from(["a.yaml", "a.json"]))
def test_any_bytes(content: bytes, name: str) -> None:
    documents, problems = read_yaml(content, name)
    assert all(told(each).isprintable() for each in problems)
    assert not (documents and has_errors(problems)) or all(each.source for each in documents)
