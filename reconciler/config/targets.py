"""The settings and targets of `reconciler.yaml` as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from reconciler.config.errors import ConfigError, error, in_order
from reconciler.config.message_text import closest, cut, listed
from reconciler.core.values.model import Json
from reconciler.diagnostics import Code, Diagnostic, Source

LOCAL: Final = "local"


class Marks(StrEnum):
    """What is kept about each object of ours: the names of its managed units, digests of their values as well, or
    all of it in a file beside the manifests instead of on the object."""

    NAMES = "names"
    DIGESTS = "digests"
    LOCK_FILE = "lock-file"


class Prune(StrEnum):
    """What happens to objects of ours whose manifest left the files."""

    NONE = "none"
    OWNED = "owned"


@dataclass(frozen=True, slots=True)
class EnvRef:
    """`!env NAME`: a secret that is looked up when it is needed, and never part of the settings.

    `use` says where it goes (`credentials.api_key`), for messages. Only a header's value may contain spaces.
    """

    name: str
    source: Source
    target: str
    use: str

    @property
    def blanks_allowed(self) -> bool:
        """Whether the value may contain spaces."""
        return self.use.startswith("headers.")


HeaderValue = str | EnvRef | dict[str, Json]


@dataclass(frozen=True, slots=True)
class Target:
    """A named remote. `limits` holds only what differs from the provider's; None as `url` means the provider's.

    `layers` are directories, relative to the root and in order, with the places where they are named. `lock` is the url
    of the store that its lock is in. `owner` is set where it differs from that of the settings, `route` where one of a
    gateway is meant.
    """

    name: str
    provider: str
    url: str | None = None
    headers: Mapping[str, HeaderValue] = field(default_factory=dict)
    credentials: Mapping[str, EnvRef] = field(default_factory=dict)
    limits: Mapping[str, int | float] = field(default_factory=dict)
    vars: Mapping[str, str] = field(default_factory=dict)
    marks: Marks = Marks.NAMES
    layers: Mapping[str, Source] = field(default_factory=dict)
    lock: str | EnvRef | None = None
    owner: str | None = None
    route: str | None = None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What `reconciler.yaml` says; with no file, all of it has these values.

    `refused` says which headers of a target may not be set: only work on that one ends there.
    """

    owner: str | None = None
    prune: Prune = Prune.NONE
    default_target: str = LOCAL
    targets: Mapping[str, Target] = field(default_factory=lambda: {LOCAL: Target(LOCAL, LOCAL)})
    source: Source | None = None
    refused: Mapping[str, Sequence[Diagnostic]] = field(default_factory=dict)

    @property
    def meant(self) -> list[str]:
        """The targets that manifests are written for: those of the file, and the default one."""
        return sorted(name for name, each in self.targets.items() if each.source or name == self.default_target)

    def target(self, name: str | None = None) -> Target:
        """The target of that name, or the default one. Raises ConfigError, also where its headers are refused."""
        wanted = self.default_target if name is None else name
        if refused := self.refused.get(wanted):
            raise ConfigError(in_order(refused))
        if wanted in self.targets:
            return self.targets[wanted]
        raise ConfigError([unknown_target(wanted, self.targets, self.source)])


def unknown_target(name: str, targets: Mapping[str, Target], source: Source | None) -> Diagnostic:
    """The problem of a name that no target has."""
    near = closest(name, targets)
    hint = f"did you mean {near}?" if near else f"the targets are {listed(sorted(targets))}"
    return error(Code.UNKNOWN_TARGET, f"there is no target {cut(name)}", source, hint=hint)
