"""A fleet's worker decides as `plan` does: it sees as much of the world, or refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from reconciler.server.http import serve
from tests.conftest import Project, Remote
from tests.seams.conftest import (
    OneFleet,
    assistants,
    colleague,
    duplicate,
    mark_of,
    read_again_always,
    sent,
    setting,
)

BOT = "name: Bot\nmodel: gpt-4o\ninstructions: You answer questions about holidays.\ntemperature: {heat}\n"


def planned(project: Project) -> dict[str, str]:
    """What `plan` blocks, by address."""
    ran = project.run("plan", "--format", "json")
    assert ran.code == 4
    return {each["address"]: each["by"] for each in ran.json["blocked"]}


@pytest.fixture
def one(project: Project, remote: Remote) -> Project:
    """An assistant that was applied."""
    project.target(remote.url)
    project.write("assistants.d/bot.yaml", BOT.format(heat=0.5))
    project.ok("apply", "--yes")
    remote.forget()
    return project


def test_a_file_that_is_renamed_gets_no_second_object(one: Project, remote: Remote, fleet: OneFleet) -> None:
    """row 3"""
    one.remove("assistants.d/bot.yaml")
    one.write("assistants.d/renamed.yaml", BOT.format(heat=0.5))
    assert planned(one)["assistant/renamed"] == "probable-rename"
    remote.forget()
    problems = fleet.work()
    assert [mark_of(each)["key"] for each in remote.objects()] == ["bot"]
    assert sent(remote) == []
    assert "moved_from: bot" in problems["assistant/renamed"]


def test_a_survey_of_a_list_that_was_cut_short_makes_nothing(project: Project, remote: Remote, fleet: OneFleet) -> None:
    """row 14: what a survey does not see is forgotten, and made again by any worker"""
    project.target(remote.url)
    assistants(project, 120)
    project.ok("apply", "--yes")
    remote.forget()
    with calling_every_page_the_last(remote) as url:
        project.target(url)
        problems = fleet.work()
    assert remote.writes == []
    assert len(remote.objects()) == 120
    assert all("but continues" in said for said in problems.values())
    assert "not surveyed yet" in fleet.status()


@contextmanager
def calling_every_page_the_last(remote: Remote) -> Iterator[str]:
    """The remote behind a gateway that says of every page that there are no more."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or environ["PATH_INFO"] != "/v1/assistants":
            return remote.app(environ, start_response)
        answer = json.loads(b"".join(remote.app(environ, lambda status, headers, info=None: None)))
        content = json.dumps(answer | {"has_more": False}).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
        return [content]

    with serve(app) as server:
        yield server.url


def test_a_file_that_is_renamed_and_edited_among_many_gets_no_second_object(
    one: Project, remote: Remote, fleet: OneFleet
) -> None:
    """row 3: mostly equal, and in another chunk than its old address would be"""
    assistants(one, 120)
    one.ok("apply", "--yes")
    one.remove("assistants.d/bot.yaml")
    one.write("assistants.d/zed.yaml", BOT.format(heat=0.6))
    assert planned(one)["assistant/zed"] == "probable-rename"
    remote.forget()
    problems = fleet.work()
    assert len(remote.objects()) == 121
    assert sent(remote) == []
    assert problems.keys() == {"assistant/zed"}


PROSE = " ".join(f"Sentence {number} about holidays and how to ask for them." for number in range(20))


@pytest.mark.parametrize(("model", "blocked"), [("gpt-4o", True), ("gpt-4o-mini", False)])
def test_a_file_that_is_renamed_inside_and_out_and_edited_gets_no_second_object(
    project: Project, remote: Remote, fleet: OneFleet, model: str, blocked: bool
) -> None:
    """row 3: nearly the same content; with another model it is another assistant"""
    project.target(remote.url)
    assistants(project, 3)
    project.write("assistants.d/bot.yaml", f"name: Bot\nmodel: gpt-4o\ninstructions: {PROSE}\n")
    project.ok("apply", "--yes")
    project.remove("assistants.d/bot.yaml")
    project.write("assistants.d/zed.yaml", f"name: Zed\nmodel: {model}\ninstructions: {PROSE} Be brief.\n")
    ran = project.run("plan", "--format", "json")
    renamed = {each["address"] for each in ran.json["blocked"] if each["by"] == "probable-rename"}
    assert ("assistant/zed" in renamed) is blocked
    problems = fleet.work()
    assert problems.keys() == ({"assistant/zed"} if blocked else set())
    assert ("moved_from: bot" in problems.get("assistant/zed", "")) is blocked
    assert len(remote.objects()) == (4 if blocked else 5)


def test_a_file_that_is_renamed_with_moved_from_keeps_its_object(one: Project, remote: Remote, fleet: OneFleet) -> None:
    """row 3: the line that the block asks for"""
    id = remote.named("Bot")["id"]
    one.remove("assistants.d/bot.yaml")
    one.write("assistants.d/renamed.yaml", "reconciler: {moved_from: bot}\n" + BOT.format(heat=0.5))
    assert fleet.work() == {}
    (bot,) = remote.objects()
    assert (bot["id"], mark_of(bot)["key"]) == (id, "renamed")


def test_what_was_changed_on_both_sides_is_a_conflict(project: Project, remote: Remote, fleet: OneFleet) -> None:
    """row 4"""
    project.target(remote.url, more="    marks: digests\n")
    project.write("assistants.d/bot.yaml", BOT.format(heat=0.5))
    project.ok("apply", "--yes")
    remote.ask("POST", f"/v1/assistants/{remote.named('Bot')['id']}", {"temperature": 0.9})
    project.write("assistants.d/bot.yaml", BOT.format(heat=0.1))
    assert planned(project) == {"assistant/bot": "conflict"}
    remote.forget()
    problems = fleet.work()
    assert remote.named("Bot")["temperature"] == 0.9
    assert sent(remote) == []
    assert "temperature" in problems["assistant/bot"]


@pytest.mark.parametrize("marks", ["names", "digests"])
def test_what_was_changed_in_the_files_alone_is_sent(
    project: Project, remote: Remote, fleet: OneFleet, marks: str
) -> None:
    """row 4: no conflict"""
    project.target(remote.url, more=f"    marks: {marks}\n")
    project.write("assistants.d/bot.yaml", BOT.format(heat=0.5))
    project.ok("apply", "--yes")
    project.write("assistants.d/bot.yaml", BOT.format(heat=0.1))
    assert fleet.work() == {}
    assert remote.named("Bot")["temperature"] == 0.1


def test_an_object_whose_manifest_is_in_another_chunk_is_not_moved_away(
    one: Project, remote: Remote, fleet: OneFleet
) -> None:
    """row 5: a chunk has a hundred addresses"""
    id = remote.named("Bot")["id"]
    assistants(one, 120)
    thief = BOT.format(heat=0.5).replace("name: Bot", "name: Zed")
    one.write("assistants.d/zed.yaml", f"reconciler: {{moved_from: bot}}\n{thief}")
    assert planned(one)["assistant/zed"] == "already-bound"
    problems = fleet.work()
    bot = remote.named("Bot")
    assert (bot["id"], mark_of(bot)["key"]) == (id, "bot")
    assert "Zed" not in {each["name"] for each in remote.objects()}
    assert "bot" in problems["assistant/zed"]
    assert problems.keys() == {"assistant/zed"}


def test_an_object_that_a_manifest_binds_by_id_belongs_to_one_manifest_in_all_chunks(
    one: Project, remote: Remote, fleet: OneFleet
) -> None:
    """row 5: bound by `id`, and the manifest of its mark is in another chunk"""
    id = remote.named("Bot")["id"]
    assistants(one, 120)
    other = BOT.format(heat=0.5).replace("name: Bot", "name: Zed")
    one.write("assistants.d/zed.yaml", f"reconciler: {{id: {id}}}\n{other}")
    assert planned(one).keys() == {"assistant/bot"}
    problems = fleet.work()
    assert problems.keys() == {"assistant/bot"}
    assert len(remote.objects()) == 121


def stores(remote: Remote) -> list[str]:
    return [each["id"] for each in remote.ask("GET", "/v1/vector_stores")["data"]]


def test_a_duplicate_that_is_in_use_is_not_deleted(project: Project, remote: Remote, fleet: OneFleet) -> None:
    """row 5"""
    project.target(remote.url)
    setting(project, "settle_seconds: 0", "settle_seconds: 30")
    project.write("assistants.d/store.yaml", "reconciler: {kind: vector_store}\nname: Store\n")
    project.ok("apply", "--yes")
    (first,) = remote.ask("GET", "/v1/vector_stores")["data"]
    second = duplicate(remote, first, "vector_stores")
    uses: dict[str, Any] = {"tools": [{"type": "file_search"}]}
    for store in (first, second):
        uses["tool_resources"] = {"file_search": {"vector_store_ids": [store["id"]]}}
        remote.ask("POST", "/v1/assistants", {"name": "Theirs", "model": "gpt-4o", **uses})
    project.write("assistants.d/store.yaml", "reconciler: {kind: vector_store}\nname: Store of ours\n")
    remote.forget()
    fleet.work()
    assert set(stores(remote)) == {first["id"], second["id"]}
    assert "DELETE" not in {method for method, _, _ in sent(remote)}


def test_a_duplicate_is_left_to_an_apply_that_counts_all_deletes(one: Project, remote: Remote, fleet: OneFleet) -> None:
    setting(one, "settle_seconds: 0", "settle_seconds: 30")
    assistants(one, 6)
    one.ok("apply", "--yes")
    duplicate(remote, remote.named("Bot"))
    one.write("assistants.d/bot.yaml", BOT.format(heat=0.1))
    problems = fleet.work()
    assert len(remote.objects()) == 8
    assert "`reconciler apply` deletes it" in problems["assistant/bot"]
    one.ok("apply", "--yes")
    assert len(remote.objects()) == 7


EXPIRING = (
    "reconciler: {kind: vector_store, on_expired: renew}\nname: Store\n"
    "expires_after: {anchor: last_active_at, days: 1}\n"
)


def test_an_expired_store_is_renewed_or_refused(
    project: Project, start: Callable[..., Remote], fleet: OneFleet
) -> None:
    """row 5"""
    now = [1_700_000_000.0]
    remote = start(clock=lambda: now[0])
    project.target(remote.url)
    project.write("assistants.d/store.yaml", EXPIRING)
    project.ok("apply", "--yes")
    (before,) = stores(remote)
    now[0] += 3 * 86400
    problems = fleet.work()
    renewed = before not in stores(remote) and len(stores(remote)) == 1
    assert renewed or "expired" in problems["vector_store/store"]


def test_an_object_of_another_owner_is_not_doubled(one: Project, remote: Remote, fleet: OneFleet) -> None:
    """rows 3 and 7, in one: who owns it is said with the line to run"""
    setting(one, "owner: acme", "owner: newco")
    problems = fleet.work()
    assert len(remote.objects()) == 1
    assert "takeover --from acme" in problems["assistant/bot"]


def test_an_unnamed_object_that_lost_its_mark_is_not_doubled(project: Project, remote: Remote, fleet: OneFleet) -> None:
    """rows 3 and 7, in one"""
    project.target(remote.url)
    project.write("assistants.d/bot.yaml", "model: gpt-4o\ninstructions: You answer questions about holidays.\n")
    project.ok("apply", "--yes")
    (bot,) = remote.objects()
    remote.ask("POST", f"/v1/assistants/{bot['id']}", {"metadata": {}})
    problems = fleet.work()
    assert [each["id"] for each in remote.objects()] == [bot["id"]]
    assert f"adopt assistant/bot {bot['id']}" in problems["assistant/bot"]


def test_keys_that_are_exchanged_move_marks_or_are_refused(one: Project, remote: Remote, fleet: OneFleet) -> None:
    """rows 5 and 10, in one"""
    other = BOT.format(heat=0.5).replace("name: Bot", "name: Other")
    one.write("assistants.d/other.yaml", other)
    one.ok("apply", "--yes")
    ids = {each["id"]: each["name"] for each in remote.objects()}
    one.write("assistants.d/bot.yaml", "reconciler: {moved_from: other}\n" + other)
    one.write("assistants.d/other.yaml", "reconciler: {moved_from: bot}\n" + BOT.format(heat=0.5))
    remote.forget()
    fleet.work()
    assert {each["id"]: each["name"] for each in remote.objects()} == ids
    assert not [body for _, _, body in sent(remote) if body is None or set(body) != {"metadata"}]


def test_how_long_a_read_is_fresh_is_the_same_for_a_fleet(one: Project, remote: Remote, fleet: OneFleet) -> None:
    """rows 2 and 3, in one"""
    read_again_always(one)
    one.write("assistants.d/bot.yaml", BOT.format(heat=0.1))
    assert fleet.work() == {}
    path = f"/v1/assistants/{remote.named('Bot')['id']}"
    assert [each.method for each in remote.app.requests if each.path == path] == ["GET", "GET", "POST"]


def test_a_fleet_and_a_colleague_who_applies_agree(one: Project, remote: Remote, fleet: OneFleet) -> None:
    """row 3: after the fleet has worked, a plan of the same files is empty"""
    assistants(one, 3)
    one.write("assistants.d/bot.yaml", BOT.format(heat=0.1))
    assert fleet.work() == {}
    assert colleague(one).ok("plan", "--detailed-exitcode").code == 0


def test_a_worker_believes_no_mark_that_is_not_signed_and_signs_its_own(
    one: Project, remote: Remote, fleet: OneFleet
) -> None:
    one.environment["RECONCILER_MARK_KEY"] = fleet.environment["RECONCILER_MARK_KEY"] = "k" * 32
    one.write("assistants.d/bot.yaml", BOT.format(heat=0.7))
    assert planned(one)["assistant/bot"] == "unproven"
    remote.forget()
    problems = fleet.work()
    assert sent(remote) == []
    assert "the mark is not signed" in problems["assistant/bot"]
    one.ok("takeover", "--from", "acme", "--yes")
    one.write("assistants.d/other.yaml", "name: Other\nmodel: gpt-4o\n")
    assert fleet.work() == {}
    assert {each["metadata"]["reconciler"][:7] for each in remote.objects()} == {"2 acme "}
    assert remote.named("Bot")["temperature"] == 0.7
    assert one.ok("plan", "--detailed-exitcode").code == 0


def test_a_worker_keeps_a_duplicate_whatever_prune_says(one: Project, remote: Remote, fleet: OneFleet) -> None:
    for prune in ("owned", "none"):
        one.target(remote.url, prune=prune)
        if prune == "owned":
            bot = remote.named("Bot")
            duplicate(remote, bot, temperature=bot["temperature"])
        remote.forget()
        problems = fleet.work()
        assert sent(remote) == []
        assert "assistant/bot" in problems
