"""Renames that swap, rotate or chain: only marks move, and no content gets under another id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.conftest import Project, Remote
from tests.seams.conftest import assistants, mark_of, sent

KEYS = ("a", "b", "c")


def manifest(content: str, moved_from: str | None = None, more: str = "") -> str:
    """A manifest with some content, which may have had another key before."""
    block = f"reconciler: {{moved_from: {moved_from}}}\n" if moved_from else ""
    return f"{block}name: Bot {content}\nmodel: gpt-4o\ninstructions: This is {content}.\n{more}"


@pytest.fixture
def three(project: Project, remote: Remote) -> dict[str, str]:
    """Assistants a, b and c with names of the same letter, beside others; their ids."""
    project.target(remote.url)
    return made(project, remote)


def made(project: Project, remote: Remote) -> dict[str, str]:
    assistants(project, 6)
    for key in KEYS:
        project.write(f"assistants.d/{key}.yaml", manifest(key))
    project.ok("apply", "--yes")
    remote.forget()
    return {key: remote.named(f"Bot {key}")["id"] for key in KEYS}


def rename(project: Project, moves: Mapping[str, str], more: str = "") -> None:
    """One commit in which the content of each key comes from another."""
    for new, old in moves.items():
        project.write(f"assistants.d/{new}.yaml", manifest(old, old, more))


def live(remote: Remote) -> dict[str, tuple[str, str]]:
    """The name and the key of every object that is not one of the others, by id."""
    return {
        each["id"]: (each["name"], mark_of(each).get("key", "-"))
        for each in remote.objects()
        if not each["name"].startswith("n")
    }


def only_marks_are_sent(remote: Remote, count: int) -> None:
    assert [(method, list(body or {})) for method, _, body in sent(remote)] == [("POST", ["metadata"])] * count


def nothing_more(project: Project, remote: Remote) -> None:
    """Applied again, nothing is sent, although `moved_from` is still in the files."""
    assert project.run("plan", "--detailed-exitcode").code == 0
    remote.forget()
    project.ok("apply", "--yes")
    assert sent(remote) == []


SWAP = {"a": "b", "b": "a"}
ROTATION = {"a": "b", "b": "c", "c": "a"}
OTHER_ROTATION = {"a": "c", "c": "b", "b": "a"}


@pytest.mark.parametrize("moves", [SWAP, ROTATION, OTHER_ROTATION], ids=["swap", "rotation", "the other way round"])
def test_keys_that_are_exchanged_move_marks_and_nothing_else(
    project: Project, remote: Remote, three: dict[str, str], moves: dict[str, str]
) -> None:
    """row 10"""
    rename(project, moves)
    project.ok("apply", "--yes")
    only_marks_are_sent(remote, len(moves))
    new_key = {old: new for new, old in moves.items()}
    assert live(remote) == {three[key]: (f"Bot {key}", new_key.get(key, key)) for key in KEYS}
    nothing_more(project, remote)


def test_a_saved_plan_exchanges_keys_as_well(project: Project, remote: Remote, three: dict[str, str]) -> None:
    """row 10"""
    rename(project, SWAP)
    project.ok("plan", "--out", "plan.json")
    project.ok("apply", "plan.json", "--yes")
    only_marks_are_sent(remote, 2)
    assert live(remote)[three["a"]] == ("Bot a", "b")
    assert live(remote)[three["b"]] == ("Bot b", "a")
    nothing_more(project, remote)


def test_a_swap_with_an_edit_sends_the_edit_to_the_right_object(
    project: Project, remote: Remote, three: dict[str, str]
) -> None:
    """row 10"""
    rename(project, SWAP)
    project.write("assistants.d/a.yaml", manifest("b", "b", "temperature: 0.5\n"))
    project.ok("apply", "--yes")
    bodies = {path: set(body) for _, path, body in sent(remote)}
    assert bodies == {
        f"/assistants/{three['a']}": {"metadata"},
        f"/assistants/{three['b']}": {"metadata", "temperature"},
    }
    assert remote.named("Bot b")["temperature"] == 0.5
    nothing_more(project, remote)


def test_a_swap_of_which_one_half_fails_is_finished_by_the_next_apply(
    project: Project, start: Callable[..., Remote]
) -> None:
    """row 10: for a while two objects have one key, and neither is a duplicate of the other"""
    refused = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}
    remote = start(chaos={"rules": [{"on": "modify", "nth": 2, "status": 400, "body": refused}]})
    project.target(remote.url)
    three = made(project, remote)
    rename(project, SWAP)
    assert project.run("apply", "--yes").code == 5
    ran = project.run("apply", "--yes")
    assert ran.code in (0, 4)
    assert {id: name for id, (name, _) in live(remote).items()} == {three[key]: f"Bot {key}" for key in KEYS}
    assert not [method for method, _, body in sent(remote) if method == "DELETE" or set(body) != {"metadata"}]


def test_an_edit_after_the_swap_goes_to_the_object_that_has_the_key_now(
    project: Project, remote: Remote, three: dict[str, str]
) -> None:
    """row 10: `moved_from` is in the files still, and keys are not exchanged once more"""
    rename(project, SWAP)
    project.ok("apply", "--yes")
    project.write("assistants.d/a.yaml", manifest("b", "b", "temperature: 0.7\n"))
    project.ok("apply", "--yes")  # the mark knows of one field more
    project.write("assistants.d/a.yaml", manifest("b", "b", "temperature: 0.5\n"))
    remote.forget()
    project.ok("apply", "--yes")
    assert sent(remote) == [("POST", f"/assistants/{three['b']}", {"temperature": 0.5})]
    assert live(remote)[three["a"]] == ("Bot a", "b")
    assert live(remote)[three["b"]] == ("Bot b", "a")


def test_keys_that_are_exchanged_in_the_lock_file_send_nothing(project: Project, remote: Remote) -> None:
    """row 10"""
    project.target(remote.url, more="    marks: lock-file\n")
    three = made(project, remote)
    rename(project, SWAP)
    project.ok("apply", "--yes")
    assert sent(remote) == []
    assert {id: name for id, (name, _) in live(remote).items()} == {three[key]: f"Bot {key}" for key in KEYS}
    nothing_more(project, remote)


def test_a_chain_at_whose_end_one_leaves_harms_no_object_that_stays(
    project: Project, remote: Remote, three: dict[str, str]
) -> None:
    """row 10: c leaves, b becomes c, a becomes b"""
    project.remove("assistants.d/a.yaml")
    rename(project, {"c": "b", "b": "a"})
    ran = project.run("apply", "--yes")
    assert ran.code in (0, 4)
    found = live(remote)
    assert found[three["a"]][0] == "Bot a"
    assert found[three["b"]][0] == "Bot b"
    if ran.code == 4:
        assert sent(remote) == []
        assert found == {three[key]: (f"Bot {key}", key) for key in KEYS}
    else:
        assert (found[three["a"]][1], found[three["b"]][1]) == ("b", "c")
        assert {path for method, path, _ in sent(remote) if method == "DELETE"} <= {f"/assistants/{three['c']}"}
        assert {tuple(body) for _, _, body in sent(remote) if body} == {("metadata",)}


def test_a_plan_of_such_a_chain_deletes_nothing_that_moves(
    project: Project, remote: Remote, three: dict[str, str]
) -> None:
    """row 10: whether it is blocked or not"""
    project.remove("assistants.d/a.yaml")
    rename(project, {"c": "b", "b": "a"})
    changes = project.run("plan", "--format", "json").json["changes"]
    deleted: list[Any] = [each["id"] for each in changes if each["action"] == "delete" and "blocked" not in each]
    assert not {three["a"], three["b"]} & set(deleted)
    assert not [each for each in changes if each["action"] == "create"]


def test_a_chain_at_whose_end_is_a_new_key_moves_marks_alone(
    project: Project, remote: Remote, three: dict[str, str]
) -> None:
    """row 10: b becomes d, a becomes b"""
    project.remove("assistants.d/a.yaml")
    rename(project, {"d": "b", "b": "a"})
    ran = project.run("apply", "--yes")
    found = live(remote)
    assert {id: name for id, (name, _) in found.items()} == {three[key]: f"Bot {key}" for key in KEYS}
    assert ran.code in (0, 4)
    if ran.code == 0:
        only_marks_are_sent(remote, 2)
        assert (found[three["a"]][1], found[three["b"]][1]) == ("b", "d")
