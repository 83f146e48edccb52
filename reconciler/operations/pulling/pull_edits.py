"""`pull --theirs`: live edits go into the files they belong to; nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.config.edit.overlay import FileOverlay
from reconciler.config.edit.writeback import WriteBack
from reconciler.config.errors import ConfigError, error
from reconciler.core.decide import decide_update
from reconciler.core.matching.match import Match
from reconciler.core.plan import match_all
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import Address, LiveObject, Manifest, Reason, Unit
from reconciler.diagnostics import Code
from reconciler.operations.project.address_lookup import addresses_of_manifests
from reconciler.operations.project.session import Session
from reconciler.tree import rewrite


@dataclass(frozen=True, slots=True)
class WrittenBack:
    """What was written for an address: the fields that were edited live, and the files they are in."""

    address: Address
    files: Sequence[str] = ()
    units: Sequence[Unit] = ()


def write_back(session: Session, addresses: Sequence[str]) -> list[WrittenBack]:
    """Make the manifests of some addresses say what is live. Nothing is written unless all of them can.

    Raises ConfigError, RemoteError, OSError.
    """
    loaded = session.load()
    manifests = {manifest.address: manifest for manifest in loaded.manifests}
    wanted = sorted(addresses_of_manifests(addresses, loaded.manifests))
    snapshot = session.refresh({address.kind for address in wanted})
    found = match_all(session.scope((), loaded, None), loaded.manifests, snapshot.observed)
    dirs = (*session.options.dirs, *map(Path, session.target.layers))
    target = WriteBack(FileOverlay(session.root, dirs), session.reading, loaded.manifests)
    edited = [_put(target, found[address.kind], manifests[address]) for address in wanted]
    for path, content in target.drafts.contents.items():
        rewrite(session.root, path, content)
    return edited


def _put(target: WriteBack, found: Match, manifest: Manifest) -> WrittenBack:
    """Put the live values of one address into the drafts."""
    live, mark = _live(found, manifest)
    kind = found.found.kind
    decision = decide_update(kind, manifest, live.body, mark)
    # A list of files says more than what is in: patterns, and files that are to come.
    edited = (write for write in decision.writes if write.unit[0] not in kind.managed_maps)
    if not (units := [write.unit for write in edited if write.reason is not Reason.COUPLED]):
        return WrittenBack(manifest.address)
    changed = target.put(found.found.kind, manifest, live.body, units)
    return WrittenBack(manifest.address, [target.drafts.name(path) for path in changed], units)


def _live(found: Match, manifest: Manifest) -> tuple[LiveObject, Mark | None]:
    """The object of a manifest, and our mark on it. Raises ConfigError where there is none."""
    live = found.pairs[manifest.address.key].live
    if live is None:
        hint = "`reconciler plan` shows whether it is to be created or adopted"
        summary = f"{manifest.address} has no live object that is managed here"
        raise ConfigError([error(Code.NO_SUCH_ADDRESS, summary, manifest.source, "", hint)])
    managed = found.found.marked.get(live.id)
    return live, managed.mark if managed else None
