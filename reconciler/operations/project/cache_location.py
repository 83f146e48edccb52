"""Where what was accepted is remembered, and what that is worth only for."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

from reconciler.config.errors import ConfigError
from reconciler.config.manifests.validation_cache import FEWEST, ValidationCache
from reconciler.config.schema.schemas import Schemas, schema_directory
from reconciler.config.targets import Settings, Target
from reconciler.operations.project.state_directory import ensure_state
from reconciler.tree import Tree

CACHE: Final = "cache"
_PACKAGE: Final = Path(__file__).resolve().parents[2]
_READERS: Final = ("pyyaml", "jsonschema", "jsonschema-rs", "jinja2")
"""What files are read and checked with; `jsonschema-rs` comes with an extra."""


def open_validation_cache(
    state: Tree,
    environment: Mapping[str, str],
    settings: Settings,
    target: Target,
    schemas: Schemas,
    fewest: int = FEWEST,
) -> ValidationCache | None:
    """What was accepted for a target before; None where nothing can be remembered.

    `state` is the project's directory for what this machine remembers, the key to it is this user's.
    """
    home = environment.get("HOME") or environment.get("USERPROFILE")
    of_user = environment.get("XDG_STATE_HOME") or (home and f"{home}/.local/state")
    if not of_user or not Path(of_user).is_absolute():
        return None
    return ValidationCache(
        state.within(CACHE),
        target.name,
        Path(of_user),
        lambda: _context(settings, target, schemas),
        prepare=partial(ensure_state, state),
        fewest=fewest,
    )


def _context(settings: Settings, target: Target, schemas: Schemas) -> bytes:
    """All that decides beside a file's own bytes: this tool and its libraries, schemas, providers, and the settings."""
    digest = hashlib.blake2b()
    shipped = schema_directory()
    for file in sorted((*_PACKAGE.rglob("*.py"), *shipped.rglob("*.json"), *shipped.rglob("*.yaml"))):
        digest.update(hashlib.blake2b(file.read_bytes()).digest())
    targets = sorted((name, each.provider) for name, each in settings.targets.items())
    names = [target.name, target.provider, str(target.marks), sorted(target.vars.items()), targets]
    tools = [platform.python_version(), *_versions()]
    own = [_own_provider(schemas, name) for name in sorted({provider for _, provider in targets})]
    digest.update(json.dumps([names, tools, own], sort_keys=True).encode())
    return digest.digest()


def _versions() -> Iterator[str | None]:
    from importlib.metadata import PackageNotFoundError, version  # a hundredth of a second, and few projects are large

    for name in _READERS:
        try:
            yield version(name)
        except PackageNotFoundError:
            yield None


def _own_provider(schemas: Schemas, name: str) -> Any:
    """What the files of a project's own provider say, as they were read for this run; None for a shipped one.

    A manifest may be for another target than this one: its schema decides as well.
    """
    if name in schemas.shipped_names():
        return None
    try:
        provider = schemas.provider(name)
        return [asdict(provider), [schemas.schema(kind.schema) for kind in provider.kinds.values()]]
    except ConfigError as wrong:
        return str(wrong)
