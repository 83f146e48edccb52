"""Lists: pages, cursors, order, and the envelope."""

from __future__ import annotations

import pytest

from tests.unit.server.conftest import Start, Wire, error_of


def _filled(wire: Wire, count: int) -> list[str]:
    """Assistants named 0, 1, 2 …; several share a second of creation. Their ids, oldest first."""
    ids = []
    for number in range(count):
        ids.append(wire.create(name=str(number))["id"])
        wire.clock.now += number % 3
    return ids


def test_an_empty_list_has_nulls(wire: Wire) -> None:
    answer = wire.client.get("/assistants").json()
    assert answer == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    assert list(answer) == ["object", "data", "first_id", "last_id", "has_more"]


def test_newest_first_twenty_by_default(wire: Wire) -> None:
    ids = _filled(wire, 30)
    page = wire.client.get("/assistants").json()
    assert [each["id"] for each in page["data"]] == ids[:9:-1]
    assert (page["first_id"], page["last_id"], page["has_more"]) == (ids[-1], ids[10], True)
    assert page["data"][0] == wire.retrieve(ids[-1])


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 120, 1050])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_paging_reaches_every_one_once(count: int, order: str, wire: Wire) -> None:
    ids = _filled(wire, count)
    wire.app.requests.clear()
    assert [each["id"] for each in wire.walk(f"limit=100&order={order}")] == (ids if order == "asc" else ids[::-1])
    assert len(wire.app.requests) == max(1, -(-count // 100))


def test_before_asks_for_the_page_that_ends_there(wire: Wire) -> None:
    ids = _filled(wire, 10)
    page = wire.client.get(f"/assistants?limit=3&order=asc&before={ids[7]}").json()
    assert [each["id"] for each in page["data"]] == ids[4:7]
    assert page["has_more"]
    page = wire.client.get(f"/assistants?limit=3&order=desc&before={ids[7]}").json()
    assert [each["id"] for each in page["data"]] == [ids[9], ids[8]]
    assert not page["has_more"]


def test_after_and_before_together_enclose(wire: Wire) -> None:
    ids = _filled(wire, 10)
    assert wire.names(f"order=asc&after={ids[2]}&before={ids[6]}") == ["3", "4", "5"]
    assert wire.names(f"order=desc&after={ids[6]}&before={ids[2]}") == ["5", "4", "3"]


def test_the_order_within_a_second_is_that_of_creation(wire: Wire) -> None:
    for name in "abc":
        wire.create(name=name)
    assert wire.names("order=asc") == ["a", "b", "c"]


def test_the_last_page_may_be_empty(wire: Wire) -> None:
    ids = _filled(wire, 2)
    assert wire.client.get(f"/assistants?after={ids[0]}").json()["data"] == []


def test_an_unknown_cursor(wire: Wire) -> None:
    for cursor in ("after", "before"):
        assert error_of(wire.client.get(f"/assistants?{cursor}=asst_0")) == (
            404, "No assistant found with id 'asst_0'.", "invalid_request_error", None, None,
        )  # fmt: skip


def test_a_deleted_cursor_keeps_its_place(wire: Wire) -> None:
    ids = _filled(wire, 3)
    wire.client.delete(f"/assistants/{ids[1]}")
    assert wire.names(f"order=asc&after={ids[1]}") == ["2"]


def test_a_deleted_cursor_may_be_unknown(start: Start) -> None:
    wire = start({"on": "list", "deleted_cursor": "unknown"})
    ids = _filled(wire, 3)
    wire.client.delete(f"/assistants/{ids[1]}")
    assert error_of(wire.client.get(f"/assistants?after={ids[1]}"))[0] == 404
