"""What a remote has no request for: said when it is planned, not found out when it is applied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.core.decide import Decision
from reconciler.core.model import (
    Action,
    Block,
    Blocker,
    Change,
    Manifest,
    Path,
)
from reconciler.core.parts import stuck_parts
from reconciler.core.semantics import Kind, meaning_of
from reconciler.diagnostics import Code, Diagnostic, Severity


def refuse_inexpressible(kind: Kind, decision: Decision) -> Block | None:
    """Taking a part out of a value that the remote merges into, where nothing clears that part."""
    names = [_dotted(path) for path in _stuck(kind, decision)]
    if not names:
        return None
    hint = f"no request can take out {', '.join(names)}: write the value that is wanted, or the one that is there"
    return Block(Blocker.INEXPRESSIBLE, hint)


def inexpressible(kind: Kind, manifest: Manifest, decision: Decision) -> Iterator[Diagnostic]:
    """A warning for each part that left the manifest and would stay on the object, with its place in the file."""
    for path in _stuck(kind, decision):
        summary = f"{_dotted(path)} left the file, but the remote merges and would keep it"
        place, address = manifest.place(path), str(manifest.address)
        yield Diagnostic(Severity.WARNING, Code.INEXPRESSIBLE, summary, source=place, address=address)


def archived(kind: Kind, changes: Iterable[Change]) -> Iterator[Diagnostic]:
    """For each delete, that the object is only archived, where a remote deletes nothing."""
    for change in changes:
        if kind.archives and change.action is Action.DELETE:
            summary = f"{change.id} is archived, because this API deletes nothing: it cannot be brought back"
            yield Diagnostic(Severity.INFO, Code.ARCHIVED, summary, address=str(change.address))


def _stuck(kind: Kind, decision: Decision) -> Iterator[Path]:
    if kind.nested == "merge":
        for write in decision.writes:
            yield from stuck_parts(meaning_of(kind, write.unit), write.after, write.before, write.unit)


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))
