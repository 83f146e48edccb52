"""`render`: the manifests as they are sent, readable by people and by the loader, with the place of every value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.cli.output.manifest_text import document_lines
from reconciler.config.manifests.load import Loaded, load
from reconciler.config.schema.schemas import shipped
from reconciler.config.settings import load_settings
from reconciler.core.values.model import Address, Manifest
from reconciler.core.values.semantics import Kind, Meaning
from reconciler.diagnostics import Source
from tests.cli.test_startup import HEAVY, loaded
from tests.conftest import Project

SETTINGS = 'targets:\n  local: {provider: local, layers: [over], vars: {place: "the \\u200b office"}}\n'
FILES = {
    "assistants.d/reconciler.yaml": SETTINGS,
    "assistants.d/_base.yaml": "model: gpt-4o\ntools:\n  - type: file_search\n",
    "assistants.d/hr/bot.yaml": (
        "reconciler: {extends: ../_base.yaml, protect: true, ignore: [top_p]}\nname: HR\ndescription: !var place\n"
        "instructions: !file text.txt\nmetadata: {'yes': 'no', '1': '2', empty: ''}\n"
    ),
    "assistants.d/hr/text.txt": "One.\n\nTwo: {{ x }} # not a comment\n",
    "assistants.d/fleet.yaml": (
        "reconciler: {for_each: !csv tenants.csv, key: '{{ tenant }}'}\nname: 'Of {{ tenant }}'\nmodel: '{{ model }}'\n"
        'instructions: "{{ tenant }}\\n::set-env name=A::b\\n##[error]\\n"\n'
    ),
    "assistants.d/tenants.csv": "tenant,model\nacme,gpt-4o\n",
    "over/hr/bot.yaml": "temperature: 1\ntools:\n  - type: function\n    function: {name: f, parameters: {}}\n",
}


@pytest.fixture
def rendered(project: Project) -> Project:
    for name, text in FILES.items():
        project.write(name, text)
    return project


def read(root: Path) -> Loaded:
    settings = load_settings(root, [Path("assistants.d")])
    provider = shipped().provider("local")
    return load(root, [Path("assistants.d")], settings=settings, target=settings.target(), provider=provider)


def test_one_address_with_the_place_of_each_value(rendered: Project) -> None:
    assert rendered.ok("render", "assistant/hr/bot").out.splitlines() == [
        "---",
        "# assistant/hr/bot",
        "reconciler:",
        "  kind: assistant  # assistants.d/hr/bot.yaml:1",
        "  key: hr/bot  # assistants.d/hr/bot.yaml:1",
        "  protect: true  # assistants.d/hr/bot.yaml:1",
        "  ignore:",
        "    - top_p  # assistants.d/hr/bot.yaml:1",
        "model: gpt-4o  # assistants.d/_base.yaml:1",
        "tools:",
        "  -",
        "    type: function  # over/hr/bot.yaml:3",
        "    function:",
        "      name: f  # over/hr/bot.yaml:4",
        "      parameters: {}  # over/hr/bot.yaml:4",
        "name: HR  # assistants.d/hr/bot.yaml:2",
        'description: "the \\u200b office"  # assistants.d/hr/bot.yaml:3',
        "instructions: |  # assistants.d/hr/text.txt:1",
        "  One.",
        "",
        "  Two: {{ x }} # not a comment",
        "metadata:",
        '  "yes": "no"  # assistants.d/hr/bot.yaml:5',
        '  "1": "2"  # assistants.d/hr/bot.yaml:5',
        '  empty: ""  # assistants.d/hr/bot.yaml:5',
        "temperature: 1  # over/hr/bot.yaml:1",
    ]


def test_what_is_printed_is_read_as_exactly_the_same_manifests(rendered: Project, tmp_path: Path) -> None:
    printed = rendered.ok("render").out
    again = tmp_path / "again"
    (again / "assistants.d").mkdir(parents=True)
    (again / "assistants.d" / "all.yaml").write_text(printed)
    before, after = read(rendered.root), read(again)
    assert [each.address for each in after.manifests] == [each.address for each in before.manifests]
    assert after.digest == before.digest
    assert len(before.manifests) == 2


def test_no_line_of_it_is_a_command_to_the_log_of_a_ci_job(rendered: Project) -> None:
    lines = rendered.ok("render", "assistant/acme").out.splitlines()
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in lines)


def test_json_holds_the_same(rendered: Project) -> None:
    (found,) = rendered.ok("render", "--format", "json", "assistant/acme").json
    assert found["reconciler"] == {"kind": "assistant", "key": "acme"}
    assert found["body"]["name"] == "Of acme"
    places = {tuple(each["path"]): f"{each['file']}:{each['line']}" for each in found["places"]}
    assert places["name",] == "assistants.d/fleet.yaml:2"
    assert places["model",] == "assistants.d/tenants.csv:2"
    everything = json.loads(rendered.ok("render", "--format", "json").out)
    assert [each["address"] for each in everything] == ["assistant/acme", "assistant/hr/bot"]


def test_it_needs_no_network_no_credential_and_no_owner(project: Project) -> None:
    settings = "default_target: t\ntargets: {t: {provider: portkey, credentials: {api_key: !env NOT_SET}}}\n"
    project.write("assistants.d/reconciler.yaml", settings)
    project.write("assistants.d/a.yaml", "model: m\n")
    assert "model: m  # assistants.d/a.yaml:1" in project.ok("render").out


def test_its_help_loads_nothing_heavy(project: Project) -> None:
    assert loaded(["render", "--help"], project.root) & HEAVY == set()


def test_an_address_that_no_manifest_has_is_told(rendered: Project) -> None:
    ran = rendered.run("render", "assistant/hr/bott")
    assert ran.code == 1
    assert "no manifest has the address assistant/hr/bott" in ran.err
    assert "did you mean assistant/hr/bot?" in ran.err
    assert rendered.run("render", "bot").code == 1


def test_files_with_errors_are_told_and_not_printed(rendered: Project) -> None:
    rendered.write("over/hr/bot.yaml", "temperature: hot\n")
    ran = rendered.run("render")
    assert (ran.code, ran.out) == (1, "")
    assert "over/hr/bot.yaml:1:14" in ran.err


def test_a_reference_is_printed_as_the_tag_it_was(project: Project) -> None:
    project.write(
        "assistants.d/reconciler.yaml",
        "owner: x\ndefault_target: t\ntargets: {t: {provider: openai-assistants, url: http://localhost/v1}}\n",
    )
    project.write("assistants.d/s.yaml", "reconciler: {kind: vector_store}\nname: s\n")
    search = "tools: [{type: file_search}]\ntool_resources: {file_search: {vector_store_ids: [!ref vector_store/s]}}\n"
    project.write("assistants.d/a.yaml", "model: m\n" + search)
    assert "- !ref vector_store/s  # assistants.d/a.yaml:3" in project.ok("render", "assistant/a").out


def test_sensitive_values_are_masked() -> None:
    kind = Kind("secret", {"token": Meaning(sensitive=True), "name": Meaning()}, None, "name")
    refs = {("token", 0): Address("secret", "b")}
    body = {"name": "n", "token": ["(known after apply)", "sk-1"]}
    manifest = Manifest(Address("secret", "a"), body, Source("a.yaml", 1, 1), refs=refs)
    lines = list(document_lines(manifest, kind))
    assert "token: (sensitive)  # a.yaml:1" in lines
    assert not any("sk-1" in line for line in lines)
