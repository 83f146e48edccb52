"""A base from git is what a commit says, not what was certainly applied: it labels, and decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.test_base import commit, git
from tests.conftest import Project, Remote
from tests.seams.conftest import sent

BOT = "name: Bot\nmodel: gpt-4o\ntemperature: {heat}\n"
OTHER = "name: Other\nmodel: {model}\n"
REFUSED = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}


@pytest.fixture
def refused(project: Project, start: Callable[..., Remote]) -> Remote:
    """Two assistants; the commit `N` changed one, and the vendor refused it; then `N+1` changed the other."""
    remote = start(chaos={"rules": [{"on": "modify", "nth": 1, "status": 400, "body": REFUSED}]})
    project.target(remote.url)
    project.write("assistants.d/bot.yaml", BOT.format(heat=0.1))
    project.write("assistants.d/other.yaml", OTHER.format(model="gpt-4o"))
    project.ok("apply", "--yes")
    git(project, "init", "-q")
    commit(project, "first")
    project.write("assistants.d/bot.yaml", BOT.format(heat=0.7))
    commit(project, "N")
    assert project.run("apply", "--yes", "--base", "git:HEAD^").code == 1
    assert remote.named("Bot")["temperature"] == 0.1
    project.write("assistants.d/other.yaml", OTHER.format(model="gpt-4-turbo"))
    commit(project, "N+1")
    remote.forget()
    return remote


def bodies(remote: Remote) -> list[Any]:
    return sorted((body for _, _, body in sent(remote)), key=str)


@pytest.mark.parametrize("on_drift", ["keep", "fail"])
def test_a_change_that_was_refused_once_is_sent_by_the_next_commit(
    project: Project, refused: Remote, on_drift: str
) -> None:
    """row 20"""
    project.ok("apply", "--yes", "--base", "git:HEAD^", "--on-drift", on_drift)
    assert bodies(refused) == [{"model": "gpt-4-turbo"}, {"temperature": 0.7}]
    assert project.ok("plan", "--detailed-exitcode").code == 0


def test_it_is_sent_without_the_word(project: Project, refused: Remote) -> None:
    """row 20: as before"""
    project.ok("apply", "--yes", "--base", "git:HEAD^")
    assert bodies(refused) == [{"model": "gpt-4-turbo"}, {"temperature": 0.7}]


@pytest.mark.parametrize("on_drift", ["revert", "keep", "fail"])
def test_the_plan_says_what_the_commit_lets_one_think(project: Project, refused: Remote, on_drift: str) -> None:
    """row 20: a label"""
    document = project.run("plan", "--base", "git:HEAD^", "--on-drift", on_drift, "--format", "json").json
    reasons = {tuple(f["path"]): f["reason"] for change in document["changes"] for f in change["fields"]}
    assert reasons[("model",)] == "edited"
    assert reasons.get(("temperature",), "drifted") == "drifted"


@pytest.mark.parametrize(("on_drift", "code"), [("keep", 0), ("fail", 4)])
def test_where_marks_remember_what_was_applied_the_word_counts(
    project: Project, remote: Remote, on_drift: str, code: int
) -> None:
    """row 20: that base is certain"""
    project.target(remote.url, more="    marks: digests\n")
    project.write("assistants.d/bot.yaml", BOT.format(heat=0.1))
    project.ok("apply", "--yes")
    remote.ask("POST", f"/v1/assistants/{remote.named('Bot')['id']}", {"temperature": 0.9})
    remote.forget()
    assert project.run("apply", "--yes", "--on-drift", on_drift).code == code
    assert sent(remote) == []
    assert remote.named("Bot")["temperature"] == 0.9
