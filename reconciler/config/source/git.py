"""Reads manifests from a git commit, without touching the work tree."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Final, NamedTuple

from reconciler.config.errors import ConfigError, error
from reconciler.config.message_text import cut
from reconciler.config.source.file_source import SETTINGS, SUFFIXES, FileMention, ManifestFile
from reconciler.config.source.git_command import LEAVE_IT_OUT, git_command, git_environment, git_program, no_answer_hint
from reconciler.config.source.globs import matching
from reconciler.config.source.project_files import name_below
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.diagnostics import Code, Diagnostic, Source
from reconciler.tree import repository_of

_REGULAR: Final = ("100644", "100755")
_LINK: Final = "120000"
_MAX_LINKS: Final = 8
_LONGEST_LINK: Final = 4096
_PIECE: Final = 1 << 20
_COMMIT: Final = re.compile("[0-9a-f]{40,64}")
_NO_REPOSITORY: Final = (b"not a git repository", b"dubious ownership", b"cannot use bare repository")


class _CommittedFile(NamedTuple):
    """A file of a commit: its mode and the name of its content."""

    mode: str
    blob: str


def commit_of(root: FilePath, ref: str) -> str:
    """The commit that `ref` names in the repository around `root`. Raises ConfigError."""
    arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options", ref + "^{commit}")
    found = _ask(root, *arguments) if _can_be_asked(ref) else None
    # Of ^REF it gives the name of a commit to leave out.
    if found is None or not _COMMIT.fullmatch(found):
        hint = "check the name; in CI, fetch more history (GitHub: `fetch-depth: 0`, GitLab: `GIT_DEPTH: 0`)"
        raise ConfigError([error(Code.BAD_GIT_REF, f"git has no commit or branch '{cut(ref)}'", None, hint=hint)])
    return found


def _can_be_asked(ref: str) -> bool:
    """Whether a program can be given the text; a job's event may hold any."""
    try:
        return b"\0" not in os.fsencode(ref)
    except UnicodeEncodeError:
        return False


def merge_base(root: FilePath, one: str, other: str) -> str | None:
    """The commit at which two lines of history parted; None where that is not known here."""
    return _ask(root, "merge-base", "--end-of-options", one, other)


def tracked(root: FilePath, name: str) -> list[str]:
    """The files of a name below `root` that git tracks, in any case of letters; none outside of a repository.

    Raises ConfigError where git does not say, or is not there to be asked.
    """
    is_in_repository = repository_of(os.path.realpath(root)) is not None
    try:
        git_program(root)
        listed = _run(root, "ls-files", "-z", "--", f":(icase){name}")
    except ConfigError as missing:
        if not is_in_repository:
            return []
        raise _unlisted(name, missing.diagnostics[0].summary, LEAVE_IT_OUT) from None
    except subprocess.CalledProcessError as failed:
        if _NO_REPOSITORY[0] in failed.stderr and not is_in_repository:
            return []
        message = failed.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        hint = f"check what is in {name} and remove it; or {no_answer_hint(root, message)}"
        raise _unlisted(name, message, hint) from None
    return [os.fsdecode(each) for each in listed.split(b"\0") if each]


def _unlisted(name: str, why: str, hint: str) -> ConfigError:
    summary = f"git did not report whether it tracks {name}: {cut(why)}"
    return ConfigError([error(Code.BAD_GIT_REF, summary, None, hint=hint)])


def _ask(root: FilePath, *arguments: str) -> str | None:
    """What git answers, in one line; None where it fails. Raises ConfigError where it cannot be run at all."""
    try:
        done = _run(root, *arguments)
    except subprocess.CalledProcessError as failed:
        if any(words in failed.stderr for words in _NO_REPOSITORY):
            summary = failed.stderr.decode("utf-8", "replace").strip().splitlines()[0]
            hint = "commits are read from the repository of the project: `git init` creates one"
            hint = hint if b"not a git" in failed.stderr else no_answer_hint(root, summary)
            raise ConfigError([error(Code.BAD_GIT_REF, f"git: {cut(summary)}", None, hint=hint)]) from None
        return None
    return done.decode("utf-8", "replace").strip() or None


def _run(root: FilePath, *arguments: str) -> bytes:
    try:
        return subprocess.run(  # noqa: S603  # no shell; a ref cannot become an option
            git_command(root, *arguments), cwd=root, env=git_environment(root), capture_output=True, check=True
        ).stdout
    except OSError as wrong:
        summary = f"git cannot be run: {wrong.strerror}"
        raise ConfigError([error(Code.BAD_GIT_REF, summary, None, hint="install git")]) from None


def _listed(root: FilePath, commit: str) -> bytes:
    try:
        return _run(root, "ls-tree", "-r", "-z", "--full-tree", commit)
    except subprocess.CalledProcessError:
        summary = f"git has the commit {commit[:12]}, but not the list of its files"
        hint = "the clone is not complete: clone without `--filter`"
        raise ConfigError([error(Code.BAD_GIT_REF, summary, None, hint=hint)]) from None


@dataclass(slots=True)
class CommittedFiles:
    """The files below some directories as one commit has them; paths are those they have in the work tree.

    A link is followed inside the commit. Close it: git processes stand behind it.
    """

    root: FilePath
    directories: Sequence[FilePath]
    commit: str
    problems: list[Diagnostic] = field(default_factory=list)
    named: dict[str, FileMention] = field(default_factory=dict)
    _entries: dict[str, _CommittedFile] = field(default_factory=dict)
    _readers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """List the commit. Raises ConfigError."""
        prefix = _ask(self.root, "rev-parse", "--show-prefix") or ""
        for line in _listed(self.root, self.commit).split(b"\0"):
            if line:
                about, _, path = line.partition(b"\t")
                mode, _, blob = about.decode().split(" ")
                self._entries[self._place(prefix, os.fsdecode(path))] = _CommittedFile(mode, blob)

    def name(self, path: str) -> str:
        """How messages name a file: as in the work tree."""
        return name_below(self.root, path)

    def settings(self) -> list[str]:
        """The settings files at the top of the directories."""
        paths = dict.fromkeys(os.path.abspath(self.root / each / SETTINGS) for each in self.directories)
        return [path for path in paths if path in self._entries]

    def walk(self) -> Iterator[ManifestFile]:
        """Every manifest file, sorted."""
        seen: set[str] = set()
        for each in self.directories:
            directory = os.path.abspath(self.root / each)
            for path in sorted(self._entries):
                if path.startswith(directory + os.sep) and path not in seen:
                    seen.add(path)
                    below = path[len(directory) + 1 :]
                    stem, suffix = os.path.splitext(below)
                    hidden = any(part[0] in "._" for part in below.split(os.sep))
                    if suffix in SUFFIXES and not hidden and below != SETTINGS:
                        with suppress(ValueError, OSError):
                            yield ManifestFile(self.followed(path), self.name(path), stem.replace(os.sep, "/"), suffix)

    def followed(self, path: str) -> str:
        """The path without links. Raises ValueError where it is refused, OSError where nothing is there."""
        path = os.path.normpath(path)
        for _ in range(_MAX_LINKS):
            if not any(path.startswith(os.path.abspath(each) + os.sep) for each in self._allowed()):
                raise ValueError("points outside the project")
            entry = self._entries.get(path)
            if entry is None:
                raise FileNotFoundError(2, "No such file in the commit", path)
            if entry.mode in _REGULAR:
                return path
            if entry.mode != _LINK:
                raise ValueError("is not a regular file")
            if self._size(entry) > _LONGEST_LINK:
                raise ValueError("is a broken link")
            target = os.fsdecode(b"".join(self._content(entry)))
            path = os.path.normpath(os.path.join(os.path.dirname(path), target))
        raise ValueError("points through too many links")

    def read(self, path: str, largest: int) -> bytes:
        """The bytes of a file. Raises Refused, also where there are more than `largest`: then none is read."""
        entry = self._entry(path)
        if self._size(entry) > largest:
            place = Source(self.name(path), 1, 1)
            raise UnreadableFile(error(Code.TOO_LARGE, f"the file is larger than {largest:,} bytes", place))
        return b"".join(self._content(entry))

    def matching(self, pattern: str) -> list[str]:
        """The files that an absolute pattern matches, sorted."""
        return matching(pattern, self._entries)

    def measured(self, path: str, largest: int) -> tuple[str, int]:
        """The SHA-256 (hexadecimal) and the size of a file; of one larger than `largest` nothing is read.

        Raises Refused.
        """
        entry, digest = self._entry(path), hashlib.sha256()
        if (size := self._size(entry)) <= largest:
            for piece in self._content(entry):
                digest.update(piece)
        return digest.hexdigest(), size

    def close(self) -> None:
        """End the git processes."""
        while self._readers:
            self._readers.popitem()[1].communicate()

    def _entry(self, path: str) -> _CommittedFile:
        if path not in self._entries:
            raise UnreadableFile(error(Code.UNREADABLE, "the commit has no such file", Source(self.name(path), 1, 1)))
        return self._entries[path]

    def _place(self, prefix: str, path: str) -> str:
        """Where a file of the repository is in the work tree, by way of the root."""
        inside = path[len(prefix) :] if path.startswith(prefix) else os.path.relpath(path, prefix)
        return os.path.normpath(os.path.join(self.root, inside))

    def _allowed(self) -> list[FilePath]:
        return [self.root, *(self.root / each for each in self.directories)]

    def _size(self, entry: _CommittedFile) -> int:
        """The size of a file, which is asked before any of it is read: git would hold all of it."""
        return _answered(self._reader("--batch-check"), entry.blob)

    def _content(self, entry: _CommittedFile) -> Iterator[bytes]:
        reader = self._reader("--batch")
        left = _answered(reader, entry.blob)
        assert reader.stdout is not None
        while left and (piece := reader.stdout.read(min(left, _PIECE))):
            left -= len(piece)
            yield piece
        reader.stdout.read(1)

    def _reader(self, mode: str) -> subprocess.Popen[bytes]:
        if mode not in self._readers:
            self._readers[mode] = subprocess.Popen(  # noqa: S603  # no shell, no argument of anybody's
                git_command(self.root, "cat-file", mode),
                cwd=self.root,
                env=git_environment(self.root),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._readers[mode]


def _answered(reader: subprocess.Popen[bytes], blob: str) -> int:
    """Ask for an object; the size that the answer begins with."""
    assert reader.stdin is not None
    assert reader.stdout is not None
    reader.stdin.write(blob.encode() + b"\n")
    reader.stdin.flush()
    words = reader.stdout.readline().split()
    if len(words) != 3:  # missing: a partial clone
        raise FileNotFoundError(2, "git does not have the content of the file", blob)
    return int(words[2])
