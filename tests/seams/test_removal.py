"""What leaves the files: only as many as were confirmed, only what the word says, and nothing that is still needed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Project, Ran, Remote
from tests.seams.conftest import assistants, duplicate, mark_of, sent, setting, with_mark

REFUSED = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}
STORE = "reconciler: {kind: vector_store}\nname: Store\n"
USER = (
    "name: Bot\nmodel: gpt-4o\ntools: [{type: file_search}]\n"
    "tool_resources:\n  file_search:\n    vector_store_ids: [!ref vector_store/store]\n"
)
DELETE = "reconciler: {on_remove: delete}\n"
RELEASE = "reconciler: {on_remove: release}\n"


def stores(remote: Remote) -> list[str]:
    return [each["id"] for each in remote.ask("GET", "/v1/vector_stores")["data"]]


def ticking() -> Callable[[], float]:
    """A clock that is a second later whenever it is asked: no two objects are of the same age."""
    return itertools.count(1_700_000_000).__next__


def outcomes(ran: Ran) -> dict[str, str]:
    return {f"{each['action']} {each['address']}": each["outcome"] for each in ran.json["outcomes"]}


def actions(ran: Ran) -> dict[str, list[str]]:
    """What is planned, noops aside: the addresses by action."""
    found: dict[str, list[str]] = {}
    for change in ran.json["changes"]:
        if change["action"] != "noop":
            found.setdefault(change["action"], []).append(change["address"])
    return found


def leaving_with_a_duplicate(project: Project, remote: Remote) -> dict[str, Any]:
    """A store leaves the files together with its use by an assistant, of which another run made a duplicate."""
    project.target(remote.url)
    setting(project, "settle_seconds: 0", "settle_seconds: 300")
    assistants(project, 6)
    project.write("assistants.d/store.yaml", STORE)
    project.write("assistants.d/bot.yaml", USER)
    project.ok("apply", "--yes")
    bot = remote.named("Bot")
    second = duplicate(remote, bot, tool_resources={})
    project.remove("assistants.d/store.yaml")
    project.write("assistants.d/bot.yaml", "name: Bot\nmodel: gpt-4o\n")
    remote.forget()
    return second


def test_a_store_whose_last_use_could_not_be_ended_is_kept(project: Project, start: Callable[..., Remote]) -> None:
    """row 15"""
    remote = start(
        chaos={"rules": [{"on": "modify", "kind": "assistant", "status": 400, "body": REFUSED}]}, clock=ticking()
    )
    second = leaving_with_a_duplicate(project, remote)
    ran = project.run("apply", "--yes", "--allow-deletes", "2", "--parallelism", "1", "--format", "json")
    assert len(stores(remote)) == 1
    assert f"/assistants/{second['id']}" in {path for method, path, _ in sent(remote) if method == "DELETE"}
    assert outcomes(ran)["delete vector_store/store"] == "skipped"
    assert outcomes(ran)["update assistant/bot"] == "failed"
    assert ran.code == 5


def test_a_store_whose_last_use_ended_goes_with_the_duplicate(project: Project, start: Callable[..., Remote]) -> None:
    """row 15: nothing is in its way then"""
    remote = start(clock=ticking())
    leaving_with_a_duplicate(project, remote)
    project.ok("apply", "--yes", "--allow-deletes", "2")
    assert stores(remote) == []
    assert len([each for each in remote.objects() if each["name"] == "Bot"]) == 1


@pytest.fixture(params=["owned", "none"])
def releasing(request: pytest.FixtureRequest, project: Project, remote: Remote) -> Project:
    """Fifty assistants that are released when they leave, and their manifests leave."""
    project.target(remote.url, prune=request.param)
    assistants(project, 5)
    for number in range(50):
        project.write(f"assistants.d/r{number}.yaml", f"{RELEASE}name: r{number}\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    for number in range(50):
        project.remove(f"assistants.d/r{number}.yaml")
    remote.forget()
    return project


def marked(remote: Remote) -> int:
    return sum(1 for each in remote.objects() if mark_of(each))


@pytest.mark.parametrize("more", [(), ("--allow-deletes", "49"), ("--allow-deletes", "51")], ids=["none", "49", "51"])
def test_many_releases_are_held_back_until_their_number_is_named(
    releasing: Project, remote: Remote, more: tuple[str, ...]
) -> None:
    """row 23"""
    plan = releasing.run("plan", "--format", "json", *more)
    assert plan.code == 4
    assert {each["by"] for each in plan.json["blocked"]} == {"guard"}
    assert len(plan.json["blocked"]) == 50
    assert "--allow-deletes 50" in plan.json["blocked"][0]["hint"]
    assert releasing.run("apply", "--yes", *more).code == 4
    assert sent(remote) == []
    assert marked(remote) == 55


def test_with_their_number_they_are_released(releasing: Project, remote: Remote) -> None:
    """row 23"""
    releasing.ok("apply", "--yes", "--allow-deletes", "50")
    assert marked(remote) == 5
    assert len(remote.objects()) == 55
    assert releasing.ok("plan", "--detailed-exitcode").code == 0


def test_a_saved_plan_of_many_releases_needs_the_number_too(releasing: Project, remote: Remote) -> None:
    """row 23"""
    assert releasing.run("plan", "--out", "plan.json").code == 4
    assert releasing.run("apply", "plan.json", "--yes").code == 4
    assert sent(remote) == []
    releasing.ok("apply", "plan.json", "--yes", "--allow-deletes", "50")
    assert marked(remote) == 5


def test_releases_and_deletes_are_counted_together(project: Project, remote: Remote) -> None:
    """row 23: one of each is two"""
    project.target(remote.url)
    assistants(project, 12)
    project.write("assistants.d/kept.yaml", f"{RELEASE}name: kept\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    project.remove("assistants.d/kept.yaml")
    project.remove("assistants.d/n0.yaml")
    remote.forget()
    assert project.run("apply", "--yes").code == 4
    assert sent(remote) == []
    project.ok("apply", "--yes", "--allow-deletes", "2")
    assert {each["name"] for each in remote.objects()} == {"kept", *(f"n{number}" for number in range(1, 12))}
    assert marked(remote) == 11


def test_one_release_among_many_needs_no_number(project: Project, remote: Remote) -> None:
    """row 23: as one delete"""
    project.target(remote.url)
    assistants(project, 8)
    project.write("assistants.d/kept.yaml", f"{RELEASE}name: kept\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    project.remove("assistants.d/kept.yaml")
    project.ok("apply", "--yes")
    assert marked(remote) == 8


def test_a_release_that_somebody_asks_for_by_name_needs_no_number(project: Project, remote: Remote) -> None:
    """row 23: `release` names what it is about"""
    project.target(remote.url)
    assistants(project, 2)
    project.ok("apply", "--yes")
    project.ok("release", "assistant/n0")
    project.ok("release", "assistant/n1")
    assert marked(remote) == 0


@pytest.mark.parametrize("more", [(), ("assistant/n0",)], ids=["alone", "beside another"])
def test_a_plan_of_some_addresses_deletes_nothing(project: Project, remote: Remote, more: tuple[str, ...]) -> None:
    """row 32"""
    project.target(remote.url)
    setting(project, "settle_seconds: 0", "settle_seconds: 300")
    assistants(project, 6)
    project.write("assistants.d/bot.yaml", "name: Bot\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    duplicate(remote, remote.named("Bot"))
    remote.forget()
    assert "delete" not in actions(project.run("plan", "assistant/bot", *more, "--format", "json"))
    project.run("apply", "assistant/bot", *more, "--yes")
    assert "DELETE" not in {method for method, _, _ in sent(remote)}
    assert len([each for each in remote.objects() if each["name"] == "Bot"]) == 2


def test_a_plan_of_everything_deletes_the_duplicate(project: Project, remote: Remote) -> None:
    """row 32: made within the hold-off of each other"""
    project.target(remote.url)
    setting(project, "settle_seconds: 0", "settle_seconds: 300")
    assistants(project, 6)
    project.ok("apply", "--yes")
    duplicate(remote, remote.named("n0"))
    assert actions(project.run("plan", "--format", "json")) == {"delete": ["assistant/n0"]}


def with_a_late_duplicate(project: Project, remote: Remote, seconds: str = "0") -> tuple[str, str]:
    """A duplicate that was made a while after the object of its address."""
    project.target(remote.url)
    setting(project, "settle_seconds: 0", f"settle_seconds: {seconds}")
    assistants(project, 6)
    project.ok("apply", "--yes")
    first = remote.named("n0")
    second = duplicate(remote, first)
    remote.forget()
    return first["id"], second["id"]


def test_a_duplicate_that_was_made_later_is_perhaps_a_strangers_and_stays(
    project: Project, start: Callable[..., Remote]
) -> None:
    """a mark is a label: anybody with write access can copy it"""
    remote = start(clock=ticking())
    with_a_late_duplicate(project, remote)
    ran = project.run("plan", "--format", "json")
    assert (ran.code, [each["by"] for each in ran.json["blocked"]]) == (4, ["duplicate"])
    assert project.run("apply", "--yes", "--allow-deletes", "1").code == 4
    assert sent(remote) == []


def test_the_hold_off_of_the_settings_tells_what_was_made_at_once(
    project: Project, start: Callable[..., Remote]
) -> None:
    remote = start(clock=ticking())
    first, _ = with_a_late_duplicate(project, remote, "300")
    project.ok("apply", "--yes")
    assert [each["id"] for each in remote.objects() if each["name"] == "n0"] == [first]


@pytest.mark.parametrize("released", ["younger", "older"])
def test_the_line_of_the_block_keeps_either_of_both(
    project: Project, start: Callable[..., Remote], released: str
) -> None:
    remote = start(clock=ticking())
    ids = dict(zip(("older", "younger"), with_a_late_duplicate(project, remote), strict=True))
    (block,) = project.run("plan", "--format", "json").json["blocked"]
    line = f"reconciler release assistant/n0 --id {ids[released]}"
    assert line in block["hint"]
    project.ok(*line.split()[1:])
    assert project.ok("plan", "--detailed-exitcode").code == 0
    left = {each["id"]: bool(mark_of(each)) for each in remote.objects() if each["name"] == "n0"}
    assert left == {id: name != released for name, id in ids.items()}


def test_an_id_that_is_none_of_the_address_is_not_released(project: Project, start: Callable[..., Remote]) -> None:
    remote = start(clock=ticking())
    with_a_late_duplicate(project, remote)
    ran = project.run("release", "assistant/n0", "--id", remote.named("n1")["id"])
    assert ran.code == 1
    assert "no managed object has the address assistant/n0 and the id" in ran.err + ran.out
    assert project.run("release", "assistant/n0", "--id", "x", "--lost-create").code == 1
    assert sent(remote) == []


def test_duplicates_count_for_the_guard_of_a_saved_plan(project: Project, start: Callable[..., Remote]) -> None:
    remote = start(clock=ticking())
    with_a_late_duplicate(project, remote, "300")
    metadata = with_mark(remote.named("n1"), nonce="other1234567")
    second = remote.ask("POST", "/v1/assistants", {"name": "n1", "model": "gpt-4o", "metadata": metadata})
    assert project.run("plan", "--out", "plan.json").code == 4
    remote.forget()
    assert project.run("apply", "plan.json", "--yes").code == 4
    assert sent(remote) == []
    project.ok("apply", "plan.json", "--yes", "--allow-deletes", "2")
    assert len(remote.objects()) == 6
    assert second["id"] not in {each["id"] for each in remote.objects()}


@pytest.fixture
def marked_to_go(project: Project, remote: Remote) -> Project:
    """Ten assistants that are to be deleted when they leave, where nothing is pruned."""
    project.target(remote.url, prune="none")
    for number in range(10):
        project.write(f"assistants.d/d{number}.yaml", f"{DELETE}name: d{number}\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    remote.forget()
    return project


def test_where_nothing_is_pruned_the_word_of_the_mark_is_reported(marked_to_go: Project, remote: Remote) -> None:
    """row 33: deletes happen only where `prune: owned` says so, and nobody has to guess why"""
    marked_to_go.remove("assistants.d/d0.yaml")
    ran = marked_to_go.run("plan", "--format", "json")
    assert actions(ran) == {}
    [said] = [each for each in ran.json["diagnostics"] if each["severity"] == "warning"]
    assert (said["code"], said["address"]) == ("RC0402", "assistant/d0")
    assert "on_remove: delete" in said["summary"]
    assert "prune: owned" in said["hint"]
    marked_to_go.ok("apply", "--yes")
    assert sent(remote) == []


def test_a_part_deletes_nothing_on_the_word_of_a_mark(marked_to_go: Project, remote: Remote) -> None:
    """rows 32 and 33, in one"""
    marked_to_go.remove("assistants.d/d0.yaml")
    marked_to_go.write("assistants.d/d1.yaml", f"{DELETE}name: d1\nmodel: gpt-4-turbo\n")
    marked_to_go.ok("apply", "assistant/d1", "--yes")
    assert [method for method, _, _ in sent(remote)] == ["POST"]
    assert len(remote.objects()) == 10


def test_a_manifest_that_has_another_word_by_now_counts(marked_to_go: Project, remote: Remote) -> None:
    """row 33: the word is remembered as it was applied last"""
    marked_to_go.write("assistants.d/d0.yaml", "name: d0\nmodel: gpt-4o\n")
    marked_to_go.ok("apply", "--yes")
    marked_to_go.remove("assistants.d/d0.yaml")
    remote.forget()
    marked_to_go.ok("apply", "--yes")
    assert sent(remote) == []
    assert remote.named("d0")


def test_without_a_word_nothing_is_deleted_where_nothing_is_pruned(project: Project, remote: Remote) -> None:
    """row 33"""
    project.target(remote.url, prune="none")
    assistants(project, 6)
    project.ok("apply", "--yes")
    project.remove("assistants.d/n0.yaml")
    remote.forget()
    ran = project.ok("apply", "--yes")
    assert sent(remote) == []
    assert "RC0402" in ran.err


def test_what_is_protected_stays_whatever_its_word(project: Project, remote: Remote) -> None:
    """row 33"""
    project.target(remote.url, prune="none")
    assistants(project, 6)
    project.write("assistants.d/d.yaml", "reconciler: {on_remove: delete, protect: true}\nname: d\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    project.remove("assistants.d/d.yaml")
    remote.forget()
    project.run("apply", "--yes")
    assert sent(remote) == []
    assert remote.named("d")
