"""Every effect of chaos, who it hits, and what it says to rules without meaning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.server import Chaos, ChaosError, ConnectionDropped, create_app
from reconciler.server.http import serve
from tests.unit.server.conftest import BETA, Start, error_of


def _statuses(start: Start, count: int, **rule: Any) -> str:
    wire = start({"status": 500, **rule})
    return "".join("x" if wire.client.get("/assistants").status_code == 500 else "." for _ in range(count))


def test_which_requests_a_rule_hits(start: Start) -> None:
    assert _statuses(start, 6) == "xxxxxx"
    assert _statuses(start, 6, on="create") == "......"
    assert _statuses(start, 6, on="list", nth=3) == "..x..."
    assert _statuses(start, 6, on=["retrieve", "list"], every=2) == ".x.x.x"
    assert _statuses(start, 6, every=2, times=2) == ".x.x.."
    assert _statuses(start, 6, times=1) == "x....."
    assert _statuses(start, 6, probability=0) == "......"
    some = _statuses(start, 60, probability=0.5)
    assert "x" in some
    assert "." in some
    assert _statuses(start, 60, probability=0.5) == some


def test_a_rule_may_be_about_some_kinds_only(start: Start) -> None:
    wire = start({"on": "create", "kind": ["vector_store", "file_batch"], "nth": 2, "status": 500})
    store, file = wire.store(), wire.upload()
    wire.create()
    wire.post(f"/vector_stores/{store}/files", file_id=file)
    assert wire.client.post(f"/vector_stores/{store}/file_batches", json={"file_ids": [file]}).status_code == 500
    wire.post(f"/vector_stores/{store}/file_batches", file_ids=[file])


def test_operations_beyond_the_five_verbs(start: Start) -> None:
    wire = start({"on": "search", "status": 500}, {"on": "content", "status": 501}, {"on": "cancel", "status": 502})
    store, file = wire.store(), wire.upload(purpose="user_data")
    batch = wire.post(f"/vector_stores/{store}/file_batches", file_ids=[file])["id"]
    path = f"/vector_stores/{store}"
    assert wire.client.post(f"{path}/search", json={"query": "x"}).status_code == 500
    assert wire.client.get(f"/files/{file}/content").status_code == 501
    assert wire.client.get(f"{path}/files/{file}/content").status_code == 501
    assert wire.client.post(f"{path}/file_batches/{batch}/cancel").status_code == 502


@pytest.mark.parametrize(("when", "made"), [("before_commit", 0), ("after_commit", 1)])
def test_the_answer_to_an_upload_may_be_lost(when: str, made: int, start: Start) -> None:
    wire = start({"on": "create", "kind": "file", "drop": when})
    with pytest.raises(ConnectionDropped):
        wire.upload()
    assert len(wire.walk(path="/files")) == made


def test_latency_is_slept(start: Start) -> None:
    wire = start({"on": "list", "latency_ms": 250})
    assert wire.client.get("/assistants").is_success
    wire.create()
    assert wire.slept == [0.25]


def test_statuses_have_the_vendors_bodies(start: Start) -> None:
    limited = start({"status": 429, "headers": {"Retry-After": "1"}}).client.get("/assistants")
    assert limited.headers["retry-after"] == "1"
    assert error_of(limited) == (
        429, "You've exceeded the rate limit, please slow down and try again later.", "invalid_request_error", None,
        "rate_limit_exceeded",
    )  # fmt: skip
    assert error_of(start({"status": 503}).client.get("/assistants"))[2] == "server_error"
    assert error_of(start({"status": 409}).client.get("/assistants"))[0] == 409


def test_statuses_have_any_body(start: Start) -> None:
    mapping = {"detail": [{"msg": "no"}]}
    assert start({"status": 422, "body": mapping}).client.get("/assistants").json() == mapping
    plain = start({"status": 446, "body": "denied"}).client.get("/assistants")
    assert (plain.text, plain.headers["content-type"]) == ("denied", "text/plain; charset=utf-8")
    assert start({"status": 500, "body": ""}).client.get("/assistants").content == b""
    assert start({"status": 204}).client.get("/assistants").content == b""


@pytest.mark.parametrize("effect", [{"status": 500}, {"garbage": "<html>", "commit": False}])
def test_a_forced_answer_leaves_the_work_undone(effect: dict[str, Any], start: Start) -> None:
    wire = start({"on": "create", **effect})
    wire.client.post("/assistants", json={"model": "m"})
    assert wire.walk() == []


@pytest.mark.parametrize("effect", [{"status": 504, "commit": True}, {"garbage": "<html>"}])
def test_a_forced_answer_may_come_after_the_work(effect: dict[str, Any], start: Start) -> None:
    wire = start({"on": "create", **effect})
    answer = wire.client.post("/assistants", json={"model": "m"})
    assert (answer.status_code, answer.text == "<html>") in ((504, False), (200, True))
    assert len(wire.walk()) == 1


@pytest.mark.parametrize(("when", "made"), [("before_commit", 0), ("after_commit", 1)])
def test_a_drop_in_process(when: str, made: int, start: Start) -> None:
    wire = start({"on": "create", "drop": when})
    with pytest.raises(ConnectionDropped):
        wire.client.post("/assistants", json={"model": "m"})
    (request,) = wire.app.requests
    assert (request.dropped, request.status) == (True, 0)
    assert len(wire.walk()) == made


@pytest.mark.parametrize(("when", "made"), [("before_commit", 0), ("after_commit", 1)])
def test_a_drop_over_http(when: str, made: int) -> None:
    app = create_app(chaos=Chaos.from_rules({"rules": [{"on": "create", "drop": when}]}))
    with serve(app) as server, httpx.Client(base_url=f"{server.url}/v1", headers=BETA) as client:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            client.post("/assistants", json={"model": "m"})
        assert len(client.get("/assistants").json()["data"]) == made


def test_a_truncated_answer_in_process(start: Start) -> None:
    wire = start({"on": "create", "truncate": 10})
    with pytest.raises(ConnectionDropped):
        wire.client.post("/assistants", json={"model": "m"})
    (request,) = wire.app.requests
    assert (request.dropped, request.status) == (True, 200)
    assert len(wire.walk()) == 1


@pytest.mark.parametrize("size", [0, 10])
def test_a_truncated_answer_over_http(size: int) -> None:
    app = create_app(chaos=Chaos.from_rules({"rules": [{"on": "create", "truncate": size}]}))
    with serve(app) as server, httpx.Client(base_url=f"{server.url}/v1", headers=BETA) as client:
        with client.stream("POST", "/assistants", json={"model": "m"}) as answer:
            assert int(answer.headers["content-length"]) > 100
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                answer.read()
        assert len(client.get("/assistants").json()["data"]) == 1


def test_garbage_is_html_with_200(start: Start) -> None:
    answer = start({"garbage": "<h1>hä</h1>"}).client.get("/assistants")
    assert (answer.status_code, answer.text) == (200, "<h1>hä</h1>")
    assert answer.headers["content-type"].startswith("text/html")


def test_sunset(start: Start) -> None:
    wire = start({"sunset": True})
    assert error_of(wire.client.post("/assistants", json={})) == (
        404, "Invalid URL (POST /v1/assistants)", "invalid_request_error", None, None,
    )  # fmt: skip
    assert error_of(wire.client.get("/assistants/asst_1"))[1] == "Invalid URL (GET /v1/assistants/asst_1)"


def test_a_stale_list_shows_what_was(start: Start) -> None:
    wire = start({"on": "list", "stale_list": 5})
    kept, gone = wire.create(name="kept")["id"], wire.create(name="gone")["id"]
    assert wire.names() == []
    wire.clock.now += 6
    wire.modify(kept, name="renamed")
    wire.client.delete(f"/assistants/{gone}")
    wire.create(name="new")
    assert wire.names("order=asc") == ["kept", "gone"]
    assert wire.retrieve(kept)["name"] == "renamed"
    wire.clock.now += 6
    assert wire.names("order=asc") == ["renamed", "new"]


def test_a_stale_list_has_pages_too(start: Start) -> None:
    wire = start({"on": "list", "stale_list": 5})
    names = [str(number) for number in range(12)]
    for name in names:
        wire.create(name=name)
    wire.clock.now += 6
    wire.create(name="late")
    assert [each["name"] for each in wire.walk("limit=5&order=asc")] == names
    assert [each["name"] for each in wire.walk("limit=5")] == names[::-1]


def test_slow_visibility_hides_only_what_is_new(start: Start) -> None:
    wire = start({"on": "list", "slow_visibility": 5})
    old = wire.create(name="old")["id"]
    wire.clock.now += 6
    new = wire.create(name="new")["id"]
    wire.modify(old, name="renamed")
    wire.modify(new, name="newer")
    assert wire.names() == ["renamed"]
    wire.client.delete(f"/assistants/{old}")
    assert wire.names() == []
    wire.clock.now += 6
    assert wire.names() == ["newer"]


def test_an_empty_page_that_promises_more(start: Start) -> None:
    wire = start({"on": "list", "nth": 1, "empty_page": True})
    wire.create()
    page = wire.client.get("/assistants").json()
    assert (page["data"], page["last_id"], page["has_more"]) == ([], None, True)
    assert len(wire.walk()) == 1


def test_metadata_may_be_merged(start: Start) -> None:
    wire = start({"on": "modify", "metadata": "merge"})
    id = wire.create(metadata={"a": "1", "b": "2"})["id"]
    assert wire.modify(id, metadata={"b": "3"})["metadata"] == {"a": "1", "b": "3"}
    assert wire.modify(id, metadata={})["metadata"] == {"a": "1", "b": "3"}
    assert wire.modify(id, metadata=None)["metadata"] == {}


def test_a_stale_reply(start: Start) -> None:
    wire = start({"on": "modify", "stale_reply": True})
    id = wire.create(name="before")["id"]
    assert wire.modify(id, name="after")["name"] == "before"
    assert wire.retrieve(id)["name"] == "after"


def test_what_a_gateway_makes_of_a_body(start: Start) -> None:
    wire = start({"override": {"temperature": 0.1}}, {"on": "modify", "ignore": ["name"]}, {"ignore_null": True})
    id = wire.create(name="n", description="d", temperature=0.9)["id"]
    assert wire.retrieve(id)["temperature"] == 0.1
    after = wire.modify(id, name="other", description=None)
    assert (after["name"], after["description"]) == ("n", "d")
    assert wire.app.requests[-1].body == {"name": "other", "description": None}  # as it was sent


def test_an_answer_may_lie_at_its_top(start: Start) -> None:
    wire = start({"on": "list", "answer": {"has_more": True, "last_id": None}})
    page = wire.client.get("/assistants").json()
    assert (page["has_more"], page["last_id"], page["data"]) == (True, None, [])


def test_rules_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "chaos.yaml"
    file.write_text("seed: 7\nrules:\n- on: create\n  nth: 2\n  drop: after_commit\n- {on: any, latency_ms: 0.5}\n")
    assert len(Chaos.load(file).rules) == 2


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ([], "expected a mapping with a list named `rules`"),
        ({"rules": {}}, "expected a mapping with a list named `rules`"),
        ({"rules": [], "sed": 1}, "unknown key `sed`; known are `rules` and `seed`"),
        ({"rules": ["drop"]}, "rule 1: expected a mapping"),
        ({"rules": [{"on": "list"}]}, "rule 1: expected exactly one effect, found none"),
        ({"rules": [{"status": 500, "sunset": True}]}, "rule 1: expected exactly one effect, found status, sunset"),
        ({"rules": [{"sunset": True, "nth": 1, "every": 2}]}, "rule 1: at most one of nth, every and probability"),
        ({"rules": [{"sunset": True}, {"drop": "now"}]}, "rule 2: `drop` should be before_commit or after_commit"),
        ({"rules": [{"status": 99}]}, "rule 1: `status` should be an HTTP status from 200 to 599"),
        ({"rules": [{"sunset": True, "on": "delet"}]}, "rule 1: `on` should be one of list, retrieve, create, "),
        ({"rules": [{"sunset": True, "on": []}]}, "rule 1: `on` should be one of"),
        ({"rules": [{"sunset": True, "nth": 0}]}, "rule 1: `nth` should be a count from 1"),
        ({"rules": [{"sunset": True, "probability": 2}]}, "rule 1: `probability` should be a number from 0 to 1"),
        ({"rules": [{"sunset": True, "body": "x"}]}, "rule 1: unknown key `body` beside `sunset`"),
        ({"rules": [{"status": 500, "headers": {"a": "b\r\nc: d"}}]}, "rule 1: `headers` should be a mapping of"),
        ({"rules": [{"sunset": True, "kind": "vectorstore"}]}, "rule 1: `kind` should be one of assistant, file, "),
        ({"rules": [{"sunset": True, "kind": []}]}, "rule 1: `kind` should be one of"),
        ({"rules": [{"sunset": True, "name": "*"}]}, "rule 1: unknown key `name` beside `sunset`"),
        ({"rules": [{"index_never": True, "code": "x"}]}, "rule 1: unknown key `code` beside `index_never`"),
        ({"rules": [{"index_fails": "x", "code": "y"}]}, "rule 1: `code` should be one of server_error, "),
        ({"rules": [{"index_fails": True}]}, "rule 1: `index_fails` should be a text"),
        ({"rules": [{"index_reads": -1}]}, "rule 1: `index_reads` should be a count from 0"),
        ({"rules": [{"index_seconds": "1"}]}, "rule 1: `index_seconds` should be a number of seconds"),
        ({"rules": [{"attach_limit": 0}]}, "rule 1: `attach_limit` should be a count from 1"),
        ({"rules": [{"expired": "away"}]}, "rule 1: `expired` should be gone"),
        ({"rules": [{"latency_ms": True}]}, "rule 1: `latency_ms` should be a number of milliseconds"),
    ],
)
def test_rules_without_meaning(written: Any, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ChaosError) as refused:
        Chaos.from_rules(written)
    assert str(refused.value).startswith(complaint)
    file = tmp_path / "chaos.yaml"
    file.write_text(json.dumps(written))
    with pytest.raises(ChaosError) as refused:
        Chaos.load(file)
    assert str(refused.value).startswith(f"{file}: {complaint}")


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    file = tmp_path / "chaos.yaml"
    file.write_text("rules: [")
    with pytest.raises(ChaosError, match=r"chaos\.yaml"):
        Chaos.load(file)
