"""What `doctor` looks at, in order: the project, the way to the target, the target, this machine.

A check yields findings; whatever a verb would fail with makes it a failure with that error's own words. A check whose
ground is missing is left out, and says for what.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciler.config.env_values import is_given, resolve
from reconciler.config.errors import ConfigError
from reconciler.config.message_text import count
from reconciler.config.source.git_command import git_program
from reconciler.config.targets import EnvRef, Marks
from reconciler.core.matching.index import Index, index
from reconciler.diagnostics import Diagnostic, Severity, Source
from reconciler.drivers.credentials.credential_hosts import refuse_host
from reconciler.engine.snapshot import observe
from reconciler.engine.state.lockfile import NAME as LOCK_FILE
from reconciler.engine.state.lockfile import LockFile
from reconciler.operations.invalid_argument import diagnostics_of
from reconciler.operations.project.session import Session
from reconciler.operations.project.state_directory import GUARD
from reconciler.operations.project.state_directory import NAME as STATE
from reconciler.tree import Tree

_MOST_SHOWN: Final = 5


class Status(StrEnum):
    """How a check went."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skip"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found, and what to do about it."""

    check: str
    status: Status
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what it needs to have gone well, and how it is made."""

    name: str
    needs: tuple[str, ...]
    findings: Callable[[Session], Iterator[CheckResult]]


def run_checks(session: Session, checks: Sequence[Check]) -> Iterator[CheckResult]:
    """Every finding of every check; one that needs what failed is skipped."""
    missing: set[str] = set()
    for check in checks:
        if lacking := [name for name in check.needs if name in missing]:
            missing.add(check.name)
            yield CheckResult(check.name, Status.SKIPPED, f"needs {lacking[0]}, which failed")
            continue
        for finding in _made(check, session):
            if finding.status is Status.FAIL:
                missing.add(check.name)
            yield finding


def _made(check: Check, session: Session) -> Iterator[CheckResult]:
    try:
        yield from check.findings(session)
    except Exception as problem:
        if (diagnostics := diagnostics_of(problem)) is None:
            raise
        yield from results_of_diagnostics(check.name, diagnostics)


def results_of_diagnostics(check: str, diagnostics: Sequence[Diagnostic]) -> Iterator[CheckResult]:
    """Diagnostics as findings: errors first, and the number of those that are too many to tell."""
    ranked = sorted(diagnostics, key=lambda each: each.severity is not Severity.ERROR)
    for each in ranked[:_MOST_SHOWN]:
        status = Status.FAIL if each.severity is Severity.ERROR else Status.WARN
        place = f"{each.source}: " if each.source else ""
        yield CheckResult(check, status, f"{place}{each.summary} [{each.code}]", each.hint)
    if len(ranked) > _MOST_SHOWN:
        more = f"{len(ranked) - _MOST_SHOWN} more"
        yield CheckResult(check, Status.WARN, more, "`reconciler validate` shows all of them")


def _settings(session: Session) -> Iterator[CheckResult]:
    source, target = session.settings.source, session.target
    where = source.file if source else "no reconciler.yaml: using defaults"
    yield CheckResult("settings", Status.OK, f"{where}; target {target.name}, provider {session.provider.name}")


def _owner(session: Session) -> Iterator[CheckResult]:
    yield CheckResult("owner", Status.OK, session.owner)


def _files(session: Session) -> Iterator[CheckResult]:
    loaded = session.load()
    yield CheckResult("files", Status.OK, f"{count(len(loaded.manifests), 'manifest')} for {session.target.name}")
    yield from results_of_diagnostics(
        "files", [each for each in loaded.diagnostics if each.severity is not Severity.INFO]
    )


def _host(session: Session) -> Iterator[CheckResult]:
    if session.provider.embedded:
        yield CheckResult("host", Status.OK, "the embedded server, in this process")
        return
    from reconciler.operations.project.credentials import headers_of

    headers, _ = headers_of(session.provider, session.target, session.environment)
    refused = refuse_host(session.provider, session.url, headers, session.environment, session.target.source)
    yield from (
        results_of_diagnostics("host", [refused])
        if refused
        else [CheckResult("host", Status.OK, f"credentials may be sent to {session.url}")]
    )


def _credentials(session: Session) -> Iterator[CheckResult]:
    found = False
    for name, spec in session.provider.credentials.items():
        reference = session.target.credentials.get(name)
        if reference is None and spec.env and (is_given(session.environment, spec.env) or spec.required):
            place = session.target.source or Source("environment", 1, 1)
            reference = EnvRef(spec.env, place, session.target.name, f"credentials.{name}")
        if reference is not None:
            resolve(session.environment, reference, spec.own)
            found = True
            yield CheckResult("credentials", Status.OK, f"{name} is set, by {reference.name}")
        elif spec.entra_scope:
            found = True
            yield CheckResult("credentials", Status.OK, f"{name} is requested: a token for {spec.entra_scope}")
    if not session.provider.credentials:
        yield CheckResult("credentials", Status.OK, "none needed")
    elif not found:
        names = [each.env for each in session.provider.credentials.values() if each.env]
        yield CheckResult(
            "credentials", Status.WARN, "none is set", f"set {names[0]}" if names else "set one in the settings"
        )


def _api(session: Session) -> Iterator[CheckResult]:
    for kind in session.provider.kinds:
        first = next(iter(session.driver.list(kind)), None)
        yield CheckResult("API", Status.OK, f"{kind}: list works, {'with' if first else 'without'} objects")


def _account(session: Session) -> Iterator[CheckResult]:
    account = session.identity.account
    yield CheckResult("account", Status.OK, account or "the target does not report its account")


def _marks(session: Session) -> Iterator[CheckResult]:
    for observation in observe(session.driver, session.kinds, session.journal).observed:
        found = index(observation.kind, observation.objects, session.owner)
        owners = sorted({owned.mark.owner for owned in found.foreign})
        shown = [*owners[:_MOST_SHOWN], *(["…"] if len(owners) > _MOST_SHOWN else [])]
        foreign = f"{len(found.foreign)} of other owners" + (f" ({', '.join(shown)})" if owners else "")
        counts = f"{len(found.managed)} managed here, {foreign}, {len(found.unmarked)} without a mark"
        yield CheckResult("marks", Status.OK, f"{found.kind.name}: {count(len(found.by_id), 'object')}; {counts}")
        yield from _odd_marks(found)


def _odd_marks(found: Index) -> Iterator[CheckResult]:
    for ids, what, remedy in (
        ([live.id for live, _ in found.newer], "marked by a newer version", "upgrade; until then they are not changed"),
        ([live.id for live in found.damaged], "with a mark that cannot be read", "remove the mark, if nobody uses it"),
        ([clone.live.id for _, clone in found.clones], "copied, mark included", "remove the mark from the copies"),
        (
            [each.live.id for several in found.duplicates.values() for each in several],
            "created twice",
            "`reconciler apply` shows them",
        ),
    ):
        if ids:
            shown = ", ".join(ids[:_MOST_SHOWN]) + ("" if len(ids) <= _MOST_SHOWN else ", …")
            yield CheckResult("marks", Status.WARN, f"{found.kind.name}: {len(ids)} {what}: {shown}", remedy)


def _state(session: Session) -> Iterator[CheckResult]:
    nearest = session.root / STATE
    try:
        session.state.names()  # no link leads to it
        nearest = nearest if nearest.exists() else session.root
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except ConfigError as wrong:  # git tracks it
        yield CheckResult("state", Status.FAIL, wrong.diagnostics[0].summary, wrong.diagnostics[0].hint)
    except OSError as wrong:
        remedy = "make it writable: the journal of creates is kept there"
        yield CheckResult("state", Status.FAIL, f"{nearest} cannot be written: {wrong.strerror}", remedy)
    else:
        yield CheckResult("state", Status.OK, f"{STATE}/ can be written")


def _git(session: Session) -> Iterator[CheckResult]:
    try:
        git_program(session.root)
    except ConfigError:
        yield CheckResult(
            "git", Status.WARN, "git is not installed", "install it: --base git:REF and --against need it"
        )
        return
    if not any((each / ".git").exists() for each in (session.root, *session.root.parents)):
        yield CheckResult(
            "git", Status.WARN, "this is not a git repository", "run `git init` to compare with earlier files"
        )
    else:
        yield CheckResult("git", Status.OK, "git is installed, and this is a repository")


def _lock_file(session: Session) -> Iterator[CheckResult]:
    markless = any(not (kind.mark_field or kind.upload) for kind in session.provider.kinds.values())
    path = session.root / LOCK_FILE
    if session.target.marks is not Marks.LOCK_FILE and not markless:
        yield CheckResult("lock file", Status.OK, "not needed: marks are on the objects")
        return
    LockFile(Tree(session.root), GUARD, session.target.name)
    if path.exists():
        yield CheckResult("lock file", Status.OK, f"{LOCK_FILE} can be read")
    else:
        yield CheckResult("lock file", Status.OK, f"{LOCK_FILE} is created by the first apply; commit it then")


PROJECT: Final = (
    Check("settings", (), _settings),
    Check("owner", ("settings",), _owner),
    Check("files", ("settings",), _files),
    Check("state", (), _state),
    Check("git", (), _git),
    Check("lock file", ("settings",), _lock_file),
    Check("host", ("settings",), _host),
    Check("credentials", ("settings",), _credentials),
)
TARGET: Final = (
    Check("API", ("settings", "host", "credentials", "lock file", "network"), _api),
    Check("account", ("API",), _account),
    Check("marks", ("API", "owner", "state"), _marks),
)
