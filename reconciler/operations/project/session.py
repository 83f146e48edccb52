"""A project, one of its targets and the connection to it: what every operation that asks a target starts from."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.config.manifests.load import Loaded
from reconciler.config.shared_accounts import targets_at_same_url
from reconciler.config.targets import Prune
from reconciler.core.decide import DEFAULT_POLICY, ConflictPolicy
from reconciler.core.plan import Scope, TargetIdentity
from reconciler.core.values.model import Address, Manifest
from reconciler.drivers.base import Driver, RemoteError
from reconciler.drivers.provider import default_kind
from reconciler.engine.compact import Compactor
from reconciler.engine.snapshot import Snapshot, Wanted, observe, with_members
from reconciler.engine.state.filename_mark_driver import FilenameMarkDriver
from reconciler.engine.state.journal import Journal, seconds_up
from reconciler.engine.state.lockfile import LockFile
from reconciler.engine.state.lockfile_driver import LockFileDriver
from reconciler.operations.project.address_lookup import addresses_of_manifests
from reconciler.operations.project.equal_accounts import refuse_equal_accounts, refuse_equal_credentials
from reconciler.operations.project.project_options import ProjectOptions
from reconciler.operations.project.project_target import ProjectTarget
from reconciler.operations.project.shared_connections import SharedConnections
from reconciler.operations.project.state_directory import GUARD, ensure_state
from reconciler.operations.reporter import SILENT, Reporter
from reconciler.tree import Tree

if TYPE_CHECKING:
    from reconciler.drivers.rest import RestDriver
    from reconciler.engine.locks.lock_protocol import Lock


class Session(ProjectTarget):
    """A project and one of its targets, with a driver for it.

    A context manager: leaving it ends what it sends, and closes what it opened. `connections` is what outlives it,
    closed by whoever made that; without it, nothing does. `stop` ends waits: set by the signal handlers of `apply`.
    `lock` is the target's, while it is held. `sent` hears of the bytes of files as they go out.
    """

    def __init__(
        self,
        options: ProjectOptions,
        environment: Mapping[str, str] | None = None,
        connections: SharedConnections | None = None,
        reporter: Reporter = SILENT,
    ) -> None:
        super().__init__(options, environment)
        self.reporter = reporter
        self.connections = connections or SharedConnections()
        self._owns_connections = connections is None
        self.stop = threading.Event()
        self.lock: Lock | None = None
        self.sent: Callable[[int], None] = lambda count: None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Send nothing any more, and close what was opened. Closing twice is fine."""
        if remote := self.__dict__.get("_remote"):  # one that nobody asked for is not made to be closed
            remote.close()
        if self._owns_connections:
            self.connections.close()

    @property
    def identity(self) -> TargetIdentity:
        """What plans are bound to; the account is known once the target has been read."""
        return TargetIdentity(self.target.name, self.provider.name, self.url, self._remote.account)

    def scope(
        self,
        addresses: Sequence[str],
        loaded: Loaded | None,
        allow_deletes: int | None,
        policy: ConflictPolicy = DEFAULT_POLICY,
    ) -> Scope:
        """What may be planned, and how. Raises ConfigError for an address without a manifest."""
        only = frozenset(addresses_of_manifests(addresses, loaded.manifests if loaded else ())) or None
        prune = self.settings.prune is Prune.OWNED
        elsewhere = loaded.elsewhere if loaded else frozenset()
        return Scope(
            self.owner,
            prune,
            allow_deletes,
            only,
            policy,
            self.digests,
            elsewhere,
            neighbours=self.neighbours,
            settle_seconds=self.limits.settle_seconds,
            made_here=self.journal.nonces,
        )

    def refresh(
        self,
        kinds: Collection[str],
        *,
        orphans: bool = False,
        wanted: Sequence[Manifest] | None = None,
        members: Wanted = lambda kind, name, live: False,
        manifests: Sequence[Manifest] = (),
    ) -> Snapshot:
        """Read the target: these kinds and the default one, and the `members` that are asked for, named by `manifests`.

        Of objects that are as `wanted`, not all is kept.

        To find `orphans` of kinds that have left the files altogether, with `prune: owned` every other kind is read as
        well that the target serves. Raises RemoteError.
        """
        named = {*kinds, default_kind(self.provider)}
        needed = named | {
            style.of
            for name in named & self.provider.kinds.keys()
            for style in self.provider.kinds[name].members.values()
        }
        searched = orphans and self.settings.prune is Prune.OWNED
        others = {each.kind.name for each in self.kinds} - needed if searched else set()
        read = [each for each in self.kinds if each.kind.name in needed | others]
        compactor = None if wanted is None else Compactor(wanted, self.owner, digests=self.digests)
        read_at = time.monotonic()
        try:
            snapshot = observe(self.driver, read, self.journal, optional=others, compactor=compactor)
            refuse_equal_accounts(
                self, self._at_the_same_url(), (live for each in snapshot.observed for live in each.objects[:1])
            )
            return self.load_members(replace(snapshot, read_at=read_at), members, wanted or manifests)
        except RemoteError as problem:
            problem.diagnostics = (replace(problem.diagnostic, source=self.target.source),)
            raise

    def refresh_kinds(self, snapshot: Snapshot, kinds: Collection[str]) -> Snapshot:
        """What was read, and these kinds as well, as far as the target serves them. Raises RemoteError."""
        order = [each.kind.name for each in self.kinds]
        more = observe(self.driver, [e for e in self.kinds if e.kind.name in kinds], self.journal, optional=kinds)
        observed = sorted((*snapshot.observed, *more.observed), key=lambda each: order.index(each.kind.name))
        return replace(snapshot, observed=tuple(observed), unsettled=(*snapshot.unsettled, *more.unsettled))

    def load_members(self, snapshot: Snapshot, members: Wanted, manifests: Sequence[Manifest]) -> Snapshot:
        """What was read, with the members of the collections that are wanted. Raises RemoteError."""
        seen = with_members(self.driver, self.kinds, snapshot.observed, self.owner, members, manifests)
        return replace(snapshot, observed=seen)

    @cached_property
    def driver(self) -> Driver:
        """A driver for the target.

        Raises ConfigError for a missing or misdirected credential, and where another target sends the same.
        """
        refuse_equal_credentials(self, self._at_the_same_url())
        named = FilenameMarkDriver(
            self._remote, self.provider, lambda: self.owner, lambda: self.uploaded_keys, self.signing
        )
        return LockFileDriver(named, self._lock_file) if self.marks_beside else named

    def _at_the_same_url(self) -> Iterator[Session]:
        """The targets in these settings that may be the same account, each for as long as it is looked at."""
        for target in targets_at_same_url(self.settings, self.target, self.schemas):
            options = replace(self.options, target=target.name)
            with Session(options, self.environment, reporter=self.reporter) as other:
                yield other

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other runs from writing what this one writes, as far as files are concerned. Raises LockFileError."""
        with self._lock_file.held() if self.marks_beside else nullcontext():
            yield

    @cached_property
    def _lock_file(self) -> LockFile:
        ensure_state(self.state)
        return LockFile(Tree(self.root), GUARD, self.target.name, self.url, self.account, self.journal)

    def compare_lock_file(self, base: bytes | None) -> None:
        """Take lines of the lock file for claims that an earlier one does not have; None where there was none."""
        self._lock_file.compare(base)

    def unresolved(self) -> frozenset[Address]:
        """The addresses of creates whose answer was lost, where no mark on an object tells; once the target was read.

        Raises LockFileError where the lock file is of another account.
        """
        return self._lock_file.unresolved() if self.marks_beside else frozenset()

    def forget_create(self, address: Address) -> None:
        """Forget a create whose answer was lost. Raises OSError."""
        self._lock_file.forget(address.kind, address.key)

    @cached_property
    def _remote(self) -> RestDriver:
        from reconciler.operations.project.target_driver import open_driver

        def sent(count: int) -> None:
            self.sent(count)  # whoever hears of it comes later

        return open_driver(
            self,
            self.connections,
            trace=self.reporter.trace,
            pause=self.stop.wait,
            fence=lambda: self.lock.seconds_left() if self.lock else math.inf,
            sent=sent,
        )

    @cached_property
    def journal(self) -> Journal:
        """What this machine remembers of its creates on this target."""
        return Journal(
            self.state.within("journal"),
            self.url,
            self.limits.settle_seconds,
            time.time,
            owner=self.owner,
            ticks=seconds_up,
            account=self.account,
        )

    def account(self) -> str | None:
        """The account that answers, as far as it is known: the embedded server has one for each target."""
        return super().account() or self._remote.account
