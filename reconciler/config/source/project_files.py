"""Reads project files from disk: only regular files, only inside the project, never more than a limit.

Everything is looked at before it is opened: opening a pipe can hang, and a link can lead anywhere.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Final

from reconciler.config.errors import ConfigError, error, warning
from reconciler.config.message_text import closest, printable
from reconciler.config.source.file_source import SETTINGS, SUFFIXES, FileMention, ManifestFile
from reconciler.config.source.globs import fixed_part, matching
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.diagnostics import Code, Diagnostic, Source
from reconciler.tree import NotBelow, path_of, real_directory_of

_PIECE: Final = 1024 * 1024
_GIT: Final = ".git"
"""What is in it is no file of the project, and may hold the credential of a checkout."""
_DEEPEST: Final = 64
"""How deep directories may be nested: a file below would have a key of more than 128 characters."""
_MISNAMED_SETTINGS: Final = ("reconciler.yml", "reconciler.json")
# Some are absent on Windows, where neither pipes nor links of that kind are met; the last one is only there.
_OPEN: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


@dataclass(slots=True)
class ProjectFiles:
    """The directories that files may come from; `problems` collects what the walk refuses.

    A name that starts with one of the characters in `skipped` is passed over: with `_` begins what manifests use.
    """

    root: FilePath
    directories: Sequence[FilePath] = ()
    problems: list[Diagnostic] = field(default_factory=list)
    skipped: str = "._"
    named: dict[str, FileMention] = field(default_factory=dict)
    _real: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # A directory elsewhere is named by a person, and trusted as the root is; one inside comes with the files.
        named = (FilePath(), *(each for each in self.directories if not self._is_inside(each)))
        real = []
        for each in named:
            with suppress(NotBelow):  # nothing of it is read
                real.append(real_directory_of(self.root, each))
        self._real = tuple(real)

    def _is_inside(self, directory: FilePath) -> bool:
        """Whether a directory is in the project by its name, wherever links lead."""
        return FilePath(os.path.abspath(self.root / directory)).is_relative_to(os.path.abspath(self.root))

    def name(self, path: str) -> str:
        """How messages name a file: relative to the root where it is inside, printable, with slashes."""
        return name_below(self.root, path)

    def settings(self) -> list[str]:
        """The settings files at the top of the directories, in their order."""
        paths = dict.fromkeys(os.path.abspath(self.root / each / SETTINGS) for each in self.directories)
        return [path for path in paths if os.path.lexists(path)]

    def holds(self, real: str) -> bool:
        """Whether a path without links is inside the root or a named directory."""
        return any(real == each or real.startswith(each.rstrip(os.sep) + os.sep) for each in self._real)

    def _is_gits(self, real: str) -> bool:
        """Whether a path without links is in git's directory, whatever letters it is written in."""
        return any(_GIT in real[len(each) :].casefold().split(os.sep) for each in self._real if real.startswith(each))

    def walk(self) -> Iterator[ManifestFile]:
        """Every manifest file, sorted within its directory; a file reached twice is read once."""
        seen: set[str] = set()
        for each in self.directories:
            directory = os.path.abspath(self.root / each)
            if not os.path.isdir(directory):
                summary = f"the directory {self.name(directory)} does not exist"
                hint = self._near_directory(os.fspath(each))
                if not os.path.isdir(self.root):
                    summary, hint = f"the directory {self.root} does not exist", "-C sets the directory to run in"
                self.problems.append(error(Code.UNREADABLE, summary, None, hint=hint))
                continue
            real = os.path.realpath(directory)
            if not self.holds(real) or self._is_gits(real):
                where = "into git's own directory" if self.holds(real) else "outside the project"
                self._refuse(Code.FILE_REFUSED, directory, f"it points {where} through a link", "remove it")
                continue
            below = self._below(directory, "", self.name(directory), top=True)
            if len(self.directories) == 1:  # nothing is reached twice
                yield from below
                continue
            for found in below:
                if found.shown not in seen:
                    seen.add(found.shown)
                    yield found

    def read(self, path: str, largest: int) -> bytes:
        """The bytes of a regular file, at most `largest` and one more. Raises Refused with what is wrong."""
        with self._opened(path) as descriptor:
            # As much room as is asked for is made before anything is read. What has no size may have content.
            left = min(os.fstat(descriptor).st_size or largest, largest) + 1
            pieces = []
            while left and (piece := os.read(descriptor, left)):
                pieces.append(piece)
                left -= len(piece)
            return b"".join(pieces)

    def matching(self, pattern: str) -> list[str]:
        """The files that an absolute pattern matches, sorted; links to directories are not followed. Raises Refused."""
        top = fixed_part(pattern)
        if not self.holds(os.path.realpath(top)):  # what is outside is not even listed
            raise self._refused(top, Code.FILE_REFUSED, "points outside the project through a link")
        below = os.walk(top)
        return matching(pattern, (os.path.join(directory, name) for directory, _, names in below for name in names))

    def measured(self, path: str, largest: int) -> tuple[str, int]:
        """The SHA-256 (hexadecimal) and the size of a regular file. Raises Refused."""
        digest = hashlib.sha256()
        size = 0
        with self._opened(path) as descriptor:
            while size <= largest and (piece := os.read(descriptor, _PIECE)):
                digest.update(piece)
                size += len(piece)
        return digest.hexdigest(), size

    @contextmanager
    def _opened(self, path: str) -> Iterator[int]:
        """The descriptor of a regular file. Raises Refused with what is wrong with it, or with reading it."""
        try:
            descriptor = os.open(path, _OPEN)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise self._refused(path, Code.FILE_REFUSED, "not a regular file")
                real = path_of(descriptor, path)
                if not self.holds(real) or self._is_gits(real):
                    where = "into git's own directory" if self.holds(real) else "outside the project"
                    raise self._refused(path, Code.FILE_REFUSED, f"points {where} through a link")
                yield descriptor
            finally:
                os.close(descriptor)
        except OSError as wrong:
            raise self._refused(path, Code.UNREADABLE, f"cannot read the file: {wrong.strerror}") from None

    def _refused(self, path: str, code: Code, summary: str) -> UnreadableFile:
        return UnreadableFile(error(code, summary, Source(self.name(path), 1, 1)))

    def followed(self, path: str) -> str:
        """The path without links. Raises ValueError saying why it is refused, OSError where nothing is there."""
        # The message does not even reveal whether a path outside, or in git's directory, exists.
        real = os.path.realpath(path)
        if not self.holds(real):
            raise ValueError("points outside the project")
        if self._is_gits(real):
            raise ValueError("points into git's own directory")
        if not stat.S_ISREG(os.lstat(real).st_mode):
            os.path.realpath(path, strict=True)  # links in a circle: the system has its words for them
            raise ValueError("is not a regular file")
        return real

    def ignored(self) -> Iterator[Diagnostic]:
        """A problem for each file named so far that git ignores: it may hold what is not to leave this machine."""
        from reconciler.config.source.git_command import ignored

        named, self.named = self.named, {}
        try:
            found = ignored(self.root, named)
        except ConfigError as unknown:
            yield from unknown.diagnostics
            return
        for path in sorted(found & named.keys()):
            what, place = named[path]
            summary, name = f"{what} points to a file that git ignores", self.name(path)
            hint = (
                f"files that git ignores are not sent; to send it, run `git add -f {name}`; otherwise use another "
                "file, narrow the pattern or delete the file"
            )
            yield error(Code.FILE_REFUSED, summary, place, hint=hint)

    def _near_directory(self, wanted: str) -> str:
        """What to do about a directory that is not there; the one that was probably meant."""
        try:
            with os.scandir(self.root) as scan:
                there = [each.name for each in scan if each.is_dir()]
        except OSError:
            there = []
        if near := closest(wanted, there):
            return f"did you mean {printable(near)}? rename it, or add --dir {printable(near)}"
        return (
            "`reconciler init` creates a project here; -C DIR runs in another directory, --dir DIR reads other "
            "manifests"
        )

    def _below(self, directory: str, prefix: str, name: str, top: bool = False) -> Iterator[ManifestFile]:
        inside = "" if name == "." else f"{name.rstrip('/')}/"
        try:
            with os.scandir(directory) as scan:
                entries = sorted(scan, key=lambda each: each.name)
        except OSError as wrong:
            self._refuse(Code.UNREADABLE, directory, f"cannot read the directory: {wrong.strerror}")
            return
        for entry in entries:
            if entry.name[0] in self.skipped:
                continue
            stem, suffix = os.path.splitext(entry.name)
            if entry.is_dir(follow_symlinks=False):
                if suffix in SUFFIXES:
                    self._refuse(Code.FILE_REFUSED, entry.path, f"a directory cannot be named *{suffix}")
                elif prefix.count("/") >= _DEEPEST:
                    self._refuse(Code.FILE_REFUSED, entry.path, f"directories are nested deeper than {_DEEPEST}")
                else:
                    yield from self._below(entry.path, f"{prefix}{entry.name}/", inside + printable(entry.name))
            elif top and entry.name in _MISNAMED_SETTINGS:
                self._refuse(Code.INVALID_SETTINGS, entry.path, f"settings are read from {SETTINGS} only", "rename it")
            elif not (top and entry.name == SETTINGS) and (path := self._accepted(entry, suffix)):
                yield ManifestFile(path, inside + printable(entry.name), prefix + stem, sys.intern(suffix))

    def _accepted(self, entry: os.DirEntry[str], suffix: str) -> str | None:
        if entry.is_symlink():
            return self._accepted_link(entry, suffix)
        if suffix not in SUFFIXES:
            return None
        if entry.is_file(follow_symlinks=False):
            return entry.path
        self._refuse(Code.FILE_REFUSED, entry.path, "not a regular file", "remove it")
        return None

    def _accepted_link(self, entry: os.DirEntry[str], suffix: str) -> str | None:
        try:
            if os.path.isdir(entry.path):
                place = Source(self.name(entry.path), 1, 1)
                self.problems.append(warning(Code.FILE_REFUSED, "links to directories are not followed", place))
                return None
            if suffix not in SUFFIXES:
                return None
            real = self.followed(entry.path)
            # Without a place: what stands there is not to be shown.
            self.named.setdefault(real, FileMention(f"the link {self.name(entry.path)}", None))
            return real
        except ValueError as wrong:
            self._refuse(Code.FILE_REFUSED, entry.path, f"the link {wrong}")
        except OSError as wrong:
            self._refuse(Code.FILE_REFUSED, entry.path, f"the link is broken: {wrong.strerror}")
        return None

    def _refuse(self, code: Code, path: str, summary: str, hint: str = "") -> None:
        self.problems.append(error(code, summary, Source(self.name(path), 1, 1), hint=hint))


def name_below(root: FilePath, path: str) -> str:
    """How messages name a file: relative to the root where it is inside, printable, with slashes."""
    relative = os.path.relpath(path, root)
    inside = not relative.startswith("..")
    return printable((relative if inside else path).replace(os.sep, "/"))
