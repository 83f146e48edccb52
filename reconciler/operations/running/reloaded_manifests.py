"""The manifests of a target, for as long as a worker runs: read again when files have changed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from reconciler.config.checks.policy_checks import check_plan
from reconciler.config.checks.policy_files import load_policies
from reconciler.config.errors import ConfigError, error
from reconciler.config.source.project_files import ProjectFiles
from reconciler.core.plan import Plan
from reconciler.core.values.model import Address, Manifest
from reconciler.diagnostics import Code
from reconciler.operations.project.session import Session

LOOK_SECONDS: Final = 10.0
"""How long files are trusted to be as they were."""


class ReloadedManifests:
    """The manifests of a target, read again when files have changed, unless those do not load."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._state = self._signature()
        self._looked = time.monotonic()
        self._read()

    def manifests(self, addresses: Collection[Address]) -> Sequence[Manifest]:
        """Those of some addresses; one that has none is left out."""
        found = self._fresh()
        return [found[address] for address in addresses if address in found]

    def addresses(self) -> Mapping[Address, Manifest]:
        """All that have a manifest."""
        return self._fresh()

    def bound(self) -> frozenset[tuple[str, str]]:
        """The objects that manifests name by id: their kinds and ids."""
        self._fresh()
        return self._bound

    def judged(self, plan: Plan, manifests: Sequence[Manifest]) -> Plan:
        """A plan checked with the policies."""
        return check_plan(self._policies, plan, manifests, self._session.provider, self._session.schemas)

    def _fresh(self) -> dict[Address, Manifest]:
        with self._lock:
            if time.monotonic() - self._looked > LOOK_SECONDS:
                if (state := self._signature()) != self._state:
                    try:
                        self._read()
                    except ConfigError as problem:
                        self._session.reporter.not_reloaded(problem.diagnostics[0])
                    self._state = state
                self._looked = time.monotonic()
            return self._manifests

    def _read(self) -> None:
        session = self._session
        policies = load_policies(session.root, session.settings, session.schemas)
        manifests = {manifest.address: manifest for manifest in session.load().manifests}
        self._refuse_collections(manifests.values())
        self._policies, self._manifests = policies, manifests
        self._bound = frozenset((m.address.kind, m.id) for m in manifests.values() if m.id is not None)

    def _refuse_collections(self, manifests: Iterable[Manifest]) -> None:
        """A chunk reads objects, not what is in them. Raises ConfigError."""
        kinds = {on_target.kind.name: on_target.kind for on_target in self._session.kinds}
        for manifest in manifests:
            kind = kinds[manifest.address.kind]
            if kind.immutable or not kind.managed_maps.isdisjoint(manifest.body):
                summary = f"{manifest.address}: workers do not upload or attach files"
                hint = "apply this target from one machine"
                raise ConfigError([error(Code.UNSUPPORTED, summary, manifest.source, "", hint)])

    def _signature(self) -> dict[str, tuple[int, int]]:
        session = self._session
        found: dict[str, tuple[int, int]] = {}
        project = ProjectFiles(session.root, session.options.dirs)
        for directory in (*map(str, session.options.dirs), *session.target.layers, "policies"):
            top = session.root / directory
            for path, _, names in os.walk(top) if project.holds(os.path.realpath(top)) else ():
                for name in names:
                    file = os.path.join(path, name)
                    try:
                        stat = os.stat(file)
                    except OSError:
                        continue
                    found[file] = (stat.st_mtime_ns, stat.st_size)
        return found
