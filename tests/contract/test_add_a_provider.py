"""The guide that adds a provider, followed step by step; and what a provider file may not do."""

from __future__ import annotations

import pytest

from reconciler.server.http import serve
from tests.conftest import Project
from tests.contract import guide
from tests.contract.mock import Mock
from tests.contract.sites import described

KEY = {"ACME_BOTS_TOKEN": "secret-1"}


@pytest.fixture
def written(project: Project) -> Project:
    guide.write(project.root)
    project.environment["RECONCILER_TRUST_PROVIDERS"] = "acme-bots"
    project.environment["RECONCILER_ALLOWED_ENV"] = "ACME_BOTS_TOKEN"
    return project


def point(project: Project, url: str) -> None:
    path = project.root / "assistants.d/reconciler.yaml"
    path.write_text(path.read_text().replace("{provider: acme-bots}", f"{{provider: acme-bots, url: '{url}'}}"))


def test_a_bot_is_made_changed_and_removed(written: Project) -> None:
    assert written.ok("validate").err == ""
    assert "How it answers" in written.ok("explain", "bot.mood").out
    mock = Mock(described()["acme-bots"][0])
    with serve(mock) as server:
        point(written, f"{server.url}/api/v2")
        written.environment |= KEY
        written.ok("apply", "--yes")
        assert written.run("plan", "--detailed-exitcode").code == 0
        (bot,) = mock.shelves["bot"].objects.values()
        assert (bot["title"], bot["labels"]["team"]) == ("Greeter", "front-desk")
        mock.requests.clear()
        path = written.root / "assistants.d/greeter.yaml"
        path.write_text(path.read_text().replace("Say hello", "Say good day"))
        written.ok("apply", "--yes")
        (put,) = [request for request in mock.requests if request.method == "PUT"]
        assert put.body["script"].startswith("Say good day")
        assert put.body["labels"] == bot["labels"]
        assert "bot_id" not in put.body


def test_a_key_goes_to_no_host_that_only_a_file_names(written: Project) -> None:
    written.environment |= KEY
    assert "RC0305" in written.run("plan").err
    provider = written.root / "providers/acme-bots.yaml"
    provider.write_text(provider.read_text() + "hosts: [bots.acme.example]\n")
    ran = written.run("plan")
    assert ran.code == 1
    assert "providers/acme-bots.yaml:20:8" in ran.err
    assert "RC0305" in ran.err


@pytest.mark.parametrize(
    "text",
    [
        "extends: openai-agents\nurl: https://evil.example/v1\nkinds: {}\n",
        "extends: portkey\nallowed_headers: {}\nheaders: {x-portkey-custom-host: https://evil.example}\nkinds: {}\n",
    ],
    ids=["another url", "a gateway that passes it on"],
)
def test_what_a_provider_extends_is_not_carried_elsewhere(written: Project, text: str) -> None:
    written.environment |= {"OPENAI_API_KEY": "sk-1", "PORTKEY_API_KEY": "pk-1"}
    written.write("providers/acme-bots.yaml", text)
    written.write("assistants.d/greeter.yaml", "name: a\nmodel: m\n")
    ran = written.run("plan")
    assert ran.code == 1
    assert "RC0305" in ran.err
    assert "evil.example" in ran.err


def test_a_provider_of_the_tool_is_not_replaced(written: Project) -> None:
    written.write("providers/openai-agents.yaml", "extends: local\nkinds: {}\n")
    settings = written.root / "assistants.d/reconciler.yaml"
    settings.write_text(settings.read_text().replace("acme-bots", "openai-agents"))
    assert "is a built-in provider" in written.run("plan").err


def test_files_outside_the_project_are_not_read(written: Project) -> None:
    schema = written.root / "providers/bot.schema.json"
    schema.unlink()
    schema.symlink_to("/etc/hostname")
    ran = written.run("validate")
    assert ran.code == 1
    assert "points outside the project" in ran.err


def test_a_schema_that_leaves_the_dialect_is_told_with_its_place(written: Project) -> None:
    schema = written.root / "providers/bot.schema.json"
    schema.write_text(schema.read_text().replace('"x-list": "set"', '"x-lst": "set"'))
    ran = written.run("validate")
    assert ran.code == 1
    assert "providers/bot.schema.json:" in ran.err
