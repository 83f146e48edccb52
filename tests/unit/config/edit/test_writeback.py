"""Whatever the file and whatever the edit: the file says what is live afterwards, and other lines are untouched."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.edit.overlay import FileOverlay
from reconciler.config.edit.writeback import WriteBack
from reconciler.config.manifests.load import Loaded, load
from reconciler.config.manifests.manifest import ManifestContext
from reconciler.config.schema.schemas import shipped
from reconciler.config.syntax import yaml_emitter
from reconciler.config.syntax.positions import Node, line_end, read_nodes
from reconciler.config.targets import Settings, Target
from reconciler.core.decide import decide_update
from reconciler.core.values.model import Unit
from tests.strategies import law
from tests.world import KIND, PROVIDER, accepted

TARGET = Target("local", "openai-assistants")
BODIES = accepted().filter(lambda body: _is_manifest(json.dumps(body).encode()))


def _load(directory: Path) -> Loaded:
    return load(directory, [Path("d")], settings=Settings(), target=TARGET, provider=PROVIDER)


def _is_manifest(content: bytes, name: str = "a.json") -> bool:
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        (directory / "d").mkdir()
        (directory / "d" / name).write_bytes(content)
        return _load(directory).ok


def write_back(directory: Path, live: dict[str, Any]) -> tuple[Loaded, set[Unit]]:
    """Write an edit back into the one manifest below `d`; the manifests after it, and the units that changed."""
    (manifest,) = _load(directory).manifests
    units = {write.unit for write in decide_update(KIND, manifest, live, None).writes}
    target = WriteBack(
        FileOverlay(directory, [Path("d")]),
        ManifestContext(Settings(), TARGET, PROVIDER, shipped()),
        _load(directory).manifests,
    )
    if units:
        target.put(KIND, manifest, live, sorted(units))
    for path, content in target.drafts.contents.items():
        Path(path).write_bytes(content)
    return _load(directory), units


def other_lines(text: str, units: set[Unit]) -> str:
    """A YAML text without the lines of the entries that changed."""
    (root,) = read_nodes(text)
    spans = [_lines(text, *entry) for name, entry in root.entries.items() if (name,) in units]
    if metadata := root.entries.get("metadata"):
        gone = [e for name, e in metadata[1].entries.items() if ("metadata", name) in units]
        whole = not metadata[1].entries or len(gone) == len(metadata[1].entries) or metadata[1].flow
        changed = any(unit[0] == "metadata" for unit in units)
        spans += [_lines(text, *metadata)] if whole and changed else [_lines(text, *entry) for entry in gone]
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + text[end:]
    return text


def _lines(text: str, key: Node, value: Node) -> tuple[int, int]:
    return text.rfind("\n", 0, key.start) + 1, line_end(text, value.end)


def commented(text: str) -> str:
    """A comment and a blank line above every field, and a comment behind the fields that stand on one line."""
    lines = []
    for line in text.splitlines(keepends=True):
        is_field = line[0] not in " -\n"
        lines += ["\n", f"# about {len(lines)}\n"] if is_field else []
        lines.append(line)
    return "".join(lines)


@st.composite
def edited(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A body and what became of it: some of its fields as in another body, some gone."""
    body, other = draw(BODIES), draw(BODIES)
    names = sorted(body)
    changed = draw(st.lists(st.sampled_from(names), unique=True, max_size=3))
    live = {**body, **{name: other.get(name) for name in changed if name != "model"}}
    if isinstance(live.get("tools"), list) and isinstance(other.get("tools"), list) and draw(st.booleans()):
        kept = live["tools"][draw(st.integers(0, len(live["tools"]))) :]
        names = [json.dumps(KIND_KEY(tool)) for tool in kept]
        live["tools"] = kept + [tool for tool in other["tools"] if json.dumps(KIND_KEY(tool)) not in names]
    return body, live


def KIND_KEY(tool: dict[str, Any]) -> list[Any]:
    return [tool["type"], tool.get("function", {}).get("name")]


def _written(body: dict[str, Any], style: str) -> str:
    match style:
        case "block":
            return commented(yaml_emitter.document_text(body))
        case "deep":
            return commented(yaml_emitter.document_text(body, yaml_emitter.YamlStyle(4, 0)))
        case "pyyaml":
            return yaml.safe_dump(body, sort_keys=False, width=10**6, default_style='"')
        case "pyyaml-flow":
            return yaml.safe_dump(body, default_flow_style=None, width=60)
        case _:
            return yaml_emitter.flow(body) + "\n"


@law
@given(edited(), st.sampled_from(["block", "deep", "pyyaml", "pyyaml-flow", "flow"]), st.sampled_from(["\n", "\r\n"]))
def test_yaml_says_what_is_live_and_other_lines_stay(
    case: tuple[dict[str, Any], dict[str, Any]], style: str, ends: str
) -> None:
    body, live = case
    text = _written(body, style).replace("\n", ends)
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        (directory / "d").mkdir()
        file = directory / "d/a.yaml"
        file.write_bytes(text.encode())
        if not _load(directory).ok:
            return
        (before,) = _load(directory).manifests
        assert before.body == body
        after, units = write_back(directory, live)
        (manifest,) = after.manifests
        assert not decide_update(KIND, manifest, live, None).writes
        now = file.read_bytes().decode()
        if style != "flow":
            assert other_lines(now, units) == other_lines(text, units)


@law
@given(edited(), st.sampled_from([None, 1, 2, 4]))
def test_json_says_what_is_live(case: tuple[dict[str, Any], dict[str, Any]], indent: int | None) -> None:
    body, live = case
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        (directory / "d").mkdir()
        file = directory / "d/a.json"
        file.write_text(json.dumps(body, indent=indent))
        (manifest,) = write_back(directory, live)[0].manifests
        assert not decide_update(KIND, manifest, live, None).writes


@law
@given(edited(), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\n"]))
def test_markdown_says_what_is_live(case: tuple[dict[str, Any], dict[str, Any]], ends: str, last: str) -> None:
    body, live = case
    front = {name: value for name, value in body.items() if name != "instructions"}
    text = f"---\n{commented(yaml_emitter.document_text(front))}---\n\nSome prose{last}".replace("\n", ends)
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        (directory / "d").mkdir()
        (directory / "d/a.md").write_bytes(text.encode())
        (manifest,) = write_back(directory, live)[0].manifests
        assert not decide_update(KIND, manifest, live, None).writes
