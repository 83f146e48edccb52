"""Runs git safely: no program, hook or setting of the repository takes effect.

Only plumbing that reads is run, without hooks, filters, prompts or fetching, and nothing of it is taken for an option.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from reconciler.config.errors import ConfigError, error
from reconciler.diagnostics import Code
from reconciler.tree import repository_of

# Before git 2.45 nothing but the list of protocols keeps it from fetching an object that is not there.
_ALONE: Final = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
LEAVE_IT_OUT: Final = "install git, or leave .git out of the image"
"""What to do where there is a repository and no git that could be asked about it."""
_PASSED_ON: Final = ("SYSTEMROOT", "TEMP", "TMP", "TMPDIR")
"""What else a program needs on Windows, and where it may write."""
_HOMES: Final = ("HOME", "USERPROFILE", "XDG_CONFIG_HOME")
"""Where git finds what a person says about trusting directories: `safe.directory`."""
# A directory with HEAD, objects and refs in it passes for a repository, and its configuration can name commands; a pull
# request can add such files. A repository is a `.git`, which git never checks out.
_NO_COMMANDS: Final = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "safe.bareRepository=explicit",
)


def git_command(root: Path, *arguments: str) -> list[str]:
    """The command line of git with these arguments. Raises ConfigError where there is no git outside the project."""
    return [git_program(root), *_NO_COMMANDS, *arguments]


def git_environment(root: Path) -> dict[str, str]:
    """The environment of git: nothing that leads it elsewhere, into the project, or to a program."""
    top = _top(root)
    homes = {name: os.environ[name] for name in _HOMES if _is_outside(os.environ.get(name, ""), top)}
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**passed_on, **homes, **_ALONE, "PATH": os.pathsep.join(_trusted(os.environ.get("PATH", os.defpath), top))}


def git_program(root: Path) -> str:
    """The path of git: the first one in the PATH whose directory is absolute and outside the project.

    Raises ConfigError where there is none.
    """
    found = _found(os.environ.get("PATH", os.defpath), _top(root))
    if found is None:
        summary = "git cannot be run: PATH has none outside this project"
        raise ConfigError([error(Code.BAD_GIT_REF, summary, None, hint="install git")])
    return found


def ignored(root: Path, paths: Iterable[str]) -> set[str]:
    """Those of these files that the repository they are in ignores and does not track; none outside of a repository.

    `paths` are absolute and without links. A project that is ignored as a whole is not of that repository. Raises
    ConfigError where git cannot tell.
    """
    by_top: dict[str, list[str]] = {}
    for path in paths:
        if (top := repository_of(os.path.dirname(path))) is not None:
            by_top.setdefault(str(top), []).append(path)
    project = os.path.realpath(root)
    return {path for top, files in by_top.items() for path in _ignored_in(top, files, project)}


def _ignored_in(top: str, files: list[str], project: str) -> set[str]:
    """Those of the files of one repository."""
    # With the dot no name is taken for more than a name, as `:(glob)x` would be.
    asked = [*files, project] if project.startswith(top + os.sep) else files
    names = [os.path.join(os.curdir, os.path.relpath(each, top)) for each in asked]
    matched = _listed_files(top, "check-ignore", "--no-index", "-z", "--stdin", names=names)
    if not matched:
        return set()
    tracked = _listed_files(top, "ls-files", "-z")
    if project in matched and not any(each.startswith(project + os.sep) for each in tracked):
        return set()
    return matched - tracked


def _listed_files(top: str, *arguments: str, names: Sequence[str] = ()) -> set[str]:
    """The files that git names, as absolute paths. Raises ConfigError."""
    try:
        done = subprocess.run(  # noqa: S603  # no shell, no argument of anybody's
            git_command(Path(top), *arguments),
            cwd=top,
            env=git_environment(Path(top)),
            input=b"\0".join(map(os.fsencode, names)),
            capture_output=True,
            check=False,
        )
    except (ConfigError, OSError) as wrong:
        why = wrong.diagnostics[0].summary if isinstance(wrong, ConfigError) else str(wrong)
        raise _cannot_tell(why, LEAVE_IT_OUT) from None
    if done.returncode not in (0, 1):  # 1: nothing is ignored
        why = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"])[0]
        raise _cannot_tell(why, no_answer_hint(Path(top), why))
    return {os.path.normpath(os.path.join(top, os.fsdecode(each))) for each in done.stdout.split(b"\0") if each}


def _cannot_tell(why: str, hint: str) -> ConfigError:
    summary = f"git cannot report which files are ignored: {why[:200]}"
    return ConfigError([error(Code.FILE_REFUSED, summary, None, hint=f"ignored files are never sent; {hint}")])


def no_answer_hint(root: Path, why: str) -> str:
    """What to do if git cannot read the repository around `root`; `why` is its error message."""
    if "dubious ownership" not in why:
        return "run `git status` to see why"
    trusting = f"git config --global --add safe.directory {shlex.quote(_top(root))}"
    return f"mark it as safe: `{trusting}`; configuration in /etc and GIT_CONFIG_* is ignored"


@lru_cache(maxsize=16)
def _found(path: str, top: str) -> str | None:
    for each in _trusted(path, top):
        found = shutil.which("git", path=each)
        # On Windows the directory one is in is looked at first, whatever is asked for.
        if found and os.path.isabs(found) and _is_outside(os.path.dirname(found), top) and _is_outside(found, top):
            return found
    return None


def _trusted(path: str, top: str) -> list[str]:
    return [each for each in path.split(os.pathsep) if _is_outside(each, top)]


def _is_outside(place: str, top: str) -> bool:
    """Whether an absolute path leads to something that is not in the project."""
    real = os.path.realpath(place)
    return os.path.isabs(place) and real != top and not real.startswith(top.rstrip(os.sep) + os.sep)


def _top(root: Path) -> str:
    """The project, with the whole repository that it is in: all of that may come from a pull request."""
    real = os.path.realpath(root)
    return str(repository_of(real) or real)
