"""Where what was accepted is remembered, and what that is worth only for."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from reconciler.commands.state import NAME, state_directory
from reconciler.config.memory import FEWEST, Memory
from reconciler.config.schemas import schema_directory
from reconciler.config.settings import Settings, Target

CACHE: Final = "cache"
_PACKAGE: Final = Path(__file__).resolve().parents[1]
_READERS: Final = ("pyyaml", "jsonschema", "jinja2")


def memory_of(
    root: Path, environment: Mapping[str, str], settings: Settings, target: Target, fewest: int = FEWEST
) -> Memory | None:
    """What was accepted for a target before; None where nothing can be remembered."""
    home = environment.get("HOME") or environment.get("USERPROFILE")
    state = environment.get("XDG_STATE_HOME") or (home and f"{home}/.local/state")
    if not state or not Path(state).is_absolute():
        return None
    return Memory(
        root / NAME / CACHE,
        target.name,
        Path(state),
        lambda: _context(settings, target),
        prepare=partial(state_directory, root),
        fewest=fewest,
    )


def _context(settings: Settings, target: Target) -> bytes:
    """All that decides beside a file's own bytes: this tool and what it reads with, its schemas, and the settings."""
    from importlib.metadata import version  # a hundredth of a second, and few projects are large

    digest = hashlib.blake2b()
    code = (*(_PACKAGE / "config").glob("*.py"), *(_PACKAGE / "core").glob("*.py"))
    for file in sorted((*code, *schema_directory().rglob("*.json"), *schema_directory().rglob("*.yaml"))):
        digest.update(hashlib.blake2b(file.read_bytes()).digest())
    targets = sorted((name, each.provider) for name, each in settings.targets.items())
    names = [target.name, target.provider, str(target.marks), sorted(target.vars.items()), targets]
    tools = [platform.python_version(), *(version(name) for name in _READERS)]
    digest.update(json.dumps([names, tools]).encode())
    return digest.digest()
