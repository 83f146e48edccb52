"""What was last applied, from git or from CI, and what was chosen for fields that somebody else changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from reconciler.config.errors import ConfigError, error, info, warning
from reconciler.config.manifests.load import Loaded, load
from reconciler.config.settings import load_settings
from reconciler.config.source.git import CommittedFiles, commit_of
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.config.targets import Marks
from reconciler.core.decide import ConflictPolicy, OnDrift, Resolve
from reconciler.core.last_applied import NO_BASE, BaseSource
from reconciler.diagnostics import Code, Diagnostic
from reconciler.engine.state.lockfile import LARGEST, NAME
from reconciler.operations.invalid_argument import InvalidArgument
from reconciler.operations.planning.ci_base import base_ref
from reconciler.operations.project.session import Session


@dataclass(frozen=True, slots=True)
class DriftChoices:
    """What was chosen. `applied` says that the files are expected to have been applied already (`drift`)."""

    base: str = "auto"
    on_drift: str = "revert"
    resolve: str | None = None
    applied: bool = False

    @property
    def policy(self) -> ConflictPolicy:
        """The part of the choices that the core needs."""
        return ConflictPolicy(OnDrift(self.on_drift), Resolve(self.resolve) if self.resolve else None)


DEFAULT_CHOICES = DriftChoices()


def base_source(session: Session, choices: DriftChoices) -> tuple[BaseSource, Sequence[Diagnostic]]:
    """The source of what was last applied, and the diagnostics about it.

    Raises ConfigError if a given ref cannot be read, and if a choice needs a base and there is none.
    """
    source = NO_BASE if choices.base == "none" else BaseSource()
    diagnostics: list[Diagnostic] = []
    try:
        if ref := base_of(session, choices):
            compare_lock_file(session, ref)
            source = BaseSource({m.address: m for m in files_at(session, ref).manifests})
    except ConfigError as unknown:
        if choices.base != "auto":
            raise
        summary = f"the previous commit is not known: {unknown.diagnostics[0].summary}"
        hint = "without it, a manual change looks like an edit in the files; fetch more history, or give --base"
        diagnostics = [info(Code.BASE_UNKNOWN, summary, None, hint=hint)]
    remembers = session.target.marks is not Marks.NAMES or source.files
    if (choices.on_drift != "revert" or choices.resolve) and not remembers:
        summary = "nothing records what was last applied, so manual changes look like edits in the files"
        hint = "give --base git:REF, or set `marks: digests` on the target"
        raise ConfigError([error(Code.BASE_UNKNOWN, summary, None, "", hint)])
    if choices.on_drift != "revert" and session.target.marks is Marks.NAMES:
        summary = (
            f"git records what was wanted, not what was applied: --on-drift {choices.on_drift} only labels the changes"
        )
        hint = "set `marks: digests` on the target to keep or refuse manual changes"
        diagnostics = [*diagnostics, warning(Code.BASE_UNKNOWN, summary, None, hint=hint)]
    return source, diagnostics


def base_of(session: Session, choices: DriftChoices) -> str | None:
    """The ref of what was last applied; None where there is none. Raises ConfigError where git cannot be asked."""
    if choices.base == "none":
        return None
    if choices.base == "auto":
        return base_ref(session.environment, session.root, applied=choices.applied)
    return git_ref(choices.base, "--base")


def compare_lock_file(session: Session, ref: str) -> None:
    """Take lines of the lock file for claims that it does not have at a commit. Raises ConfigError."""
    if session.marks_beside:
        with closing(CommittedFiles(session.root, (), commit_of(session.root, ref))) as files:
            try:
                session.compare_lock_file(files.read(str(session.root / NAME), LARGEST))
            except UnreadableFile:
                session.compare_lock_file(None)


def check_lock_file(session: Session, choices: DriftChoices) -> None:
    """Compare the lock file with that of the base, where one is known. Raises ConfigError for a ref that is named."""
    try:
        if session.marks_beside and (ref := base_of(session, choices)):
            compare_lock_file(session, ref)
    except ConfigError:
        if choices.base != "auto":
            raise


def git_ref(text: str, option: str) -> str:
    """The REF of `git:REF`. Raises InvalidArgument naming the option."""
    scheme, _, ref = text.partition(":")
    if scheme != "git" or not ref:
        meant = "" if ":" in text or not text else f"; did you mean git:{text}?"
        raise InvalidArgument(
            option, Code.BAD_GIT_REF, f"{text!r} is not a commit, git:REF{meant} (for a target, use --target)"
        )
    return ref


def files_at(session: Session, ref: str) -> Loaded:
    """The manifests of the session's target as a commit has them. Raises ConfigError where they cannot be read."""
    root, dirs = session.root, session.options.dirs
    with closing(CommittedFiles(root, dirs, commit_of(root, ref))) as files:
        settings = load_settings(root, dirs, schemas=session.schemas, files=files, environment=session.environment)
        target = settings.targets.get(session.target.name, session.target)
        files.directories = (*dirs, *map(Path, target.layers))
        return load(
            root,
            dirs,
            settings=settings,
            target=target,
            provider=session.provider,
            schemas=session.schemas,
            files=files,
            secret_like_allowed=True,  # it is there already: what counts is what stands in its place
        )
