"""What every verb that reads files or talks to a target starts from: settings, target, provider, manifests, driver."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Options
from reconciler.config.errors import ConfigError, error
from reconciler.config.manifests.load import Loaded, load
from reconciler.config.schema.schemas import schemas_of
from reconciler.config.settings import load_settings
from reconciler.config.shared_accounts import owner_of
from reconciler.config.targets import Marks, Prune, Settings, Target
from reconciler.core.decide import AS_USUAL, ConflictPolicy
from reconciler.core.plan import Scope, TargetIdentity
from reconciler.core.values.marks import Signing
from reconciler.core.values.model import Address, Manifest
from reconciler.diagnostics import Code
from reconciler.drivers.base import Driver, RemoteError
from reconciler.drivers.filename_marks import codes
from reconciler.drivers.provider import Limits, Provider, default_kind
from reconciler.engine.compact import Compactor
from reconciler.engine.snapshot import KindOnTarget, Snapshot, Wanted, observe, with_members
from reconciler.engine.state.filename_mark_driver import NamedDriver
from reconciler.engine.state.journal import Journal, seconds_up
from reconciler.engine.state.lockfile import LockFile
from reconciler.engine.state.lockfile_driver import LockFileDriver
from reconciler.operations.project.address_lookup import known_addresses
from reconciler.operations.project.cache_location import memory_of
from reconciler.operations.project.kinds import kinds_of
from reconciler.operations.project.shared_connections import Kept
from reconciler.operations.project.state_directory import GUARD, made, state_of
from reconciler.tree import Tree

if TYPE_CHECKING:
    from reconciler.drivers.credentials.connection_settings import Connection
    from reconciler.drivers.rest import RestDriver
    from reconciler.engine.locks.lock import Lock


class Session:
    """One project and one of its targets, as the global options choose them. Everything is read once, when needed.

    A context manager: leaving it ends what it sends, and closes what it opened. `kept` is what outlives it, closed by
    whoever made that; without it, nothing does. `stop` ends waits: set by the signal handlers of `apply`. `lock` is the
    target's, while it is held. `sent` hears of the bytes of files as they go out.
    """

    def __init__(
        self,
        options: Options,
        environment: Mapping[str, str] | None = None,
        kept: Kept | None = None,
    ) -> None:
        self.kept = kept or Kept()
        self._owns_kept = kept is None
        self.options = options
        self.root = options.directory.absolute()
        self.environment = os.environ if environment is None else environment
        self.stop = threading.Event()
        self.lock: Lock | None = None
        self.schemas = schemas_of(self.root, self.environment)
        self.sent: Callable[[int], None] = lambda count: None
        self._keys: dict[str, str] = {}

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Send nothing any more, and close what was opened. Closing twice is fine."""
        if remote := self.__dict__.get("_remote"):  # one that nobody asked for is not made to be closed
            remote.close()
        if self._owns_kept:
            self.kept.close()

    @cached_property
    def state(self) -> Tree:
        """What this machine remembers of the project. Raises ConfigError where git tracks it."""
        return state_of(self.root)

    @cached_property
    def settings(self) -> Settings:
        """The settings in reconciler.yaml. Raises ConfigError."""
        return load_settings(self.root, self.options.dirs, schemas=self.schemas, environment=self.environment)

    @cached_property
    def target(self) -> Target:
        """The chosen target. Raises ConfigError when the settings have none of that name."""
        return self.settings.target(self.options.target)

    @cached_property
    def provider(self) -> Provider:
        """How the target speaks. Raises ConfigError for an unknown provider."""
        return self.schemas.provider(self.target.provider, self.target.source)

    @cached_property
    def owner(self) -> str:
        """Who manages. Raises ConfigError where it has to be said and is not."""
        if owner := owner_of(self.settings, self.target):
            return owner
        if self.provider.embedded:
            return "local"
        hint = "write `owner: NAME` into reconciler.yaml: it is put on every object, so that teams do not meet"
        raise ConfigError([error(Code.OWNER_REQUIRED, f"target {self.target.name!r} needs an owner", None, "", hint)])

    @cached_property
    def limits(self) -> Limits:
        """The provider's limits with the target's changes."""
        return self.schemas.limits(self.provider, self.target)

    @cached_property
    def kinds(self) -> tuple[KindOnTarget, ...]:
        """The kinds of the target, in order of dependency."""
        return kinds_of(self.provider, self.schemas, self.signing, beside=self.marks_beside)

    @cached_property
    def _mark_keys(self) -> tuple[bytes, ...]:
        from reconciler.operations.project.signing_keys import mark_keys

        return mark_keys(self.environment, self.target.name)

    def signing(self) -> Signing | None:
        """What marks are signed with, for the account that answers; None where no key is set. Raises ConfigError."""
        return Signing(self._mark_keys, self.account() or "") if self._mark_keys else None

    @property
    def identity(self) -> TargetIdentity:
        """What plans are bound to; the account is known once the target has been read."""
        return TargetIdentity(self.target.name, self.provider.name, self.url, self._remote.account)

    @cached_property
    def url(self) -> str:
        """The target's base URL. Raises ConfigError where neither target nor provider has one."""
        if url := self.target.url or self.provider.url:
            return url
        summary = f"target {self.target.name!r} has no url, and provider {self.provider.name!r} has none of its own"
        raise ConfigError([error(Code.INVALID_SETTINGS, summary, self.target.source, "", "add `url: https://…/v1`")])

    def load(self, *, lean: bool = False) -> Loaded:
        """The manifests for the target. Raises ConfigError with every problem of every file.

        With `lean`, most bodies are not kept, but read again when somebody asks.
        """
        memory = None
        if lean and not self.options.allow_secret_like:  # what only that accepts is not to be remembered as accepted
            memory = memory_of(self.state, self.environment, self.settings, self.target, self.schemas)
        loaded = load(
            self.root,
            self.options.dirs,
            settings=self.settings,
            target=self.target,
            provider=self.provider,
            schemas=self.schemas,
            secret_like_allowed=self.options.allow_secret_like,
            kinds={on_target.kind.name: on_target.kind for on_target in self.kinds} if lean else None,
            memory=memory,
        )
        # A mark in a name has only the digest of its key: these are the keys it may be.
        uploaded = {name for name, kind in self.provider.kinds.items() if kind.upload}
        self._keys.update(codes(each.address.key for each in loaded.manifests if each.address.kind in uploaded))
        if not loaded.ok:
            raise ConfigError(loaded.diagnostics)
        return loaded

    def scope(
        self,
        addresses: Sequence[str],
        loaded: Loaded | None,
        allow_deletes: int | None,
        policy: ConflictPolicy = AS_USUAL,
    ) -> Scope:
        """What may be planned, and how. Raises ConfigError for an address without a manifest."""
        only = frozenset(known_addresses(addresses, loaded.manifests if loaded else ())) or None
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
            made=self.journal.nonces,
        )

    @cached_property
    def neighbours(self) -> frozenset[str]:
        """The owners of other targets in these settings."""
        owners = {each.owner or self.settings.owner for each in self.settings.targets.values()}
        return frozenset(owner for owner in owners if owner and owner != self.owner)

    @property
    def digests(self) -> bool:
        """Whether marks keep digests of what is applied."""
        return self.marks_beside or self.target.marks is Marks.DIGESTS

    @property
    def marks_beside(self) -> bool:
        """Whether marks are kept in the lock file: where that is asked for, and where objects cannot carry any."""
        markless = any(not (kind.mark_field or kind.upload) for kind in self.provider.kinds.values())
        return markless or self.target.marks is Marks.LOCK_FILE

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
        from reconciler.operations.project.equal_accounts import (
            refuse_equal_accounts,  # here, because it takes sessions
        )

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
            sight = observe(self.driver, read, self.journal, optional=others, compactor=compactor)
            refuse_equal_accounts(self, (live for each in sight.observed for live in each.objects[:1]))
            return self.load_members(replace(sight, read_at=read_at), members, wanted or manifests)
        except RemoteError as problem:
            problem.diagnostics = (replace(problem.diagnostic, source=self.target.source),)
            raise

    def refresh_kinds(self, sight: Snapshot, kinds: Collection[str]) -> Snapshot:
        """What was read, and these kinds as well, as far as the target serves them. Raises RemoteError."""
        order = [each.kind.name for each in self.kinds]
        more = observe(self.driver, [e for e in self.kinds if e.kind.name in kinds], self.journal, optional=kinds)
        observed = sorted((*sight.observed, *more.observed), key=lambda each: order.index(each.kind.name))
        return replace(sight, observed=tuple(observed), unsettled=(*sight.unsettled, *more.unsettled))

    def load_members(self, sight: Snapshot, members: Wanted, manifests: Sequence[Manifest]) -> Snapshot:
        """What was read, with the members of the collections that are wanted. Raises RemoteError."""
        seen = with_members(self.driver, self.kinds, sight.observed, self.owner, members, manifests)
        return replace(sight, observed=seen)

    @cached_property
    def driver(self) -> Driver:
        """A driver for the target.

        Raises ConfigError for a missing or misdirected credential, and where another target sends the same.
        """
        from reconciler.operations.project.equal_accounts import refuse_equal_credentials

        refuse_equal_credentials(self)
        named = NamedDriver(self._remote, self.provider, lambda: self.owner, lambda: self._keys, self.signing)
        return LockFileDriver(named, self._lock_file) if self.marks_beside else named

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other runs from writing what this one writes, as far as files are concerned. Raises LockFileError."""
        with self._lock_file.held() if self.marks_beside else nullcontext():
            yield

    @cached_property
    def _lock_file(self) -> LockFile:
        made(self.state)
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
    def connection(self) -> Connection:
        """Where requests go and with what. Raises ConfigError for a missing or misdirected credential."""
        from reconciler.operations.project.target_connection import connection_to

        return connection_to(self.provider, self.target, self.url, self.limits, self.environment)

    @cached_property
    def _remote(self) -> RestDriver:
        from reconciler.operations.project.target_driver import remote_of

        return remote_of(self)

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
        return self.target.name if self.provider.embedded else self._remote.account


def session_of(options: Options) -> Session:
    """The session of the verb that runs, closed when it ends: whatever it did, and however that went."""
    return click.get_current_context().with_resource(Session(options))
