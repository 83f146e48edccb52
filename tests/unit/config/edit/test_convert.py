"""Conversions on bodies of any shape in any layout: the file then says what the conversion of the body says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.config.edit.convert_files import convert
from reconciler.config.edit.overlay import FileOverlay
from reconciler.config.manifests.manifest import ManifestContext
from reconciler.config.schema.conversion_rules import converted
from reconciler.config.schema.schemas import shipped
from reconciler.config.syntax.yaml import read_yaml
from reconciler.config.syntax.yaml_emitter import document_text, flow, json_text
from reconciler.config.targets import Settings, Target
from tests.strategies import bodies

SCHEMAS = shipped()
LAYOUTS = {
    "block.yaml": document_text,
    "flow.yaml": lambda body: flow(body) + "\n",
    "lines.json": lambda body: json_text(body, 4),
    "line.json": lambda body: json_text(body, None),
    "commented.yaml": lambda body: "# above\n" + document_text(body).replace(": object\n", ": object # kept\n"),
}


@pytest.mark.parametrize("provider", SCHEMAS.conversion_names())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(body=bodies(SCHEMAS.schema("assistant.schema.json")), layout=st.sampled_from(sorted(LAYOUTS)))
def test_the_rewritten_file_says_exactly_what_the_conversion_says(
    provider: str, body: dict[str, Any], layout: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("fleet")
    (root / "assistants.d").mkdir()
    (root / "assistants.d" / layout).write_text(LAYOUTS[layout](body), encoding="utf-8")
    target = Target("local", "local")
    reading = ManifestContext(Settings(targets={"local": target}), target, SCHEMAS.provider("local"), SCHEMAS)
    drafts = FileOverlay(root, [Path("assistants.d")])
    (file,), refused = convert(drafts, reading, provider)
    assert not refused
    documents, problems = read_yaml(file.new, layout)
    assert not problems
    goal = converted(body, SCHEMAS.conversion(provider)).body
    assert json.dumps(documents[0].value, sort_keys=True) == json.dumps(goal, sort_keys=True)
    assert file.old.count(b"# above") == file.new.count(b"# above")
