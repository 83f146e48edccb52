"""A create whose answer is lost is looked for, never blindly repeated; updates and deletes are repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Project, Remote

LOST: dict[str, dict[str, Any]] = {
    "dropped after the commit": {"drop": "after_commit"},
    "dropped before the commit": {"drop": "before_commit"},
    "an answer cut short": {"truncate": 20},
    "an answer that is no JSON": {"garbage": "<html>bad gateway</html>"},
}
NOT_DONE: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "502": {"status": 502},
    "503": {"status": 503},
    "408": {"status": 408},
    "429": {"status": 429, "headers": {"Retry-After": "0"}},
}


@pytest.mark.parametrize("fault", [*LOST, *NOT_DONE])
def test_a_create_with_a_lost_answer_makes_one_object(
    fault: str, project: Project, start: Callable[..., Remote]
) -> None:
    effect = (LOST | NOT_DONE)[fault]
    remote = start(chaos={"rules": [{"on": "create", "nth": 1, **effect}]})
    project.target(remote.url)
    for name in "abc":
        project.write(f"assistants.d/{name}.yaml", f"name: {name}\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    assert sorted(each["name"] for each in remote.objects()) == ["a", "b", "c"]
    assert "No changes" in project.ok("plan").out


DROPPED = [fault for fault in LOST if fault.startswith("dropped")]
"""A garbled answer to a read or update is told instead: see the next test, and test_bad_input."""


@pytest.mark.parametrize(
    ("on", "fault"),
    [(on, fault) for on in ("modify", "list") for fault in (*DROPPED, *NOT_DONE)]
    + [("delete", fault) for fault in (*LOST, *NOT_DONE)],
)
def test_reads_updates_and_deletes_are_repeated(
    on: str, fault: str, project: Project, start: Callable[..., Remote]
) -> None:
    effect = (LOST | NOT_DONE)[fault]
    remote = start(chaos={"rules": [{"on": on, "nth": 1, **effect}]})
    project.target(remote.url)
    for number in range(6):
        project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    project.write("assistants.d/a1.yaml", "name: a1\nmodel: gpt-4-turbo\n")
    project.remove("assistants.d/a0.yaml")
    project.ok("apply", "--yes")
    assert {each["name"]: each["model"] for each in remote.objects()} == {
        "a1": "gpt-4-turbo",
        **{f"a{number}": "gpt-4o" for number in range(2, 6)},
    }


def test_an_update_with_a_garbled_answer_is_told_and_the_next_apply_is_content(
    project: Project, start: Callable[..., Remote]
) -> None:
    remote = start(chaos={"rules": [{"on": "modify", "nth": 1, "garbage": "<html>"}]})
    project.target(remote.url)
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
    project.write("assistants.d/b.yaml", "name: b\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4-turbo\n")
    project.write("assistants.d/b.yaml", "name: b\nmodel: gpt-4-turbo\n")
    assert project.run("apply", "--yes", "--parallelism", "1").code == 5
    project.ok("apply", "--yes")
    assert {each["model"] for each in remote.objects()} == {"gpt-4-turbo"}


def test_one_failure_does_not_stop_the_others_unless_asked(project: Project, start: Callable[..., Remote]) -> None:
    refused = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}
    rule = {"on": "create", "nth": 2, "status": 400, "body": refused}
    for on_error, made in (("continue", 4), ("stop", 1)):
        remote = start(chaos={"rules": [rule]})
        project.target(remote.url)
        for number in range(5):
            project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\n")
        ran = project.run("apply", "--yes", "--parallelism", "1", "--on-error", on_error)
        assert ran.code == 5
        assert len(remote.objects()) == made
        assert "RC0503" in ran.out
        project.ok("apply", "--yes")
        assert len(remote.objects()) == 5


def test_a_list_that_fails_leads_to_no_create_and_no_delete(project: Project, start: Callable[..., Remote]) -> None:
    remote = start(chaos={"rules": [{"on": "list", "nth": 3, "status": 400}]})
    project.target(remote.url)
    for number in range(120):
        project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\n")
    ids = [remote.ask("POST", "/v1/assistants", {"name": f"x{n}", "model": "m"})["id"] for n in range(230)]
    assert ids
    remote.forget()
    ran = project.run("apply", "--yes")
    assert ran.code == 1
    assert remote.writes == []
