"""Opens and writes files below a root, and never through a link: the only way to the tool's own files.

Files of a project come with pull requests of strangers, links among them. A name below the root is opened component by
component, each from the descriptor of the one before, and none may be a link: between a look and an open nobody can
put one in the way. Only regular files are opened, and no more of them is read than was asked for.

The root itself was named by a person. In a git repository its name may come with the files as well, so it has to be
really inside the repository that it is in by its name. Links on the way to the top of that are followed.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import Any, Final

PRIVATE: Final = 0o600
"""The mode of files that hold contents."""
_GIT: Final = ".git"
_PIECE: Final = 1 << 20
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
# Opening a pipe must not hang; some flags are absent on Windows, the last one is only there.
_SAFE: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_DIRECTORY: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NO_LINK | getattr(os, "O_CLOEXEC", 0)
_HAS_DESCRIPTORS: Final = os.open in os.supports_dir_fd
"""False on Windows: there each component is looked at, and the path opened."""


class NotBelow(OSError):
    """A name that does not lead to a file of the tree; `strerror` says why."""


class Tree:
    """What is really in a directory `below` a root. Names are relative to it, or absolute and lexically inside it.

    The root has to be really inside `top`: by itself the boundary of the root, or a directory that a person chose.
    """

    def __init__(self, root: str | Path, below: str | PurePath = "", top: Path | None = None) -> None:
        self.root = Path(os.path.abspath(root))
        self.path = Path(os.path.abspath(self.root / below))
        self.top = top or boundary_of(self.root)

    def within(self, name: str | PurePath) -> Tree:
        """A directory in it, which need not be there yet: links are looked for on the way to it, too."""
        return Tree(self.root, self.path / name, self.top)

    def checked(self, name: str | PurePath) -> Path:
        """The path of a regular file, or of nothing, for those who can only take a path. Raises NotBelow."""
        with self._parent(name) as (directory, last):
            directory.mode_of(last, str(name))
            return Path(directory.path) / last

    def read(self, name: str | PurePath, largest: int) -> bytes:
        """The bytes of a regular file. Raises OSError, also where there are more than `largest`."""
        with self.opened(name, os.O_RDONLY) as descriptor:
            pieces, left = [], largest + 1  # a file that says it has no size may go on for ever
            while left and (piece := os.read(descriptor, min(left, _PIECE))):
                pieces.append(piece)
                left -= len(piece)
            if not left:
                raise NotBelow(errno.EFBIG, f"it is larger than {largest} bytes", str(name))
            return b"".join(pieces)

    @contextmanager
    def opened(self, name: str | PurePath, flags: int, mode: int = PRIVATE) -> Iterator[int]:
        """The descriptor of a regular file, closed at the end. Raises OSError."""
        descriptor = self.open(name, flags, mode)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def open(self, name: str | PurePath, flags: int, mode: int = PRIVATE) -> int:
        """The descriptor of a regular file; who calls closes it. Raises OSError.

        A file is only ever emptied by `replace`: O_TRUNC would empty one before it was looked at.
        """
        with self._parent(name) as (directory, last):
            return directory.open(last, flags & ~os.O_TRUNC, mode, str(name))

    def replace(self, name: str | PurePath, content: bytes | Iterable[bytes], mode: int | None = None) -> None:
        """Write a file whole or not at all: after a crash there is the old one or the new one. Raises OSError.

        The content may come in parts. Without a mode it is that of the file that was there, or of any new one.
        """
        with self._parent(name) as (directory, last):
            was = directory.mode_of(last, str(name))
            beside = f".{last[:64]}.{os.urandom(6).hex()}.tmp"  # with its dot it is no manifest
            descriptor = directory.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode or was or 0o666, str(name))
            try:
                with os.fdopen(descriptor, "wb") as file:
                    if mode is None and was is not None:
                        os.chmod(**directory.at(beside), mode=was)
                    file.writelines([content] if isinstance(content, bytes) else content)
                    file.flush()
                    os.fsync(file.fileno())
                directory.rename(beside, last)
            except BaseException as wrong:
                with suppress(OSError):
                    os.unlink(**directory.at(beside))
                if isinstance(wrong, OSError) and wrong.filename is None:  # of a write the system names no file
                    raise OSError(wrong.errno, wrong.strerror, os.path.join(directory.path, last)) from None
                raise
            directory.sync()

    def remove(self, name: str | PurePath) -> None:
        """Remove a file; of a link the link itself. Raises OSError."""
        with self._parent(name) as (directory, last):
            os.unlink(**directory.at(last))

    def make(self, name: str | PurePath = "", mode: int = 0o777) -> None:
        """Make a directory, and those it is in, where they are missing; the root has to be there. Raises OSError."""
        with self._root() as way:
            for part in self._parts(name):
                with suppress(FileExistsError):
                    os.mkdir(**way[-1].at(part), mode=mode)
                way.append(way[-1].into(part, str(self.path / name)))

    def names(self, name: str | PurePath = "") -> list[str]:
        """What is in a directory, sorted; nothing where there is none. Raises OSError."""
        try:
            with self._root() as way:
                for part in self._parts(name):
                    way.append(way[-1].into(part, str(self.path / name)))
                here = way[-1]
                return sorted(os.listdir(here.path if here.descriptor is None else here.descriptor))
        except (FileNotFoundError, NotADirectoryError):
            return []

    @contextmanager
    def _root(self) -> Iterator[list[_Directory]]:
        """The way to a directory, which begins at the root; who uses it appends to it."""
        way = [_Directory.root(self.top)]
        try:
            for part in self._way():
                way.append(way[-1].into(part, str(self.root)))
            yield way
        finally:
            for each in way:
                each.close()

    @contextmanager
    def _parent(self, name: str | PurePath) -> Iterator[tuple[_Directory, str]]:
        """The directory that a name is in, opened on the way that it names, and the last part of the name."""
        parts = self._parts(name)
        if not parts:
            raise NotBelow(errno.EISDIR, "it is the directory itself", str(name))
        with self._root() as way:
            for part in parts[:-1]:
                way.append(way[-1].into(part, str(name)))
            yield way[-1], parts[-1]

    def _way(self) -> tuple[str, ...]:
        """The way from the top to where the root really is."""
        if self.root == self.top:
            return ()
        parts = _below(os.path.realpath(self.root), self.top)
        if parts is None:
            raise NotBelow(errno.EACCES, _leads_out(self.root, self.top), str(self.root))
        return parts

    def _parts(self, name: str | PurePath) -> list[str]:
        path = Path(os.path.abspath(self.path / name))
        if not (path.is_relative_to(self.path) and path.is_relative_to(self.root)):
            raise NotBelow(errno.EACCES, f"it is not inside {self.path}", str(name))
        parts = list(path.relative_to(self.root).parts)
        if any(part.casefold() == _GIT for part in parts):
            raise NotBelow(errno.EACCES, "it is in git's own directory", str(name))
        return parts


def repository_of(directory: str | Path) -> Path | None:
    """The nearest directory, from here on up, that is the top of a git repository: one that has a `.git`."""
    return next(_tops(Path(os.path.abspath(directory))), None)


def boundary_of(root: str | Path) -> Path:
    """What a project cannot lead out of: the repository that its root is in by its name, or the root itself.

    What is in a repository may come with a pull request, a link in place of the root among it. So one that is reached
    through a link out of another repository does not count.
    """
    here = Path(os.path.abspath(root))
    top, *outer = [*_tops(here)] or [here]
    for each in outer:
        if not Path(os.path.realpath(top)).is_relative_to(os.path.realpath(each)):
            top = each
    return top


def in_boundary(root: Path, name: str | PurePath) -> Path | None:
    """The path of a name that is inside the boundary of a root by its name; None elsewhere, where a person chose.

    The top of the boundary may be spelled in another way, as `/tmp` and `/private/tmp` on macOS.
    """
    top, path = boundary_of(root), Path(os.path.abspath(root / name))
    if path.is_relative_to(top):
        return path
    real = os.path.realpath(top)
    same = (each for each in (*reversed(path.parents), path) if os.path.realpath(each) == real)
    return next((top / path.relative_to(each) for each in same), None)


def real_directory_of(root: Path, name: str | PurePath = "") -> str:
    """Where the root, or a directory that is named with it, really is.

    Raises NotBelow where it is in the boundary by its name, and links lead out of that or into git's own directory.
    """
    real = os.path.realpath(root / name)
    if in_boundary(root, name) is not None and _below(real, top := boundary_of(root)) is None:
        raise NotBelow(errno.EACCES, _leads_out(root / name, top), str(root / name))
    return real


def tree_of(root: Path, name: str | PurePath) -> tuple[Tree, Path]:
    """The tree of a file that a person named, and its path: that of the project, or of the boundary it is in.

    Elsewhere they chose the directory, links on the way to it included; the file itself is no link there either.
    """
    path = in_boundary(root, name)
    if path is None:
        path = Path(os.path.abspath(root / name))
        return Tree(path.parent, top=path.parent), path
    here = Path(os.path.abspath(root))
    return Tree(here if path.is_relative_to(here) else boundary_of(root)), path


def rewrite(root: Path, path: str | PurePath, content: bytes) -> None:
    """Write a file of a project anew, whole or not at all: inside the root through no link. Raises OSError."""
    tree, file = tree_of(root, path)
    tree.replace(file, content)


def path_of(descriptor: int, path: str) -> str:
    """Where an open file really is, whatever became of the links on its way; `path` is what was opened."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:  # no Linux
        return os.path.realpath(path)


def _leads_out(path: Path, top: Path) -> str:
    return f"{path} points outside {top}, or into git's own directory, through a link: remove it, or use the real path"


def _tops(directory: Path) -> Iterator[Path]:
    return (each for each in (directory, *directory.parents) if os.path.lexists(each / _GIT))


def _below(real: str, top: Path) -> tuple[str, ...] | None:
    """The way from a top to a path without links; None where that is not inside, or in git's own directory."""
    path, above = Path(real), os.path.realpath(top)
    if not path.is_relative_to(above):
        return None
    parts = path.relative_to(above).parts
    return None if any(part.casefold() == _GIT for part in parts) else parts


class _Directory:
    """A directory on the way to a file: its descriptor, and its path where there are none (Windows)."""

    def __init__(self, path: str, descriptor: int | None) -> None:
        self.path = path
        self.descriptor = descriptor

    @classmethod
    def root(cls, path: Path) -> _Directory:
        return cls(str(path), os.open(path, _DIRECTORY & ~_NO_LINK) if _HAS_DESCRIPTORS else None)

    def into(self, part: str, name: str) -> _Directory:
        """One of the directories in it. Raises NotBelow for a link."""
        path = os.path.join(self.path, part)
        try:
            if self.descriptor is None:
                _no_link(path, name)
                return _Directory(path, None)
            return _Directory(path, os.open(part, _DIRECTORY, dir_fd=self.descriptor))
        except OSError as wrong:
            raise _explained(wrong, path, name) from None

    def at(self, part: str) -> dict[str, Any]:
        """What names an entry in calls of `os`."""
        if self.descriptor is None:
            return {"path": os.path.join(self.path, part)}
        return {"path": part, "dir_fd": self.descriptor}

    def open(self, part: str, flags: int, mode: int, name: str) -> int:
        """The descriptor of a regular file in it. Raises NotBelow for a link, and for what is no file."""
        path = os.path.join(self.path, part)
        if self.descriptor is None:
            with suppress(FileNotFoundError):
                _no_link(path, name)
        try:
            descriptor = os.open(**self.at(part), flags=flags | _NO_LINK | _SAFE, mode=mode)
        except OSError as wrong:
            raise _explained(wrong, path, name) from None
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        raise NotBelow(errno.EINVAL, "it is not a regular file", name)

    def mode_of(self, part: str, name: str) -> int | None:
        """The mode of a file in it, None where there is none. Raises NotBelow where there is something else."""
        try:
            found = os.stat(**self.at(part), follow_symlinks=False)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(found.st_mode):
            what = "a link" if stat.S_ISLNK(found.st_mode) else "not a regular file"
            raise NotBelow(errno.ELOOP, f"it is {what}: remove it", name)
        return stat.S_IMODE(found.st_mode)

    def rename(self, old: str, new: str) -> None:
        if self.descriptor is None:
            os.replace(os.path.join(self.path, old), os.path.join(self.path, new))
        else:
            os.replace(old, new, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def sync(self) -> None:
        """Make a rename durable; where directories cannot be opened the system has its own ways."""
        if self.descriptor is not None:
            os.fsync(self.descriptor)

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def _no_link(path: str, name: str) -> None:
    if stat.S_ISLNK(os.lstat(path).st_mode):
        raise NotBelow(errno.ELOOP, f"{path} is a link: remove it", name)


def _explained(wrong: OSError, path: str, name: str) -> OSError:
    """What the system says of a link in words of ours; all else as it is, with the whole name."""
    if isinstance(wrong, NotBelow):
        return wrong
    if os.path.islink(path):
        return NotBelow(errno.ELOOP, f"{path} is a link: remove it", name)
    return OSError(wrong.errno, wrong.strerror, name)
