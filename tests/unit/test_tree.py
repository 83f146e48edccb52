"""Files below a root: no link is followed, nothing but regular files is opened, and nothing outside is touched."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.tree import PRIVATE, NotBelow, Tree, boundary_of, in_boundary, real_directory_of, tree_of


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


@pytest.fixture
def mono(tree: Tree) -> Path:
    """A repository with a project in it, and links where a pull request puts them."""
    top = tree.root.parent / "mono"
    (top / "team/deep").mkdir(parents=True)
    (top / "team/file").write_text("inside")
    (top / "shared").mkdir()
    (top / ".git").mkdir()
    (top / ".git/config").write_text("secret")
    for name, target in {"out": "../outside", "same": "team", "git": ".git", "deeper": "team/deep"}.items():
        (top / name).symlink_to(target)
    return top


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("root", ["out", "git", "out/../out", "out/new"])
def test_a_root_that_leads_out_of_its_repository_is_refused(mono: Path, act: str, root: str) -> None:
    with pytest.raises(NotBelow, match="points outside"):
        ACTS[act](Tree(mono / root), "file")
    with pytest.raises(NotBelow, match="points outside"):
        real_directory_of(mono / root)
    assert (mono.parent / "outside/file").read_text() == "secret"


def test_a_root_that_leads_to_another_repository_is_refused(mono: Path) -> None:
    """The repository there is not the one that the root is in by its name."""
    (mono.parent / "outside/.git").mkdir()
    assert boundary_of(mono / "out") == mono
    with pytest.raises(NotBelow, match="points outside"):
        Tree(mono / "out").read("file", 100)
    assert Tree(mono.parent / "outside").read("file", 100) == b"secret"


def test_a_root_that_becomes_a_link_is_refused(mono: Path) -> None:
    tree = Tree(mono / "team")
    assert tree.read("file", 100) == b"inside"
    (mono / "team").rename(mono / "was")
    (mono / "team").symlink_to("../outside")
    for act in ACTS.values():
        with pytest.raises(NotBelow, match="points outside"):
            act(tree, "file")


@pytest.mark.parametrize("root", ["team", "same", "same/deep/..", "deeper/.."])
def test_a_root_may_be_a_link_inside_its_repository(mono: Path, root: str) -> None:
    below = Tree(mono / "team")
    Tree(mono / "same").replace("new", b"ours")
    assert below.read("new", 10) == b"ours"
    assert Path(real_directory_of(mono / root)).name in ("team", "mono")


@pytest.mark.parametrize(
    ("root", "boundary"),
    [
        ("mono/team", "mono"),
        ("mono", "mono"),
        ("mono/same", "mono"),
        ("mono/out/deep", "mono"),
        ("mono/sub/team", "mono/sub"),
        ("mono/missing", "mono"),
        ("root/deep", "root/deep"),
        ("way/team", "way"),
        ("above/mono/team", "above/mono"),
        ("mono/../root", "root"),
    ],
)
def test_the_boundary_is_the_repository_that_the_root_is_in_by_its_name(mono: Path, root: str, boundary: str) -> None:
    above = mono.parent
    (above / "way").symlink_to("mono")
    (above / "above").symlink_to(".")
    (mono / "sub/team").mkdir(parents=True)
    (mono / "sub/.git").write_text("gitdir: ../.git/modules/sub")  # a submodule; a worktree has a file as well
    assert boundary_of(above / root) == above / boundary


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    "name", ["../out/file", "../out/new", "deep/../../out/file", "../git/config", "../.git/config"]
)
def test_what_is_beside_the_root_in_its_repository_is_reached_through_no_link(mono: Path, act: str, name: str) -> None:
    for root in (mono / "team", mono / "same"):
        tree, path = tree_of(root, name)
        with pytest.raises(NotBelow):
            ACTS[act](tree, str(path))
    assert (mono.parent / "outside/file").read_text() == "secret"
    assert sorted(os.listdir(mono.parent / "outside")) == ["file"]
    assert os.listdir(mono / ".git") == ["config"]


def test_another_spelling_of_the_repository_is_the_repository(mono: Path) -> None:
    above = mono.parent / "above"
    above.symlink_to(".")
    for root, name in ((mono / "team", above / "mono/out/new"), (above / "mono/team", mono / "out/new")):
        tree, path = tree_of(root, name)
        assert path == boundary_of(root) / "out/new"
        with pytest.raises(NotBelow, match="out is a link"):
            tree.replace(path, b"ours")
    tree, path = tree_of(above / "mono/team", mono / "team/file")
    assert tree.read(path, 10) == b"inside"


def test_a_directory_that_a_person_named_elsewhere_may_be_reached_through_links(mono: Path) -> None:
    way = mono.parent / "way"
    way.symlink_to("outside")
    assert in_boundary(mono / "team", way / "new") is None
    tree, path = tree_of(mono / "team", way / "new")
    tree.replace(path, b"ours")
    assert outside(Tree(mono.parent / "root")) == {"file": "secret", "new": "ours"}
    assert real_directory_of(mono / "team", way) == os.path.realpath(mono.parent / "outside")
