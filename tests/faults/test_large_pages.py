"""Prompts of 256,000 characters: a hundred of them are more than one answer may have, and are read all the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from reconciler.drivers.base import TooLarge
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import MAX_ANSWER_BYTES
from tests.world import PROVIDER, client


class Account:
    """Lists objects, each of so many characters; `limits` are the page sizes it was asked for."""

    def __init__(self, objects: int, characters: int) -> None:
        self.limits: list[int] = []
        self._ids = [f"asst_{number:04}" for number in range(objects)]
        self._text = "x" * characters

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        query = parse_qs(environ["QUERY_STRING"])
        self.limits.append(int(query["limit"][0]))
        first = self._ids.index(query["after"][0]) + 1 if "after" in query else 0
        last = first + self.limits[-1]
        page = [{"id": id, "instructions": self._text} for id in self._ids[first:last]]
        start_response("200 x", [])
        return [json.dumps({"data": page, "has_more": last < len(self._ids)}).encode()]


def test_pages_that_are_too_large_are_read_in_smaller_ones_from_then_on() -> None:
    account = Account(100, 350_000)
    found = [body["id"] for body in RestDriver(PROVIDER, client(account)).list("assistant")]  # type: ignore[arg-type]
    assert len(set(found)) == len(found) == 100
    assert account.limits == [100, 25, 25, 25, 25]


def test_a_single_object_that_is_too_large_is_refused() -> None:
    account = Account(1, MAX_ANSWER_BYTES)
    with pytest.raises(TooLarge, match="larger than 32 MiB"):
        list(RestDriver(PROVIDER, client(account)).list("assistant"))  # type: ignore[arg-type]
    assert account.limits == [100, 25, 6, 1]
