"""The keys that marks are signed with: secrets of whoever applies, from the environment and from nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reconciler.config.env_values import is_given, resolve
from reconciler.config.errors import ConfigError, error
from reconciler.config.targets import EnvRef
from reconciler.diagnostics import Code, Source

VARIABLE: Final = "RECONCILER_MARK_KEY"
SHORTEST: Final = 32
"""Characters of a key: those of 128 random bits in hexadecimal."""


def mark_keys(environment: Mapping[str, str], target: str) -> tuple[bytes, ...]:
    """The keys in `RECONCILER_MARK_KEY` (or in the file that `RECONCILER_MARK_KEY_FILE` names), separated by commas.

    The first one signs, all of them verify; none where no variable is set. Raises ConfigError, never with a key in it.
    """
    if not is_given(environment, VARIABLE):
        return ()
    place = Source("environment", 1, 1)
    reference = EnvRef(VARIABLE, place, target, "the signature of marks")
    keys = resolve(environment, reference, own=VARIABLE).split(",")
    if any(len(key) < SHORTEST for key in keys):
        summary = f"a key in {VARIABLE} has less than {SHORTEST} characters"
        hint = "make one with `openssl rand -hex 32`; several are separated by commas, the first one signs"
        raise ConfigError([error(Code.MISSING_ENVIRONMENT, summary, place, hint=hint)])
    return tuple(key.encode() for key in keys)
