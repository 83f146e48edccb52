"""Fleets from the command line: one manifest, many resources."""

from __future__ import annotations

import pytest

from tests.cli.test_startup import loaded
from tests.conftest import Project, Remote

FLEET = (
    'reconciler: {for_each: !csv tenants.csv, key: "support/{{ tenant }}"}\nname: "Support of {{ tenant }}"\n'
    "model: gpt-4o\ninstructions: |\n  You help the people of {{ tenant }}.\n\n  Region: {{ region }}.\n"
)


@pytest.fixture
def fleet(project: Project, remote: Remote) -> Project:
    project.target(remote.url)
    project.write("assistants.d/fleet.yaml", FLEET)
    project.write("assistants.d/tenants.csv", "tenant,region\nacme,eu\nzorg,us\n")
    return project


def test_a_row_that_comes_is_created_one_that_changes_updated_one_that_goes_deleted(
    fleet: Project, remote: Remote
) -> None:
    fleet.ok("apply", "--yes")
    assert remote.named("Support of zorg")["instructions"] == "You help the people of zorg.\n\nRegion: us.\n"
    assert fleet.run("plan", "--detailed-exitcode").code == 0
    fleet.write("assistants.d/tenants.csv", "tenant,region\nacme,uk\nwide,eu\n")
    changes = fleet.ok("plan", "--allow-deletes", "1", "--format", "json").json["changes"]
    assert {each["address"]: each["action"] for each in changes} == {
        "assistant/support/acme": "update",
        "assistant/support/wide": "create",
        "assistant/support/zorg": "delete",
    }
    assert changes[0]["source"] == {"file": "assistants.d/tenants.csv", "line": 2, "column": 1}


def test_a_bad_row_stops_everything_and_names_its_line(fleet: Project, remote: Remote) -> None:
    fleet.write("assistants.d/tenants.csv", "tenant,region\nacme,eu\nacme,us\n")
    ran = fleet.run("apply", "--yes")
    assert ran.code == 1
    assert "assistants.d/tenants.csv:3:1: error: assistant/support/acme is declared twice" in ran.err
    assert remote.app.requests == []


def test_a_table_with_semicolons_is_told_so(fleet: Project) -> None:
    fleet.write("assistants.d/tenants.csv", "tenant;region\nacme;eu\n")
    ran = fleet.run("validate")
    assert ran.code == 1
    said = "assistants.d/tenants.csv:1:1: error: columns are separated by commas, and the first line of this file has ;"
    assert said in ran.err + ran.out


@pytest.mark.parametrize("call", ["upper(tenant)", "tenant.upper()"])
def test_a_call_in_a_template_is_answered_with_what_to_write(call: str, fleet: Project) -> None:
    fleet.write("assistants.d/fleet.yaml", FLEET.replace("Support of {{ tenant }}", f"{{{{ {call} }}}}"))
    ran = fleet.run("validate")
    assert ran.code == 1
    said = "templates have no calls: write {{ tenant | upper }}; there are capitalize, default, first"
    assert said in ran.err + ran.out


def test_an_empty_cell_and_a_name_with_a_space_are_answered_with_what_to_write(fleet: Project) -> None:
    fleet.write("assistants.d/fleet.yaml", FLEET + 'temperature: "{{ warm | float }}"\n')
    fleet.write("assistants.d/tenants.csv", "tenant,region,warm\nBig Co,eu,1\nacme,eu,\n")
    ran = fleet.run("validate")
    assert ran.code == 1
    said = ran.err + ran.out
    assert "an empty text is not a number: write `default(0)` before `float` (row assistants.d/tenants.csv:3)" in said
    assert "the key support/Big Co is not a valid key (row assistants.d/tenants.csv:2)" in said
    assert "hint: write `{{ column | lower | replace(' ', '-') }}` in the key" in said
    fleet.write(
        "assistants.d/fleet.yaml", FLEET.replace('{{ tenant }}"}', "{{ tenant | lower | replace(' ', '-') }}\"}")
    )
    fleet.ok("validate")


def test_a_template_in_the_name_of_a_file_is_told_that_it_is_none(fleet: Project) -> None:
    fleet.write(
        "assistants.d/fleet.yaml",
        FLEET.split("instructions", maxsplit=1)[0] + "instructions: !file p/{{ region }}.md\n",
    )
    ran = fleet.run("validate")
    assert ran.code == 1
    assert "file names are not templates, not even with `for_each`: put what differs" in ran.err + ran.out


def test_a_live_edit_of_a_row_is_not_written_into_the_manifest_of_all_rows(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    remote.ask("POST", f"/v1/assistants/{remote.named('Support of acme')['id']}", {"instructions": "Be brief."})
    ran = fleet.run("pull", "--theirs", "assistant/support/acme")
    assert ran.code == 1
    assert "edit instructions by hand" in ran.err
    assert (fleet.root / "assistants.d/fleet.yaml").read_text() == FLEET


def test_the_template_library_is_loaded_for_fleets_only(project: Project) -> None:
    project.write("assistants.d/a.yaml", "model: m\n")
    assert "jinja2" not in loaded(["validate"], project.root)
    project.write("assistants.d/b.yaml", 'reconciler: {for_each: [{n: x}], key: "{{ n }}"}\nmodel: m\n')
    assert "jinja2" in loaded(["validate"], project.root)
