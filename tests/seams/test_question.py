"""While the question of `apply` waits for an answer, others work: what was read before is read again."""

from __future__ import annotations

import json
from urllib.request import Request, urlopen

import pytest

from tests.conftest import Project, Remote
from tests.seams.conftest import assistants, at_terminal, by_hand, colleague, mark_of, sent, with_mark

BOT = "name: Bot\nmodel: gpt-4o\ninstructions: {text}\n"


@pytest.fixture
def edited(project: Project, remote: Remote) -> Project:
    """Nine assistants, of which the files change the text of one and take out another."""
    project.target(remote.url)
    assistants(project, 7)
    project.write("assistants.d/bot.yaml", BOT.format(text="first"))
    project.write("assistants.d/gone.yaml", "name: Gone\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    remote.forget()
    return project


def change_bot(project: Project) -> None:
    project.write("assistants.d/bot.yaml", BOT.format(text="second"))


def protected_by(other: Project, remote: Remote) -> None:
    """Somebody else protects the object that leaves our files."""
    other.write("assistants.d/gone.yaml", "reconciler: {protect: true}\nname: Gone\nmodel: gpt-4o\n")
    other.ok("apply", "--yes")
    assert "p" in mark_of(remote.named("Gone"))["flags"]
    remote.forget()


def test_an_edit_made_while_the_question_waits_is_not_overwritten(edited: Project, remote: Remote) -> None:
    """row 1"""
    change_bot(edited)
    ran = at_terminal(edited, "apply", meanwhile=lambda: by_hand(remote, "Bot", instructions="by hand"))
    assert sent(remote) == []
    assert remote.named("Bot")["instructions"] == "by hand"
    assert ran.code == 3
    assert "has changed in instructions since" in " ".join((ran.out + ran.err).split())
    assert "assistant/bot" in ran.out + ran.err


def test_an_object_protected_while_the_question_waits_is_not_deleted(edited: Project, remote: Remote) -> None:
    """row 1"""
    other = colleague(edited)
    edited.remove("assistants.d/gone.yaml")
    ran = at_terminal(edited, "apply", meanwhile=lambda: protected_by(other, remote))
    assert sent(remote) == []
    assert remote.named("Gone")
    assert ran.code in (3, 4)
    assert "protect" in ran.out + ran.err


def test_an_edit_and_a_protection_while_the_question_waits_are_both_refused(edited: Project, remote: Remote) -> None:
    """row 1"""
    other = colleague(edited)
    edited.remove("assistants.d/gone.yaml")
    change_bot(edited)

    def meanwhile() -> None:
        protected_by(other, remote)
        by_hand(remote, "Bot", instructions="by hand")

    ran = at_terminal(edited, "apply", meanwhile=meanwhile)
    assert sent(remote) == []
    assert remote.named("Gone")
    assert remote.named("Bot")["instructions"] == "by hand"
    assert ran.code in (3, 4)


def test_what_nobody_touched_while_the_question_waited_is_done(edited: Project, remote: Remote) -> None:
    """row 1: one is refused, the other one is sent, and that is half of it"""
    change_bot(edited)
    edited.write("assistants.d/n0.yaml", "name: n0\nmodel: gpt-4-turbo\n")
    ran = at_terminal(edited, "apply", meanwhile=lambda: by_hand(remote, "Bot", instructions="by hand"))
    assert [body for _, _, body in sent(remote)] == [{"model": "gpt-4-turbo"}]
    assert remote.named("Bot")["instructions"] == "by hand"
    assert ran.code == 5


def test_an_edit_of_another_field_while_the_question_waits_stops_nothing(edited: Project, remote: Remote) -> None:
    """row 1: only the units that are written matter"""
    change_bot(edited)
    ran = at_terminal(edited, "apply", meanwhile=lambda: by_hand(remote, "Bot", description="by hand"))
    assert [body for _, _, body in sent(remote)] == [{"instructions": "second"}]
    assert remote.named("Bot")["description"] == "by hand"
    assert ran.code == 0


def test_an_object_deleted_while_the_question_waits_is_not_written_to(edited: Project, remote: Remote) -> None:
    """row 1: and nothing is created in its place"""
    change_bot(edited)
    id = remote.named("Bot")["id"]
    ran = at_terminal(edited, "apply", meanwhile=lambda: remote.ask("DELETE", f"/v1/assistants/{id}"))
    assert sent(remote) == []
    assert "Bot" not in {each["name"] for each in remote.objects()}
    assert ran.code not in (0, 70)


def test_a_saved_plan_that_waited_for_its_answer_is_judged_again(edited: Project, remote: Remote) -> None:
    """row 1"""
    change_bot(edited)
    edited.ok("plan", "--out", "plan.json")
    remote.forget()
    plan = ("apply", "plan.json")
    ran = at_terminal(edited, *plan, meanwhile=lambda: by_hand(remote, "Bot", instructions="by hand"))
    assert sent(remote) == []
    assert remote.named("Bot")["instructions"] == "by hand"
    assert ran.code == 3


def upload(remote: Remote) -> str:
    """A file that somebody else uploads; its id."""
    form = (
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="theirs.txt"\r\n\r\ntheirs\r\n--b--\r\n'
    )
    headers = {"OpenAI-Beta": "assistants=v2", "Content-Type": "multipart/form-data; boundary=b"}
    with urlopen(Request(f"{remote.url}/v1/files", form, headers, method="POST")) as answer:
        id: str = json.loads(answer.read())["id"]
    remote.app.requests.pop()
    return id


def test_a_store_that_was_filled_while_the_question_waits_is_not_deleted(edited: Project, remote: Remote) -> None:
    """row 1: what is in it belongs to it"""
    edited.write("assistants.d/store.yaml", "reconciler: {kind: vector_store}\nname: Store\n")
    edited.ok("apply", "--yes")
    edited.remove("assistants.d/store.yaml")
    (store,) = remote.ask("GET", "/v1/vector_stores")["data"]
    remote.forget()

    def fill() -> None:
        file = upload(remote)
        remote.ask("POST", f"/v1/vector_stores/{store['id']}/files", {"file_id": file})

    ran = at_terminal(edited, "apply", meanwhile=fill)
    assert [each["id"] for each in remote.ask("GET", "/v1/vector_stores")["data"]] == [store["id"]]
    assert "DELETE" not in {method for method, _, _ in sent(remote)}
    assert ran.code in (3, 4)


def test_an_object_taken_over_while_the_question_waits_is_not_released(edited: Project, remote: Remote) -> None:
    """row 1: its mark is another owner's now"""
    edited.write("assistants.d/gone.yaml", "reconciler: {on_remove: release}\nname: Gone\nmodel: gpt-4o\n")
    edited.ok("apply", "--yes")
    edited.remove("assistants.d/gone.yaml")
    theirs = with_mark(remote.named("Gone"), owner="others")
    remote.forget()
    ran = at_terminal(edited, "apply", meanwhile=lambda: by_hand(remote, "Gone", metadata=theirs))
    assert sent(remote) == []
    assert mark_of(remote.named("Gone"))["owner"] == "others"
    assert ran.code in (3, 4)


def test_an_answer_of_no_sends_nothing(edited: Project, remote: Remote) -> None:
    """row 1"""
    change_bot(edited)
    ran = at_terminal(edited, "apply", meanwhile=lambda: None, answer="n")
    assert (ran.code, sent(remote)) == (1, [])
