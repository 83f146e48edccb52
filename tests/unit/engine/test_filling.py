"""Putting files into vector stores: what is waited for, what is told, and what a wish to stop leaves."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from reconciler.core.values.model import Action, Address
from reconciler.diagnostics import Code
from reconciler.formats.outcome import Outcome, Result
from tests.library import Library

MANY = {f"{name}.txt": f"about {name}\n" for name in "abcdefghijkl"}
"""More than are looked at one by one."""
STORE = Address("vector_store", "store")


def ready_but(*rules: dict[str, Any]) -> list[dict[str, Any]]:
    """Every file is ready at once, apart from those that the rules are about."""
    return [*rules, {"index_reads": 0, "name": "[c-z]*"}]


def of_store(outcomes: list[Outcome]) -> Outcome:
    (found,) = [outcome for outcome in outcomes if outcome.address == STORE]
    return found


def test_when_the_time_is_up_each_of_many_files_is_told_as_it_is(tmp_path: Path) -> None:
    rules = ready_but({"index_never": True, "name": "a*"}, {"index_fails": "too odd", "name": "b*"})
    library = Library(tmp_path, rules=rules)
    outcome = of_store(library.apply(library.plan(library.write(MANY, {})), indexing_seconds=30))
    assert outcome.result is Result.FAILED
    told = {finding.code: finding.summary for finding in outcome.findings}
    assert len(outcome.findings) == 2
    assert told[Code.STILL_INDEXING].startswith("pages/a.txt (")
    assert "too odd" in told[Code.NOT_INDEXED]
    assert outcome.error is not None
    assert outcome.error.summary == "not all files are indexed: 1 file is not indexed, and 1 still being indexed"


def test_pages_that_are_ready_are_replaced_though_one_of_many_never_is(tmp_path: Path) -> None:
    library = Library(
        tmp_path, rules=[{"on": "create", "kind": "file_batch", "nth": 2, "index_never": True, "name": "a*"}]
    )
    library.apply(library.plan(library.write(MANY, {})))
    changed = {name: text + "and more\n" for name, text in MANY.items()}
    outcome = of_store(library.apply(library.plan(library.write(changed, {})), indexing_seconds=60))
    assert [finding.code for finding in outcome.findings] == [Code.STILL_INDEXING]
    inside = [library.uploads()[id] for id in library.inside()]
    assert sorted(inside) == sorted([*(name.removesuffix(".txt") for name in changed), "a"])


def test_a_new_vector_store_is_told_once_its_files_are_in(tmp_path: Path) -> None:
    library = Library(tmp_path, rules=[{"index_reads": 3, "name": "*"}])
    heard: list[object] = []
    outcomes = library.apply(
        library.plan(library.write({"a.txt": "one\n", "b.txt": "two\n"}, {})),
        report=lambda outcome: heard.append((outcome.address.kind, outcome.result)),
        awaiting=lambda address, count: heard.append((str(address), count)),
    )
    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    waits = [("vector_store/store", 2)] * 4 + [("vector_store/store", 0)]
    assert heard == [
        *[("file", Result.DONE)] * 2,
        *waits,
        ("vector_store", Result.DONE),
        ("assistant", Result.DONE),
    ]


def test_a_wish_to_stop_while_files_are_indexed_is_no_claim_that_nothing_was_done(tmp_path: Path) -> None:
    library, stop = Library(tmp_path, rules=[{"index_reads": 3, "name": "*"}]), threading.Event()

    def pause(seconds: float) -> bool:
        stop.set()
        return True

    texts = {"a.txt": "one\n"}
    outcomes = library.apply(library.plan(library.write(texts, {})), stop=stop, pause=pause)
    outcome = of_store(outcomes)
    assert (outcome.result, outcome.action) == (Result.FAILED, Action.CREATE)
    assert outcome.error is not None
    assert outcome.error.code is Code.STILL_INDEXING
    assert outcome.id in {body["id"] for body in library.plain.list("vector_store")}
    library.apply(library.plan(library.write(texts, {})))
    assert [body["status"] for body in library.inside().values()] == ["completed"]
    assert len(list(library.plain.list("vector_store"))) == 1


def test_a_stop_on_error_counts_what_could_not_be_put_in(tmp_path: Path) -> None:
    library = Library(tmp_path, rules=[{"on": "create", "kind": "file_batch", "status": 400, "body": {"error": {}}}])
    outcomes = library.apply(library.plan(library.write({"a.txt": "one\n"}, {})), stop_on_error=True)
    assert [(outcome.address.kind, outcome.result) for outcome in outcomes] == [
        ("file", Result.DONE),
        ("vector_store", Result.FAILED),
        ("assistant", Result.SKIPPED),
    ]


def test_what_failed_is_told_although_a_later_request_fails_as_well(tmp_path: Path) -> None:
    bad = {"on": "create", "kind": "file_batch", "nth": 2, "index_fails": "too odd", "name": "a*"}
    refused = {"on": "delete", "kind": "vector_store_file", "status": 400, "body": {"error": {"message": "not today"}}}
    library = Library(tmp_path, rules=[bad, refused])
    library.apply(library.plan(library.write({"a.txt": "one\n", "b.txt": "one\n"}, {})))
    outcome = of_store(library.apply(library.plan(library.write({"a.txt": "two\n", "b.txt": "two\n"}, {}))))
    assert outcome.result is Result.FAILED
    assert outcome.error is not None
    assert "not today" in outcome.error.summary
    assert [finding.code for finding in outcome.findings] == [Code.NOT_INDEXED]
