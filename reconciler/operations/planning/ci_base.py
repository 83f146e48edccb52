"""What a CI job's environment tells about the commit before: the state that was last applied, most likely."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from reconciler.config.source.git import merge_base
from reconciler.drivers.transport.json_encoding import decoded

_HEAD: Final = "HEAD"
_BEFORE_HEAD: Final = "HEAD^"


def base_ref(environment: Mapping[str, str], root: Path, *, applied: bool) -> str | None:
    """The ref of what was last applied; None outside of CI, where nobody says so.

    `applied` asks for it where all of HEAD should have been applied, as in a scheduled job that looks for drift.
    Raises ConfigError where git cannot be asked.
    """
    if environment.get("GITHUB_ACTIONS"):
        return _HEAD if applied else _on_github(environment, root)
    if environment.get("GITLAB_CI"):
        return _HEAD if applied else _on_gitlab(environment)
    if environment.get("CI", "").lower() in ("true", "1"):
        return _HEAD if applied else _BEFORE_HEAD
    return None


def _on_github(environment: Mapping[str, str], root: Path) -> str:
    """A pull request's merge base, a push's commit before; a job that no commit started has nothing new to apply."""
    if branch := environment.get("GITHUB_BASE_REF"):
        upstream = f"refs/remotes/origin/{branch}"
        return merge_base(root, _HEAD, upstream) or upstream
    if environment.get("GITHUB_EVENT_NAME") == "push":
        with suppress(OSError, ValueError, KeyError, TypeError):
            event = decoded(Path(environment["GITHUB_EVENT_PATH"]).read_bytes())
            return _unless_new(str(event["before"]))
        return _BEFORE_HEAD
    return _HEAD


def _on_gitlab(environment: Mapping[str, str]) -> str:
    if base := environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"):
        return base
    if environment.get("CI_PIPELINE_SOURCE") == "push":
        return _unless_new(environment.get("CI_COMMIT_BEFORE_SHA", ""))
    return _HEAD


def _unless_new(commit: str) -> str:
    """The commit before; a branch that is new has zeros there."""
    return commit if commit.strip("0") else _BEFORE_HEAD
