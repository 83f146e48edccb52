"""The same as a library: `from reconciler import load, plan, apply`.

What comes back are the frozen values of `core.model`; what fails raises a `ReconcilerError` (see `core.errors`).
Nothing is printed, and nobody is asked: `apply` sends what the plan says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from reconciler.config.manifests.load import Loaded
from reconciler.core.plan import Plan
from reconciler.core.values.model import Manifest
from reconciler.diagnostics import Diagnostic
from reconciler.formats.outcome import Outcome
from reconciler.operations.applying.apply_plan import carry_out, saved_plan
from reconciler.operations.planning.git_base import DriftChoices
from reconciler.operations.planning.live_plan import plan_live
from reconciler.operations.project.project_options import ProjectOptions
from reconciler.operations.project.session import Session

OnDrift = Literal["revert", "keep", "fail"]
Resolve = Literal["ours", "theirs"]


@dataclass(frozen=True, slots=True)
class Project:
    """The manifests of a directory for one of its targets, as they were when they were read.

    `diagnostics` holds what is worth telling and stops nothing: with errors there is no project. A context manager:
    leaving it closes the connections and the database that `plan` and `apply` opened. It cannot be used afterwards.
    """

    directory: Path
    target: str
    manifests: tuple[Manifest, ...]
    diagnostics: tuple[Diagnostic, ...]
    _session: Session = field(repr=False, compare=False)
    _loaded: Loaded = field(repr=False, compare=False)

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """The same without `with`. Closing twice is fine."""
        self._session.close()


def load(
    directory: str | Path = ".",
    *,
    target: str | None = None,
    dirs: Sequence[str | Path] = ("assistants.d",),
    environment: Mapping[str, str] | None = None,
) -> Project:
    """Read the files of a project for one target; without a name, for its default target. No network, no credential.

    `dirs` are relative to `directory`. Credentials come from `environment` (default: the process's), when they are
    needed.
    Raises ConfigError with every problem of every file.
    """
    root = Path(directory)
    session = Session(ProjectOptions(root, tuple(map(Path, dirs)), target), environment)
    loaded = session.load()
    return Project(root, session.target.name, loaded.manifests, loaded.diagnostics, session, loaded)


def plan(
    project: Project,
    addresses: Sequence[str] = (),
    *,
    allow_deletes: int | None = None,
    base: str = "auto",
    on_drift: OnDrift = "revert",
    resolve: Resolve | None = None,
) -> Plan:
    """What differs between a project and its target. Reads the target, sends no write.

    With `addresses` (`kind/key`) only these are planned, and nothing is deleted. Raises ConfigError and RemoteError.
    """
    choices = DriftChoices(base, on_drift, resolve)
    return plan_live(project._session, addresses, allow_deletes, choices, project._loaded).plan


def apply(
    project: Project,
    plan: Plan,
    *,
    allow_deletes: int | None = None,
    parallelism: int | None = None,
    on_error: Literal["continue", "stop"] = "continue",
) -> tuple[Outcome, ...]:
    """Carry out the changes of a plan that are not blocked; an outcome for each, in the plan's order.

    The target is read again first. Raises StalePlan, before anything is sent, where the target or the files do not fit
    the plan any more; ConfigError where it is for another target or owner; RemoteError where the target cannot be read.
    What fails for one change is in its outcome, and raises nothing.
    """
    session = project._session
    ready, snapshot = saved_plan(session, plan, allow_deletes)
    stop = on_error == "stop"
    return tuple(carry_out(session, ready, snapshot, parallelism=parallelism, stop_on_error=stop))
