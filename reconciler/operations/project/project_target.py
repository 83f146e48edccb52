"""A project and one of its targets, as the files say: settings, provider, kinds, manifests. Nothing is asked of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.config.errors import ConfigError, error
from reconciler.config.manifests.load import Loaded, load
from reconciler.config.manifests.manifest import ManifestContext
from reconciler.config.schema.schemas import schemas_of
from reconciler.config.settings import load_settings
from reconciler.config.shared_accounts import owner_of
from reconciler.config.targets import Marks, Settings, Target
from reconciler.core.values.marks import Signing
from reconciler.diagnostics import Code
from reconciler.drivers.filename_marks import codes
from reconciler.drivers.provider import Limits, Provider
from reconciler.engine.snapshot import KindOnTarget
from reconciler.operations.project.cache_location import open_validation_cache
from reconciler.operations.project.kinds import kinds_of
from reconciler.operations.project.project_options import ProjectOptions
from reconciler.operations.project.state_directory import state_of
from reconciler.tree import Tree

if TYPE_CHECKING:
    from reconciler.drivers.credentials.connection_settings import ConnectionSettings


class ProjectTarget:
    """One project and one of its targets, as options choose them. Everything is read once, when needed.

    Of credentials, `connection` and `signing` read what the environment has; nothing is sent.
    """

    def __init__(self, options: ProjectOptions, environment: Mapping[str, str] | None = None) -> None:
        self.options = options
        self.root = options.directory.absolute()
        self.environment = os.environ if environment is None else environment
        self.schemas = schemas_of(self.root, self.environment)
        self.uploaded_keys: dict[str, str] = {}
        """Keys of manifests of files, by the code that a mark in a name has for each."""

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
        """The owner. Raises ConfigError if it is required and not set."""
        if owner := owner_of(self.settings, self.target):
            return owner
        if self.provider.embedded:
            return "local"
        hint = (
            "write `owner: NAME` into reconciler.yaml: it is written to every object, so that teams can share an "
            "account"
        )
        raise ConfigError([error(Code.OWNER_REQUIRED, f"target {self.target.name!r} needs an owner", None, "", hint)])

    @property
    def reading(self) -> ManifestContext:
        """What decides how manifests are read."""
        return ManifestContext(self.settings, self.target, self.provider, self.schemas)

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
        from reconciler.operations.project.credentials import mark_keys

        return mark_keys(self.environment, self.target.name)

    def signing(self) -> Signing | None:
        """What marks are signed with, for the account that answers; None where no key is set. Raises ConfigError."""
        return Signing(self._mark_keys, self.account() or "") if self._mark_keys else None

    def account(self) -> str | None:
        """The account that answers, as far as it is known: the embedded server has one for each target."""
        return self.target.name if self.provider.embedded else None

    @cached_property
    def url(self) -> str:
        """The target's base URL. Raises ConfigError where neither target nor provider has one."""
        if url := self.target.url or self.provider.url:
            return url
        summary = f"target {self.target.name!r} has no url, and provider {self.provider.name!r} has no default"
        raise ConfigError([error(Code.INVALID_SETTINGS, summary, self.target.source, "", "add `url: https://…/v1`")])

    @cached_property
    def connection(self) -> ConnectionSettings:
        """Where requests go and with what. Raises ConfigError for a missing or misdirected credential."""
        from reconciler.operations.project.credentials import connection_to

        return connection_to(self.provider, self.target, self.url, self.limits, self.environment)

    def load(self, *, lean: bool = False) -> Loaded:
        """The manifests for the target. Raises ConfigError with every problem of every file.

        With `lean`, most bodies are not kept, but read again when somebody asks.
        """
        memory = None
        if lean and not self.options.allow_secret_like:  # what only that accepts is not to be remembered as accepted
            memory = open_validation_cache(self.state, self.environment, self.settings, self.target, self.schemas)
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
        self.uploaded_keys.update(codes(each.address.key for each in loaded.manifests if each.address.kind in uploaded))
        if not loaded.ok:
            raise ConfigError(loaded.diagnostics)
        return loaded

    @cached_property
    def neighbours(self) -> frozenset[str]:
        """The owners of other targets in these settings."""
        owners = {owner_of(self.settings, each) for each in self.settings.targets.values()}
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
