"""The tool at work on one kind of one provider: plans and applies through its own driver, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reconciler.core.matching.index import Observation, index
from reconciler.core.plan import Plan, Scope, TargetIdentity, make_plan
from reconciler.core.values.model import Action, Address, Body, Change, Manifest
from reconciler.diagnostics import Source
from reconciler.drivers.base import Driver
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.engine.apply import ApplyOptions, apply_plan
from reconciler.engine.snapshot import observe
from reconciler.engine.state.journal import Journal
from reconciler.engine.state.lockfile import LockFile
from reconciler.engine.state.lockfile_driver import LockFileDriver
from reconciler.formats.outcome import Outcome
from reconciler.operations.project.kinds import kinds_of
from reconciler.tree import Tree
from tests.contract.sites import Site


class Account:
    """One account under management, read and written as `acme`."""

    def __init__(self, site: Site, directory: Path) -> None:
        case = site.case
        provider = case.schemas.provider(case.provider)
        beside = provider.kinds[case.kind].mark_field is None
        (self.on_target,) = (k for k in kinds_of(provider, case.schemas, beside=beside) if k.kind.name == case.kind)
        self.kind = self.on_target.kind
        self.site = site
        self._directory = directory
        key = next((name for name in provider.credentials), None)
        headers = dict(provider.headers)
        if site.headers is not None:
            headers |= site.headers
        elif key is not None:
            credential = provider.credentials[key]
            headers[credential.header] = credential.format.format("secret-1")
        self._identity = TargetIdentity("test", provider.name, site.url)
        connection = ConnectionSettings(site.url, headers, (), 60, 10**6, 10**6)
        live = site.headers is not None
        client = HttpClient(connection, wsgi_app=site.app, pause=None if live else lambda seconds: False)
        driver: Driver = RestDriver(provider, client)
        if beside:
            driver = LockFileDriver(driver, LockFile(Tree(directory), "guard", "test"))
        self.driver = driver

    def plan(self, files: Mapping[str, Body]) -> Plan:
        """The plan for these bodies by key; the guard is told the right number."""
        manifests = [
            Manifest(Address(self.kind.name, key), body, Source(f"{key}.yaml", 1, 1), same_name_allowed=True)
            for key, body in files.items()
        ]
        seen = observe(self.driver, [self.on_target], self._journal()).observed
        plan = make_plan(self._identity, Scope("acme", prune=True), "sha256:0", manifests, seen)
        deletes = sum(1 for change in plan.changes if change.blocked and change.blocked.by == "guard")
        if deletes:
            scope = Scope("acme", prune=True, allow_deletes=deletes)
            plan = make_plan(self._identity, scope, "sha256:0", manifests, seen)
        return plan

    def apply(self, files: Mapping[str, Body]) -> list[Outcome]:
        """Plan and carry out."""
        return self.carry_out(self.plan(files))

    def carry_out(self, plan: Plan) -> list[Outcome]:
        """Apply a plan against what is live by now."""
        options = ApplyOptions(concurrency=1, settle_seconds=0)
        return apply_plan(plan, self.driver, [self.on_target], (self.see(),), self._journal(), options)

    def see(self) -> Observation:
        """What the tool sees of the account."""
        (seen,) = observe(self.driver, [self.on_target], self._journal()).observed
        return seen

    def id_of(self, key: str) -> str:
        """The id of a key's object."""
        return index(self.kind, self.see().objects, "acme").managed[key].live.id

    def _journal(self) -> Journal:
        return Journal(Tree(self._directory, "journal"), self.site.url, 0, lambda: 1_700_000_000.0)


def due(plan: Plan) -> list[Change]:
    """What a plan would do, and what it may not."""
    return [change for change in plan.changes if change.action is not Action.NOOP]
