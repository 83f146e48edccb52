"""What is remembered of a list: ids and times; what makes no sense is not there."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from reconciler.drivers.lists.page_boundaries import MAX_BYTES, Boundaries
from reconciler.drivers.paging.page import ListedObject
from reconciler.tree import Tree

PLACES = (ListedObject("asst_1", 1.0), ListedObject("asst_2", 2.5))


def remembered(directory: Path) -> Boundaries:
    return Boundaries(Tree(directory, "lists"), "https://api.example/v1", lambda: directory.mkdir(exist_ok=True))


def only_file(directory: Path) -> Path:
    (path,) = (directory / "lists").iterdir()
    return path


def test_what_was_saved_is_there_for_the_same_list_only(tmp_path: Path) -> None:
    boundaries = remembered(tmp_path)
    boundaries.save("acme", "assistant", PLACES)
    assert boundaries.load("acme", "assistant") == PLACES
    assert boundaries.load("acme", "vector_store") == ()
    assert boundaries.load("other", "assistant") == ()
    assert boundaries.load(None, "assistant") == ()
    for url, owner in (("https://other.example/v1", ""), ("https://api.example/v1", "other")):
        assert Boundaries(Tree(tmp_path, "lists"), url, lambda: None, owner).load("acme", "assistant") == ()


def test_a_file_holds_ids_and_times_and_nothing_else(tmp_path: Path) -> None:
    remembered(tmp_path).save("acme-secret-name", "assistant", PLACES)
    path = only_file(tmp_path)
    assert json.loads(path.read_bytes()) == {"format": 1, "boundaries": [["asst_1", 1.0], ["asst_2", 2.5]]}
    assert "acme" not in path.name


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'{"format": 2, "boundaries": []}',
        b'{"format": 1}',
        b'{"format": 1, "boundaries": 5}',
        b'{"format": 1, "boundaries": [["a"]]}',
        b'{"format": 1, "boundaries": [["a", 1, 2]]}',
        b'{"format": 1, "boundaries": [["a\\u001b[2J", 1]]}',
        b'{"format": 1, "boundaries": [["../a", 1]]}',
        b'{"format": 1, "boundaries": [[7, 1]]}',
        b'{"format": 1, "boundaries": [["a", "1"]]}',
        b'{"format": 1, "boundaries": [["a", NaN]]}',
        b'{"format": 1, "boundaries": [["a", 1e999]]}',
        b'{"format": 1, "boundaries": ' + b"[" * 100_000,
        b" " * (MAX_BYTES + 1),
    ],
    ids=range(19),
)
def test_a_damaged_file_is_as_good_as_none(content: bytes, tmp_path: Path) -> None:
    boundaries = remembered(tmp_path)
    boundaries.save("acme", "assistant", PLACES)
    only_file(tmp_path).write_bytes(content)
    assert boundaries.load("acme", "assistant") == ()


def test_something_that_is_no_file_is_as_good_as_none(tmp_path: Path) -> None:
    boundaries = remembered(tmp_path)
    boundaries.save("acme", "assistant", PLACES)
    path = only_file(tmp_path)
    path.unlink()
    os.mkfifo(path)
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert boundaries.load("acme", "assistant") == ()


def test_where_nothing_can_be_written_nothing_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "lists").write_text("in the way")
    boundaries = remembered(tmp_path)
    boundaries.save("acme", "assistant", PLACES)
    assert boundaries.load("acme", "assistant") == ()
