"""What each vendor is known for, as a user of the tool meets it: on the wire, and in the plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.server.http import serve
from tests.conftest import Project
from tests.contract.mock import Mock
from tests.contract.sites import described

VAPI = """\
name: Desk
model:
  provider: openai
  model: gpt-4o
  temperature: 0.2
  messages: [{role: system, content: Be kind.}]
"""
ELEVENLABS = """\
name: Desk
conversation_config:
  agent:
    prompt: {prompt: Be kind., llm: gpt-4o, timezone: Europe/Berlin, tool_ids: [t1]}
  tts: {voice_id: v1, model_id: eleven_flash_v2_5, speed: 1.1}
"""
LETTA = """\
name: Desk
model: openai/gpt-4o
description: For everybody.
tool_ids: [tool-1, tool-2]
"""


@contextmanager
def speaking(project: Project, provider: str) -> Iterator[Mock]:
    """A project whose target is a vendor's mock, with its key."""
    mock = Mock(described()[provider][0])
    keys = ("VAPI_API_KEY", "ELEVENLABS_API_KEY", "LETTA_API_KEY", "AZURE_AI_TOKEN")
    project.environment |= dict.fromkeys(keys, "secret-1")
    with serve(mock) as server:
        url = server.url + mock.vendor["root"]
        project.write(
            "assistants.d/reconciler.yaml",
            f"owner: acme\ndefault_target: there\ntargets: {{there: {{provider: {provider}, url: '{url}'}}}}\n",
        )
        yield mock


def sent(mock: Mock, method: str) -> list[dict[str, object]]:
    return [request.body for request in mock.requests if request.method == method]


def test_vapi_gets_objects_whole_so_that_no_prompt_is_wiped(project: Project) -> None:
    project.write("assistants.d/desk.yaml", VAPI)
    with speaking(project, "vapi") as mock:
        project.ok("apply", "--yes")
        project.write("assistants.d/desk.yaml", VAPI.replace("0.2", "0.7"))
        project.ok("apply", "--yes")
        (patch,) = sent(mock, "PATCH")
        (there,) = mock.shelves["assistant"].objects.values()
    assert list(patch) == ["model"]
    assert there["model"]["messages"] == [{"role": "system", "content": "Be kind."}]
    assert there["model"]["temperature"] == 0.7


def test_elevenlabs_clears_a_part_by_its_default(project: Project) -> None:
    project.write("assistants.d/desk.yaml", ELEVENLABS)
    with speaking(project, "elevenlabs") as mock:
        project.ok("apply", "--yes")
        project.write("assistants.d/desk.yaml", ELEVENLABS.replace(", speed: 1.1", "").replace(", tool_ids: [t1]", ""))
        assert "RC0407" not in project.ok("apply", "--yes").err  # what the schema does not know is merged, and stays
        assert project.run("plan", "--detailed-exitcode").code == 0
        (there,) = mock.shelves["agent"].objects.values()
    config = there["conversation_config"]
    assert (config["tts"]["speed"], config["agent"]["prompt"]["tool_ids"]) == (1, [])
    assert config["asr"]["provider"] == "scribe_realtime"


def test_what_elevenlabs_cannot_take_out_is_said_by_the_plan_and_not_sent(project: Project) -> None:
    project.write("assistants.d/desk.yaml", ELEVENLABS)
    with speaking(project, "elevenlabs") as mock:
        project.ok("apply", "--yes")
        project.write("assistants.d/desk.yaml", ELEVENLABS.replace(", timezone: Europe/Berlin", ""))
        ran = project.run("plan")
        assert ran.code == 4
        assert "no request can remove conversation_config.agent.prompt.timezone" in ran.out
        assert (
            "assistants.d/desk.yaml:4:13: warning: conversation_config.agent.prompt.timezone was removed from the file"
            in ran.err
        )
        project.run("apply", "--yes")
        assert sent(mock, "PATCH") == []


def test_elevenlabs_keeps_marks_in_the_lock_file_and_tags_for_people(project: Project) -> None:
    project.write("assistants.d/desk.yaml", ELEVENLABS + "tags: [front]\n")
    with speaking(project, "elevenlabs") as mock:
        project.ok("apply", "--yes")
        ((id, there),) = mock.shelves["agent"].objects.items()
        assert there["tags"] == ["front"]
        assert f'"{id}": "1 acme desk ' in (project.root / "assistants.lock.json").read_text()


def test_an_object_that_a_list_of_summaries_shows_and_that_cannot_be_read_stops_everything(project: Project) -> None:
    """Its 404 may be of a lagging replica, or of a credential that may not read it: it is not made again."""
    project.write("assistants.d/desk.yaml", ELEVENLABS)
    with speaking(project, "elevenlabs") as mock:
        project.ok("apply", "--yes")
        shelf = mock.shelves["agent"]
        marks = (project.root / "assistants.lock.json").read_text()
        project.write("assistants.d/other.yaml", ELEVENLABS)
        (shelf.vanishing,) = shelf.objects
        mock.requests.clear()
        for arguments in (["plan"], ["apply", "--yes"]):
            ran = project.run(*arguments)
            assert ran.code == 1
            assert f"the list shows {shelf.vanishing}, which cannot be read" in ran.err
            assert "[RC0506]" in ran.err
        assert {request.method for request in mock.requests} == {"GET"}
        assert len(shelf.objects) == 1
        assert (project.root / "assistants.lock.json").read_text() == marks
        shelf.vanishing = None
        assert "1 to create" in project.ok("plan").out


def test_an_agent_that_cannot_be_read_right_after_it_was_made_is_ours_all_the_same(project: Project) -> None:
    project.write("assistants.d/desk.yaml", ELEVENLABS)
    with speaking(project, "elevenlabs") as mock:
        mock.shelves["agent"].vanishing = "agent_00000001"
        project.ok("apply", "--yes")
        mock.shelves["agent"].vanishing = None
        assert project.run("plan", "--detailed-exitcode").code == 0
        assert len(sent(mock, "POST")) == 1


def test_letta_is_never_sent_null_and_shows_objects_where_it_takes_ids(project: Project) -> None:
    project.write("assistants.d/desk.yaml", LETTA)
    with speaking(project, "letta") as mock:
        project.ok("apply", "--yes")
        (create,) = sent(mock, "POST")
        assert create["include_base_tools"] is False
        project.write("assistants.d/desk.yaml", "name: Desk\nmodel: openai/gpt-4o\ntool_ids: [tool-2]\n")
        project.ok("apply", "--yes")
        (patch,) = sent(mock, "PATCH")
    assert (patch["description"], patch["tool_ids"]) == ("", ["tool-2"])


def test_azure_is_asked_for_its_version_and_takes_shorter_prompts(project: Project) -> None:
    project.write("assistants.d/desk.yaml", "name: Desk\nmodel: gpt-4o\ntools: [{type: file_search}]\n")
    with speaking(project, "azure-foundry-classic"):  # which refuses requests without api-version, and fills in tools
        project.ok("apply", "--yes")
        assert project.run("plan", "--detailed-exitcode").code == 0
        project.write("assistants.d/desk.yaml", f"name: Desk\nmodel: gpt-4o\ninstructions: {'x' * 32769}\n")
        assert "32,768" in project.run("validate").err
