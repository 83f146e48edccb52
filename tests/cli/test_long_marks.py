"""Manifests that set as much as they may: each gets a mark, or is refused where it is written."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from reconciler.config.schema.schemas import shipped
from reconciler.core.values import marks
from reconciler.core.values.managed_units import managed_units
from reconciler.core.values.marks import MAX_OWNER, Mark
from reconciler.core.values.model import MAX_KEY, Address, Manifest, OnRemove
from reconciler.core.values.semantics import MARK_ENTRY
from reconciler.diagnostics import Source
from reconciler.operations.project.kinds import kinds_of
from tests.conftest import Project

MANY = 80
SMALLEST = {
    "langgraph": "graph_id: g\n",
    "letta": "model: openai/gpt-4o\n",
    "mistral": "model: mistral-large-latest\n",
    "vapi": "",
}


def committed(project: Project) -> None:
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        who = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
        subprocess.run(["git", *who, *arguments], cwd=project.root, check=True, env=project.environment)


@pytest.mark.parametrize("provider", SMALLEST)
def test_eighty_metadata_entries_have_a_mark_where_they_are_allowed(project: Project, provider: str) -> None:
    settings = f"owner: acme\ndefault_target: t\ntargets: {{t: {{provider: {provider}}}}}\n"
    project.write("assistants.d/reconciler.yaml", settings.replace("}}", ", url: 'http://127.0.0.1:9'}}"))
    entries = "".join(f"  entry-{number}: value\n" for number in range(MANY))
    file = project.write("assistants.d/a.yaml", f"{SMALLEST[provider]}name: first\nmetadata:\n{entries}")
    project.ok("validate")
    committed(project)
    file.write_text(file.read_text().replace("name: first", "name: second"))
    plan = project.ok("plan", "--against", "git:HEAD", "--format", "json").json
    shown = [(each["action"], [field["path"] for field in each["fields"]]) for each in plan["changes"]]
    assert shown == [("update", [["name"]])]


def everything(schema: dict[str, Any], provider: str, kind: str) -> Manifest:
    """A manifest that sets every field that can be set, and as many entries of maps as may be there."""
    body: dict[str, Any] = {}
    for name, each in schema["properties"].items():
        if not each.get("readOnly"):
            granular = each.get("x-map") == "granular"
            body[name] = {f"{n}": "x" for n in range(each.get("maxProperties", 5_000))} if granular else "x"
    return Manifest(Address(kind, "k" * MAX_KEY), body, Source(f"{provider}.yaml", 1, 1))


@pytest.mark.parametrize("name", shipped().provider_names())
@pytest.mark.parametrize("beside", [False, True], ids=["on the object", "in the lock file"])
def test_the_longest_mark_of_every_provider_has_room(name: str, beside: bool) -> None:
    provider = shipped().provider(name)
    for on_target in kinds_of(provider, shipped(), beside=beside):
        kind = on_target.kind
        manifest = everything(shipped().schema(provider.kinds[kind.name].schema), name, kind.name)
        units = {} if kind.immutable else managed_units(kind, manifest)
        codes = marks.codes(units)
        longest = Mark("o" * MAX_OWNER, manifest.address.key, "n" * 16, True, OnRemove.DELETE, codes)
        assert len(marks.write(longest)) <= kind.max_mark, (kind.name, len(units))
        digests = marks.with_digests(longest, dict.fromkeys(codes, "d" * 7), kind.max_mark)
        assert len(marks.write(digests)) <= kind.max_mark
        assert marks.read(marks.write(digests)) == digests
        assert (kind.mark_field, MARK_ENTRY) not in units


@pytest.mark.parametrize(("entries", "accepted"), [(4, True), (12, False)])
def test_what_no_mark_can_name_is_refused_with_what_to_do(project: Project, entries: int, accepted: bool) -> None:
    values = {"type": "string", "maxLength": 120}
    metadata = {"type": "object", "x-map": "granular", "additionalProperties": values}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "properties": {"name": {"type": "string"}, "metadata": metadata},
    }
    project.environment["RECONCILER_TRUST_PROVIDERS"] = "small"
    project.write("providers/small.schema.json", json.dumps(schema))
    kind = "{schema: ./small.schema.json, path: /bots, name_field: name, mark_field: metadata}"
    project.write("providers/small.yaml", f"url: http://127.0.0.1:9\nkinds: {{bot: {kind}}}\n")
    settings = "owner: acme\ndefault_target: t\ntargets: {t: {provider: small}}\n"
    project.write("assistants.d/reconciler.yaml", settings)
    written = "".join(f"  e{number}: v\n" for number in range(entries))
    project.write("assistants.d/a.yaml", f"name: a\nmetadata:\n{written}")
    ran = project.run("validate")
    assert (ran.code == 0) is accepted, ran.err
    if not accepted:
        assert "a.yaml:2:1: error: the mark of this manifest may need 157 characters" in ran.err
        assert "marks: lock-file" in ran.err
        project.write("assistants.d/reconciler.yaml", settings.replace("small}", "small, marks: lock-file}"))
        project.ok("validate")
