"""`pull --theirs`: a live edit goes into the file it belongs to, and no other line of it changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project, Remote

DESK = """\
# yaml-language-server: $schema=../schemas/assistant.schema.json

# Managed by the support team.
name:   "Help desk"   # shown to customers
model: 'gpt-4o'
temperature: 0.2      # careful
instructions: |
    You help customers.

    # A heading
    Always be polite.

# What it may use
tools:
- type: code_interpreter   # for sums
# finds articles
- type: file_search
  file_search: {max_num_results: 8}

metadata: {team: support, "tier": '1'}
response_format: {type: json_object}   # strict
"""


def edit(remote: Remote, **fields: Any) -> None:
    (live,) = remote.objects()
    if "metadata" in fields:
        fields["metadata"] = {"reconciler": live["metadata"]["reconciler"], **fields["metadata"]}
    remote.ask("POST", f"/v1/assistants/{live['id']}", fields)


def applied(project: Project, remote: Remote, text: str, path: str = "assistants.d/desk.yaml") -> Path:
    project.target(remote.url)
    file = project.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    project.ok("apply", "--yes")
    return file


def written_back(project: Project, remote: Remote, *addresses: str) -> str:
    """Write back, without a word to the remote; the plan is empty after it."""
    remote.forget()
    ran = project.ok("pull", "--theirs", "--check", *(addresses or ("assistant/desk",)))
    assert remote.writes == []
    assert "No changes: files and target match" in ran.out
    return ran.out


@pytest.mark.parametrize(
    ("fields", "old", "new"),
    [
        ({"temperature": 0.7}, "temperature: 0.2      # careful", "temperature: 0.7      # careful"),
        ({"temperature": None}, "temperature: 0.2      # careful", "temperature: 1.0      # careful"),
        ({"name": "Desk"}, '"Help desk"', '"Desk"'),
        ({"name": 'a "b": #c'}, '"Help desk"', '"a \\"b\\": #c"'),
        ({"name": None}, '"Help desk"', "null"),
        ({"model": "gpt-4o-mini"}, "'gpt-4o'", "'gpt-4o-mini'"),
        ({"response_format": "auto"}, "{type: json_object}", "auto"),
        ({"instructions": "You help customers.\n\n# A heading\nAlways be kind.\n"}, "polite", "kind"),
        ({"metadata": {"team": "sales", "tier": "1"}}, "support", "sales"),
        (
            {"tools": [{"type": "code_interpreter"}, {"type": "file_search", "file_search": {"max_num_results": 9}}]},
            "max_num_results: 8",
            "max_num_results: 9",
        ),
    ],
)
def test_one_value_changes_and_nothing_else(
    project: Project, remote: Remote, fields: dict[str, Any], old: str, new: str
) -> None:
    # The comment at the top names the team as well: the one in the metadata is meant.
    file = applied(project, remote, DESK)
    edit(remote, **fields)
    written_back(project, remote)
    start = DESK.rindex(old)
    assert file.read_text() == DESK[:start] + new + DESK[start + len(old) :]


def test_an_item_is_added_and_one_goes_with_its_comment(project: Project, remote: Remote) -> None:
    file = applied(project, remote, DESK)
    function = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
    edit(remote, tools=[{"type": "code_interpreter"}, function])
    written_back(project, remote)
    old = "# finds articles\n- type: file_search\n  file_search: {max_num_results: 8}\n"
    new = "- type: function\n  function:\n    name: look_up\n    parameters:\n      type: object\n"
    assert file.read_text() == DESK.replace(old, new)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_line_ends_byte_order_mark_and_a_missing_last_line_break_stay(
    project: Project, remote: Remote, ends: str
) -> None:
    text = "\ufeff" + DESK.removesuffix("\n").replace("\n", ends)
    file = applied(project, remote, text)
    edit(remote, instructions="One.\n\nTwo.\nThree.\n", temperature=0.5)
    written_back(project, remote)
    old = "    You help customers.\n\n    # A heading\n    Always be polite.\n"
    new = DESK.replace(old, "    One.\n\n    Two.\n    Three.\n").replace("0.2", "0.5")
    assert file.read_bytes().decode() == "\ufeff" + new.removesuffix("\n").replace("\n", ends)


def test_only_the_document_of_the_address_changes(project: Project, remote: Remote) -> None:
    text = (
        "# first\nreconciler: {key: a}\nname: a\nmodel: gpt-4o\n---\n"
        "# second\nreconciler: {key: b}\nname: b\nmodel: gpt-4o\ntemperature: 0.1\n...\n"
    )
    file = applied(project, remote, text)
    for name, fields in (("a", {"name": "c"}), ("b", {"temperature": 0.9})):
        remote.ask("POST", f"/v1/assistants/{remote.named(name)['id']}", fields)
    written_back(project, remote, "assistant/b", "assistant/a")
    assert file.read_text() == text.replace("name: a", "name: c").replace("0.1", "0.9")


def test_a_json_manifest_stays_as_it_was_formatted(project: Project, remote: Remote) -> None:
    text = (
        '{\n\t"name": "\\ud83d\\ude00 desk",\n\t"model": "gpt-4o",\n\t"temperature": 0.1,\n\t"metadata": {"a": "1"}\n}'
    )
    file = applied(project, remote, text, "assistants.d/desk.json")
    edit(remote, temperature=0.4, metadata={"a": "2"})
    written_back(project, remote)
    assert file.read_text() == text.replace("0.1", "0.4").replace('"1"', '"2"')


def test_prose_and_front_matter_of_markdown_change_apart(project: Project, remote: Remote) -> None:
    text = "---\n# who\nname: Desk\nmodel: gpt-4o\n---\n\nYou help.\n\n---\n\nBe polite.\n"
    file = applied(project, remote, text, "assistants.d/desk.md")
    edit(remote, instructions="You help.\n\n---\n\nBe kind.")
    written_back(project, remote)
    assert file.read_text() == text.replace("polite", "kind")
    edit(remote, name="Help")
    written_back(project, remote)
    assert file.read_text() == text.replace("polite", "kind").replace("name: Desk", "name: Help")


def test_prose_that_markdown_cannot_hold_moves_up(project: Project, remote: Remote) -> None:
    text = "---\nmodel: gpt-4o\nname: Desk # shown\n---\n\nYou help.\n"
    file = applied(project, remote, text, "assistants.d/desk.md")
    edit(remote, instructions=None)
    written_back(project, remote)
    assert file.read_text() == "---\nmodel: gpt-4o\nname: Desk # shown\ninstructions: null\n---\n\n"


def test_a_text_file_is_changed_and_its_manifest_is_not(project: Project, remote: Remote) -> None:
    prompt = project.root / "prompts/desk.md"
    prompt.parent.mkdir()
    prompt.write_bytes(b"You help.\r\nBe polite.\r\n")
    text = "name: Desk\nmodel: gpt-4o\ninstructions: !file ../prompts/desk.md # long\n"
    file = applied(project, remote, text)
    edit(remote, instructions="You help.\nBe kind.\n")
    out = written_back(project, remote)
    assert "prompts/desk.md" in out
    assert prompt.read_bytes() == b"You help.\r\nBe kind.\r\n"
    assert file.read_text() == text
    edit(remote, instructions="a\rb")
    written_back(project, remote)
    assert file.read_text() == text.replace("!file ../prompts/desk.md", '"a\\rb"')


def test_a_text_file_of_several_manifests_is_refused(project: Project, remote: Remote) -> None:
    project.write("assistants.d/shared.txt", "Be polite.\n")
    project.write("assistants.d/other.yaml", "name: Other\nmodel: gpt-4o\ninstructions: !file shared.txt\n")
    file = applied(project, remote, "name: Desk\nmodel: gpt-4o\ninstructions: !file shared.txt\n")
    before = file.read_bytes()
    remote.ask("POST", f"/v1/assistants/{remote.named('Desk')['id']}", {"instructions": "Be kind.\n"})
    ran = project.run("pull", "--theirs", "assistant/desk")
    assert ran.code == 1
    assert "assistant/other would change as well" in ran.err
    assert (file.read_bytes(), (file.parent / "shared.txt").read_text()) == (before, "Be polite.\n")


def test_a_variable_is_refused_and_then_nothing_at_all_is_written(project: Project, remote: Remote) -> None:
    project.target(remote.url, more="    vars: {model: gpt-4o}\n")
    text = "name: Desk\nmodel: !var model\ntemperature: 0.1\n"
    file = project.write("assistants.d/desk.yaml", text)
    other = project.write("assistants.d/a.yaml", "name: A\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    remote.ask("POST", f"/v1/assistants/{remote.named('Desk')['id']}", {"model": "gpt-4o-mini", "temperature": 0.2})
    remote.ask("POST", f"/v1/assistants/{remote.named('A')['id']}", {"temperature": 0.2, "name": "B"})
    ran = project.run("pull", "--theirs", "assistant/desk", "assistant/a")
    assert ran.code == 1
    assert "!var model" in ran.err
    assert "assistants.d/desk.yaml:2:8" in ran.err
    assert (file.read_text(), other.read_text()) == (text, "name: A\nmodel: gpt-4o\n")


def test_an_entry_that_was_taken_away_leaves_only_bookkeeping_to_apply(project: Project, remote: Remote) -> None:
    text = "name: Desk\nmodel: gpt-4o\nmetadata:\n  # who\n  team: support\n\n  # what\n  tier: one\n"
    file = applied(project, remote, text)
    edit(remote, metadata={"team": "support"})
    project.ok("pull", "--theirs", "assistant/desk")
    assert file.read_text() == "name: Desk\nmodel: gpt-4o\nmetadata:\n  # who\n  team: support\n\n"
    remote.forget()
    project.ok("apply", "--yes")
    assert [set(request.body) for request in remote.writes] == [{"metadata"}]
    assert project.run("plan", "--detailed-exitcode").code == 0


def test_a_value_used_in_two_places_is_left_to_a_hand(project: Project, remote: Remote) -> None:
    text = "name: &name Desk\nmodel: gpt-4o\ndescription: *name\n"
    file = applied(project, remote, text)
    edit(remote, name="Help")
    ran = project.run("pull", "--theirs", "assistant/desk")
    assert ran.code == 1
    assert "by hand" in ran.err
    assert "assistants.d/desk.yaml:1:" in ran.err
    assert file.read_text() == text
    edit(remote, name="Desk", description="Other")
    written_back(project, remote)
    assert file.read_text() == text.replace("*name", "Other")


def test_what_no_manifest_can_say_is_refused(project: Project, remote: Remote) -> None:
    file = applied(project, remote, DESK)
    edit(remote, name="two\nlines")
    ran = project.run("pull", "--theirs", "assistant/desk")
    assert ran.code == 1
    assert "control character" in ran.err
    assert file.read_text() == DESK


def test_without_a_live_edit_the_file_stays(project: Project, remote: Remote) -> None:
    file = applied(project, remote, DESK)
    before = file.stat()
    assert "matches the live object" in project.ok("pull", "--theirs", "assistant/desk").out
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_theirs_needs_addresses_that_have_an_object(project: Project, remote: Remote) -> None:
    applied(project, remote, DESK)
    project.write("assistants.d/new.yaml", "model: gpt-4o\n")
    assert project.run("pull", "--theirs").code == 1
    assert "no manifest has the address" in project.run("pull", "--theirs", "assistant/nobody").err
    assert "has no live object" in project.run("pull", "--theirs", "assistant/new").err


def test_a_field_given_up_in_the_file_comes_back_in_the_schemas_order(project: Project, remote: Remote) -> None:
    file = applied(project, remote, "model: gpt-4o\ntemperature: 0.1\nname: Desk # shown\n")
    file.write_text("model: gpt-4o # which\nname: Desk # shown\n")
    written_back(project, remote)
    assert file.read_text() == "model: gpt-4o # which\nname: Desk # shown\ntemperature: 0.1\n"


def test_a_tag_inside_a_list_stays_with_its_item(project: Project, remote: Remote) -> None:
    project.write("assistants.d/texts/a.txt", "about a")
    project.write("assistants.d/texts/b.txt", "about b")
    item = "  - type: function\n    function: {{name: {0}, description: !file texts/{0}.txt}}\n"
    text = "model: gpt-4o\ntools:\n" + item.format("a") + item.format("b")
    file = applied(project, remote, text)
    (live,) = remote.objects()
    edit(remote, tools=live["tools"][1:])
    written_back(project, remote)
    assert file.read_text() == "model: gpt-4o\ntools:\n" + item.format("b")
    changed = {**live["tools"][1]["function"], "description": "more about b"}
    edit(remote, tools=[{"type": "function", "function": changed}])
    written_back(project, remote)
    assert file.read_text() == "model: gpt-4o\ntools:\n" + item.format("b")
    texts = [(project.root / f"assistants.d/texts/{name}.txt").read_text() for name in "ab"]
    assert texts == ["about a", "more about b"]
