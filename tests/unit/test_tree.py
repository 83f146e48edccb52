"""Files below a root: no link is followed, nothing but regular files is opened, and nothing outside is touched."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.tree import PRIVATE, NotBelow, Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    root = tmp_path / "root"
    (root / "deep/er").mkdir(parents=True)
    (root / "deep/er/file").write_text("inside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("secret")
    return Tree(root)


def outside(tree: Tree) -> dict[str, str]:
    """All that is outside, by its name."""
    return {each.name: each.read_text() for each in (tree.root.parent / "outside").iterdir()}


ACTS: dict[str, Callable[[Tree, str], object]] = {
    "read": lambda tree, name: tree.read(name, 100),
    "append": lambda tree, name: os.close(tree.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)),
    "replace": lambda tree, name: tree.replace(name, b"ours"),
    "remove": lambda tree, name: tree.remove(name),
    "make": lambda tree, name: tree.make(name),
    "names": lambda tree, name: tree.names(name),
}
THROUGH = {name: act for name, act in ACTS.items() if name != "remove"}


@pytest.mark.parametrize("act", THROUGH)
@pytest.mark.parametrize(
    "target", ["../outside/file", "../outside", "../outside/new", "/dev/zero", "deep/er/file", "x"]
)
def test_a_link_is_refused_wherever_it_leads(tree: Tree, act: str, target: str) -> None:
    (tree.root / "link").symlink_to(target)
    with pytest.raises(NotBelow, match="is a link: remove it"):
        THROUGH[act](tree, "link")
    assert outside(tree) == {"file": "secret"}
    assert (tree.root / "link").is_symlink()


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("name", ["link/file", "link/new", "deep/link/file", "deep/../link/file"])
def test_a_link_on_the_way_is_refused(tree: Tree, act: str, name: str) -> None:
    (tree.root / "link").symlink_to("../outside")
    (tree.root / "deep/link").symlink_to("../../outside")
    with pytest.raises(NotBelow, match=r"(deep/)?link is a link: remove it"):
        ACTS[act](tree, name)
    assert outside(tree) == {"file": "secret"}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("name", ["../outside/file", "/etc/passwd", "deep/../../outside/file", ".."])
def test_a_name_outside_is_refused(tree: Tree, act: str, name: str) -> None:
    with pytest.raises(NotBelow, match="is not inside"):
        ACTS[act](tree, name)
    assert outside(tree) == {"file": "secret"}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("name", [".git/config", "deep/.git/hooks/x", ".GIT/config"])
def test_the_directory_of_git_is_refused(tree: Tree, act: str, name: str) -> None:
    with pytest.raises(NotBelow, match="git's own"):
        ACTS[act](tree, name)


def test_a_link_is_removed_itself(tree: Tree) -> None:
    (tree.root / "link").symlink_to("../outside/file")
    tree.remove("link")
    assert not (tree.root / "link").is_symlink()
    assert outside(tree) == {"file": "secret"}


def test_the_root_may_be_reached_through_a_link(tree: Tree) -> None:
    (tree.root.parent / "way").symlink_to(tree.root)
    assert Tree(tree.root.parent / "way").read("deep/er/file", 6) == b"inside"


@pytest.mark.parametrize("act", ["read", "append", "replace"])
@pytest.mark.parametrize("kind", ["pipe", "directory"])
def test_what_is_no_regular_file_is_refused_and_does_not_hang(tree: Tree, act: str, kind: str) -> None:
    there = tree.root / "odd"
    os.mkfifo(there) if kind == "pipe" else there.mkdir()
    with pytest.raises(OSError, match=r"not a regular file|Is a directory|No such device"):
        ACTS[act](tree, "odd")
    assert there.exists()


@pytest.mark.parametrize(("largest", "fits"), [(6, True), (5, False), (0, False)])
def test_no_more_is_read_than_was_asked_for(tree: Tree, largest: int, fits: bool) -> None:
    if fits:
        assert tree.read("deep/er/file", largest) == b"inside"
    else:
        with pytest.raises(NotBelow, match=f"larger than {largest} bytes"):
            tree.read("deep/er/file", largest)


def test_what_is_not_there_is_told_by_its_whole_name(tree: Tree) -> None:
    for act in ("read", "remove"):
        with pytest.raises(FileNotFoundError):
            ACTS[act](tree, "deep/missing")
    with pytest.raises(FileNotFoundError, match="missing/file"):
        tree.replace("missing/file", b"")
    assert tree.names("missing") == []
    assert tree.names("deep") == ["er"]


def test_a_file_is_replaced_whole_or_not_at_all(tree: Tree) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        tree.replace("deep/er/file", broken())
    assert tree.read("deep/er/file", 100) == b"inside"
    tree.replace("deep/er/file", iter([b"new", b"er"]))
    assert tree.read("deep/er/file", 100) == b"newer"
    assert tree.names("deep/er") == ["file"]


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    yield
    os.umask(before)


def test_modes(tree: Tree) -> None:
    def mode(name: str) -> int:
        return stat.S_IMODE((tree.root / name).stat().st_mode)

    with umask(0o027):
        tree.replace("new", b"")
        tree.replace("private", b"", PRIVATE)
        os.close(tree.open("log", os.O_WRONLY | os.O_CREAT))
    (tree.root / "deep/er/file").chmod(0o644)
    tree.replace("deep/er/file", b"")
    tree.replace("new", b"", PRIVATE)
    assert [mode(name) for name in ("new", "private", "log", "deep/er/file")] == [0o600, 0o600, 0o600, 0o644]


def test_making_directories_that_are_there_is_fine(tree: Tree) -> None:
    tree.make("a/b/c")
    tree.make("a/b/c")
    assert tree.names("a/b") == ["c"]
    (tree.root / "a/file").write_text("")
    with pytest.raises(OSError, match="a/file"):
        tree.make("a/file/x")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
def test_no_descriptor_is_left_open(tree: Tree) -> None:
    (tree.root / "link").symlink_to("../outside")
    before = sorted(os.listdir("/proc/self/fd"))
    for name in ("deep/er/file", "link/file", "link", "missing/x", "deep/er"):
        for act in ACTS.values():
            try:
                act(tree, name)
            except OSError:
                continue
    assert sorted(os.listdir("/proc/self/fd")) == before
