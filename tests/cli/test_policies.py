"""Policies on the command line: `validate`, `plan` and `apply` hold the files and the changes against them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Project, Remote

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "policies.md"
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "policies"
KEY = "sk-" + "a1B2" * 8
GOOD = "name: a\nmodel: gpt-4o\ntemperature: 1\nmetadata: {reviewed-by: kim}\n"
ONLY_GPT_4O = '{"title": "Only gpt-4o", "properties": {"model": {"const": "gpt-4o"}}}'


def with_examples(project: Project) -> None:
    shutil.copytree(EXAMPLES, project.root / "policies")


def told(err: str) -> list[str]:
    """The place and the policy of every error."""
    return re.findall(r"^(\S+?): error: (policy [\w-]+)", err, re.MULTILINE)


def test_the_examples_accept_a_good_manifest(project: Project, remote: Remote) -> None:
    with_examples(project)
    project.target(remote.url)
    project.write("assistants.d/a.yaml", GOOD)
    project.ok("validate")
    project.ok("apply", "--yes")
    assert remote.named("a")["model"] == "gpt-4o"


def test_validate_tells_what_is_not_kept_at_its_place_and_ends_with_4(project: Project) -> None:
    with_examples(project)
    project.write("assistants.d/a.yaml", "model: gpt-4\ntemperature: 1.2\ninstructions: !file prompts/a.md\n")
    project.write("assistants.d/prompts/a.md", f"Be kind.\nYour key is {KEY}.\n")
    ran = project.run("validate")
    assert ran.code == 4
    assert told(ran.err) == [
        ("assistants.d/a.yaml:1:8", "policy models"),
        ("assistants.d/a.yaml:2:14", "policy temperature"),
        ("assistants.d/prompts/a.md:2:13", "policy no-keys"),
    ]
    assert "hint: Ask the platform team for another." in ran.err
    assert KEY not in ran.err + ran.out


def test_the_text_of_a_markdown_manifest_is_told_by_its_line(project: Project) -> None:
    with_examples(project)
    project.write("assistants.d/a.md", f"---\nmodel: gpt-4o\n---\n\nBe kind.\n\nKey: {KEY}\n")
    assert told(project.run("validate").err) == [("assistants.d/a.md:7:6", "policy no-keys")]


def test_wrong_files_count_more_than_what_policies_say(project: Project) -> None:
    with_examples(project)
    project.write("assistants.d/a.yaml", "model: gpt-4\n")
    project.write("assistants.d/b.yaml", "model: 5\n")
    assert project.run("validate").code == 1


def test_a_policy_that_cannot_be_used_is_an_error_before_anything_is_read(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", GOOD)
    project.write("policies/p.schema.json", '{"title": "x", "properties": {"name": {"pattern": "(?<=a)b"}}}')
    for verb in (["validate"], ["plan"], ["apply", "--yes"]):
        ran = project.run(*verb)
        assert ran.code == 1
        assert "policies/p.schema.json:1:51: error: the pattern" in ran.err
    assert remote.app.requests == []


def test_a_directory_that_cannot_be_read_is_no_pass(project: Project) -> None:
    project.write("assistants.d/a.yaml", GOOD)
    closed = project.write("policies/p.schema.json", ONLY_GPT_4O).parent
    closed.chmod(0)
    as_others = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    command = [*as_others, sys.executable, "-m", "reconciler", "-C", str(project.root), "validate"]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, env=project.environment, check=False)
    finally:
        closed.chmod(0o755)
    assert ran.returncode == 1
    assert "policies:1:1: error: cannot read the directory" in ran.stderr


def test_plan_and_apply_hold_back_what_is_against_a_policy_and_send_the_rest(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("policies/models.schema.json", ONLY_GPT_4O)
    project.write("assistants.d/a.yaml", GOOD)
    project.write("assistants.d/b.yaml", "name: b\nmodel: o3\n")
    ran = project.run("plan")
    assert ran.code == 4
    assert 'policy models: Only gpt-4o (model cannot be "o3")' in ran.out
    assert told(ran.err) == [("assistants.d/b.yaml:2:8", "policy models")]
    assert project.run("apply", "--yes").code == 4
    assert [each["name"] for each in remote.objects()] == ["a"]


def test_a_change_of_behaviour_needs_a_reviewer_and_other_changes_do_not(project: Project, remote: Remote) -> None:
    with_examples(project)
    project.target(remote.url)
    project.write("assistants.d/a.yaml", GOOD)
    project.ok("apply", "--yes")
    project.write("assistants.d/a.yaml", GOOD.replace("name: a", "name: b").replace("reviewed-by: kim", "team: it"))
    project.ok("plan")
    project.write("assistants.d/a.yaml", GOOD.replace("temperature: 1", "temperature: 0").replace("reviewed-by", "by"))
    ran = project.run("plan")
    assert ran.code == 4
    assert told(ran.err) == [("assistants.d/a.yaml:4:11", "policy reviewed")]
    assert "metadata.reviewed-by is missing" in ran.err


def test_what_needs_no_change_is_told_of_and_stops_nothing(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", "name: a\nmodel: o3\n")
    project.ok("apply", "--yes")
    project.write("policies/models.schema.json", ONLY_GPT_4O)
    ran = project.ok("plan")
    assert "assistants.d/a.yaml:2:8: warning: policy models" in ran.err
    assert project.run("validate").code == 4


def test_a_policy_that_warns_stops_nothing(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", "name: a\nmodel: o3\n")
    project.write("policies/m.schema.json", ONLY_GPT_4O.replace("{", '{"reconciler": {"severity": "warning"}, ', 1))
    for verb in (["validate"], ["plan"], ["apply", "--yes"]):
        assert "assistants.d/a.yaml:2:8: warning: policy m" in project.ok(*verb).err
    assert len(remote.objects()) == 1


def test_a_plan_says_what_is_against_a_policy_in_every_place_a_machine_looks(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", "name: a\nmodel: o3\n")
    project.write("policies/models.schema.json", ONLY_GPT_4O)
    plan = project.run("plan", "--format", "json").json
    assert [(each["address"], each["by"]) for each in plan["blocked"]] == [("assistant/a", "policy")]
    assert plan["diagnostics"][0]["source"] == {"file": "assistants.d/a.yaml", "line": 2, "column": 8}
    assert not plan["applyable"]


# Saved plans


@pytest.mark.parametrize("sealed", [(), ("--sealed",)])
def test_a_saved_plan_is_judged_by_the_policies_there_are_now(
    project: Project, remote: Remote, sealed: tuple[str, ...]
) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", "name: a\nmodel: o3\n")
    project.write("assistants.d/b.yaml", "name: b\nmodel: gpt-4o\n")
    project.ok("plan", "--out", "plan.json", *sealed)
    project.write("policies/models.schema.json", ONLY_GPT_4O)
    ran = project.run("apply", "plan.json", "--yes")
    assert ran.code == 4
    assert "assistants.d/a.yaml:2:8: error: policy models" in ran.err
    assert [each["name"] for each in remote.objects()] == ["b"]


# The guide


def test_the_policies_of_the_guide_are_the_examples_and_can_be_used(project: Project) -> None:
    shown = [json.loads(each) for each in re.findall(r"```json\n(.*?)```", GUIDE.read_text(), re.DOTALL)]
    for file in EXAMPLES.iterdir():
        assert json.loads(file.read_text()) in shown
    for number, each in enumerate(one for one in shown if "title" in one):
        project.write(f"policies/p{number}.schema.json", json.dumps(each))
    project.write("assistants.d/reconciler.yaml", "owner: acme\ntargets: {production: {provider: portkey}}\n")
    project.write("assistants.d/a.yaml", GOOD)
    project.ok("validate")
