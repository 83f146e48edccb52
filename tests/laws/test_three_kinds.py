"""The laws for files, vector stores and assistants together, on a server at its most adversarial, with chaos."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.plan import Plan, Scope, make_plan
from reconciler.core.values.model import ABSENT, Action, Change, Manifest
from reconciler.drivers.upload_stream import FileChanged
from reconciler.formats.outcome import Result
from tests.library import NAMES, Library
from tests.world import IDENTITY

law = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
seeds = st.integers(0, 2**32)
pages = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["one\n", "two\n", "three\n"]), max_size=4)
labels = st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from(["text", 1, 2.5, True]), max_size=2)


def due(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.is_due]


def settled(library: Library, files: Sequence[Manifest], texts: Mapping[str, str], by_hand: Sequence[str] = ()) -> None:
    """Laws 1, 5 and 7: nothing is left to do, and each page is there once, in the store, ready."""
    plan = library.plan(files)
    assert [(str(c.address), c.action, c.fields) for c in plan.changes if c.action is not Action.NOOP] == []
    expected = Counter(name.rpartition(".")[0] for name in texts)
    uploads = {id: name for id, name in library.uploads().items() if id not in by_hand}
    assert Counter(uploads.values()) == expected
    inside = {id: body for id, body in library.inside().items() if id not in by_hand}
    assert inside.keys() == uploads.keys()
    assert all(body["status"] == "completed" for body in inside.values())


@law
@given(first=pages, second=pages, one=labels, other=labels, seed=seeds)
def test_converges_on_any_shape_of_answer_and_leaves_others_alone(
    first: dict[str, str], second: dict[str, str], one: dict[str, Any], other: dict[str, Any], seed: int
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        library = Library(Path(scratch), adversary=seed)
        assert {o.result for o in library.apply(library.plan(library.write(first, one)))} == {Result.DONE}
        theirs = library.upload_by_hand("theirs.txt")
        (store,) = [body["id"] for body in library.plain.list("vector_store")]
        library.plain.within("vector_store", store, "files").attach([{"file_id": theirs, "attributes": {"by": "hand"}}])
        library.inside()
        before = library.plain.within("vector_store", store, "files").read(theirs)
        (bot,) = library.plain.list("assistant")
        files = library.write(second, other)
        outcomes = library.apply(library.plan(files))
        assert {outcome.result for outcome in outcomes} <= {Result.DONE}
        assert [finding for outcome in outcomes for finding in outcome.findings] == []
        settled(library, files, second, [theirs])
        assert library.plain.within("vector_store", store, "files").read(theirs) == before
        assert list(library.plain.list("assistant")) == [bot]


def steps_told(plan: Plan) -> Counter[str]:
    """What the rows of a plan say is put in, changed and taken out."""
    found: Counter[str] = Counter(attach=0, modify=0, detach=0)
    rows = [row for c in due(plan) for row in c.fields if c.address.kind == "vector_store" and row.path[0] == "files"]
    for row in rows:
        match len(row.path):
            case 1:
                assert row.before is ABSENT
                found["attach"] += len(row.after)
            case 2:
                found["attach"] += row.after is not ABSENT
                found["detach"] += row.before is not ABSENT
            case _:
                assert row.path[2] == "attributes"
                found["modify"] += 1
    written = [entry for c in due(plan) for entry in (c.patch or {}).get("files", {}).values()]
    assert len(written) == sum(len(row.after) if len(row.path) == 1 else 1 for row in rows)
    return found


@law
@given(first=pages, second=pages, one=labels, other=labels, seed=seeds)
def test_what_is_sent_is_what_the_plan_shows(
    first: dict[str, str], second: dict[str, str], one: dict[str, Any], other: dict[str, Any], seed: int
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        library = Library(Path(scratch), adversary=seed)
        for texts, said in ((first, one), (second, other)):
            plan = library.plan(library.write(texts, said))
            library.apply(plan)
            writes = [request for request in library.app.requests if request.method != "GET"]
            steps = steps_told(plan)
            sent = Counter(
                attach=sum(len(r.body["files"]) for r in writes if r.path.endswith("/file_batches")),
                modify=sum(r.method == "POST" and "/files/" in r.path for r in writes),
                detach=sum(r.method == "DELETE" and "/vector_stores/" in r.path for r in writes),
            )
            assert sent == steps
            uploads = sum(r.method == "POST" and r.path == "/v1/files" for r in writes)
            deletes = sum(r.method == "DELETE" and r.path.startswith("/v1/files/") for r in writes)
            assert uploads == sum(c.action is Action.CREATE and c.address.kind == "file" for c in due(plan))
            assert deletes == sum(c.action is Action.DELETE and c.address.kind == "file" for c in due(plan))


RETRIED = ({"drop": "after_commit"}, {"drop": "before_commit"}, {"status": 500}, {"truncate": 9})
FAULTS = (*RETRIED, {"garbage": "x"})


AMID = (
    ("create", "file_batch"),
    ("retrieve", "vector_store_file"),
    ("list", "vector_store_file"),
    ("delete", "vector_store_file"),
    ("create", "file"),
    ("delete", "file"),
)


@settings(law, max_examples=8)
@given(seed=seeds, faults=st.data())
def test_at_no_moment_is_a_page_in_neither_version(seed: int, faults: st.DataObject) -> None:
    nth = st.integers(1, 9)
    rules = [
        {"on": on, "kind": kind, "nth": faults.draw(nth), **faults.draw(st.sampled_from(RETRIED))} for on, kind in AMID
    ]
    trouble = [{"index_fails": "no"}, {"index_never": True}, {"index_fails": "no", "name": "b*"}, {"index_reads": 5}]
    second = {"on": "create", "kind": "file_batch", "nth": 2, **faults.draw(st.sampled_from(trouble))}
    with tempfile.TemporaryDirectory() as scratch:
        library = Library(Path(scratch), adversary=seed, rules=[second, *rules])

        def ready() -> set[str]:
            names = library.uploads()
            return {names[id] for id, body in library.inside().items() if body["status"] == "completed"}

        def watch() -> None:
            assert ready() >= there

        files = library.write(dict.fromkeys(NAMES, "one\n"), {})
        for _ in range(2):
            library.apply(library.plan(files))
        there = ready()
        library.watch = watch
        files = library.write(dict.fromkeys(NAMES, "two\n"), {})
        for _ in range(3):
            library.apply(library.plan(files))


@law
@given(first=pages, second=pages, seed=seeds, faults=st.data())
def test_each_page_is_there_once_whatever_answers_are_lost_and_whatever_fails(
    first: dict[str, str], second: dict[str, str], seed: int, faults: st.DataObject
) -> None:
    rules = [
        {"on": on, "kind": kind, "nth": nth, **faults.draw(st.sampled_from(FAULTS))}
        for on, kind in (
            ("create", "file"),
            ("create", "file_batch"),
            ("delete", "file"),
            ("delete", "vector_store_file"),
        )
        for nth in faults.draw(st.lists(st.integers(1, 4), unique=True, max_size=2))
    ]
    rules += faults.draw(
        st.lists(
            st.sampled_from(
                [
                    {"on": "create", "kind": "file_batch", "nth": 1, "index_fails": "no"},
                    {"on": "create", "kind": "file_batch", "nth": 2, "index_fails": "no", "name": "a*"},
                    {"on": "create", "kind": "file_batch", "nth": 1, "index_reads": 3},
                    {"on": "create", "kind": "vector_store", "nth": 1, "drop": "after_commit"},
                ]
            ),
            unique_by=str,
            max_size=2,
        )
    )
    with tempfile.TemporaryDirectory() as scratch:
        library = Library(Path(scratch), adversary=seed, rules=rules)
        for texts in (first, second):
            files = library.write(texts, {})
            for _ in range(4):
                library.apply(library.plan(files))
        settled(library, files, second)


@given(st.permutations(range(6)), pages.filter(lambda texts: len(texts) > 1))
@settings(deadline=None, max_examples=20)
def test_the_order_of_inputs_changes_nothing(order: list[int], texts: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        library = Library(Path(scratch))
        files = library.write(texts, {})
        library.apply(library.plan(files))
        files = library.write({**texts, next(iter(texts)): "other\n"}, {"x": 1})
        seen = library.see()
        plan = make_plan(IDENTITY, Scope("acme", True), "sha256:0", files, seen)
        shuffled = [
            replace(
                each,
                objects=tuple(
                    replace(live, body={**live.body, "files": dict(reversed(live.body["files"].items()))})
                    if "files" in live.body
                    else live
                    for live in reversed(each.objects)
                ),
            )
            for each in seen
        ]
        again = [files[place] for place in order if place < len(files)] + list(files[6:])
        assert make_plan(IDENTITY, Scope("acme", True), "sha256:0", again, shuffled) == plan


def test_a_file_that_changes_while_it_is_planned_is_never_taken(tmp_path: Path) -> None:
    library = Library(tmp_path)
    plan = library.plan(library.write({"a.txt": "one\n"}, {}))
    (tmp_path / "assistants.d/pages/a.txt").write_text("six\n")
    outcomes = library.apply(plan)
    assert outcomes[0].error is not None
    assert outcomes[0].error.code == FileChanged.code
    assert library.uploads() == {}
