"""Resolves `!env NAME`: the value of the variable, or the content of the file that NAME_FILE names.

Container platforms hand out secrets as files; the environment says where, and nothing else may: a file of the project
cannot name one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import Final

from reconciler.config.errors import ConfigError, error
from reconciler.config.message_text import cut
from reconciler.config.targets import EnvRef
from reconciler.diagnostics import Code
from reconciler.drivers.credentials.allow_lists import VARIABLES, allow_hint, may_read

FILE_SUFFIX: Final = "_FILE"
MAX_BYTES: Final = 64 * 1024
_OPEN: Final = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0)


def is_given(env: Mapping[str, str], name: str) -> bool:
    """Whether the environment says anything about the secret of that name."""
    return name in env or name + FILE_SUFFIX in env


def resolve(env: Mapping[str, str], reference: EnvRef, own: str | None = None) -> str:
    """The secret an `!env` stands for. Raises ConfigError, never with the value in it.

    A file may name `own`, the variable that the provider has for this use, and those in the environment's
    RECONCILER_ALLOWED_ENV; any other could hold what was never meant for this target.
    """
    name, where = cut(reference.name), f"{reference.use} of the target {reference.target}"
    if reference.name != own and not may_read(env, reference.name):
        summary = f"the environment variable {name} is not allowed for {where}"
        hint = f"to allow it, set {allow_hint(env, VARIABLES, name)} in the environment (not in these files)"
        raise ConfigError([error(Code.VARIABLE_REFUSED, summary, reference.source, hint=hint)])
    value, file = env.get(reference.name, ""), env.get(reference.name + FILE_SUFFIX, "")
    if value and file:
        summary = f"both {name} and {name}{FILE_SUFFIX} are set; {where} needs one"
        raise ConfigError([error(Code.BAD_CREDENTIAL_FILE, summary, reference.source, hint="unset one of them")])
    if file:
        return _sound(_content(file, reference), reference, f"the content of the file in {name}{FILE_SUFFIX}")
    if not value:
        state = "is empty" if reference.name in env else "is not set"
        summary = f"the environment variable {name} {state}; {where} needs it"
        hint = f"set it: export {name}=…"
        raise ConfigError([error(Code.MISSING_ENVIRONMENT, summary, reference.source, hint=hint)])
    return _sound(value, reference, f"the environment variable {name}")


def _sound(value: str, reference: EnvRef, what: str) -> str:
    """A value that can be put into a header."""
    inside = value.replace(" ", "") if reference.blanks_allowed else value
    if value == value.strip() and inside.isascii() and inside.isprintable() and " " not in inside:
        return value
    summary = f"{what} is malformed; {reference.use} of the target {reference.target} needs it"
    hint = "it has a space, a line break or a non-ASCII character; often a line break was copied with it"
    raise ConfigError([error(Code.MISSING_ENVIRONMENT, summary, reference.source, hint=hint)])


def _content(path: str, reference: EnvRef) -> str:
    """The text of a file without one line break at its end."""
    try:
        descriptor = os.open(path, _OPEN)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise _refused("is not a regular file", reference)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as wrong:  # a ValueError is a path with a NUL
        reason = wrong.strerror if isinstance(wrong, OSError) else str(wrong)
        raise _refused(f"cannot be read: {reason}", reference) from None
    if len(content) > MAX_BYTES:
        raise _refused(f"has more than {MAX_BYTES // 1024} KiB", reference)
    text = content.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")
    if not text:
        raise _refused("is empty", reference)
    return text


def _refused(what: str, reference: EnvRef) -> ConfigError:
    variable, where = cut(reference.name) + FILE_SUFFIX, f"{reference.use} of the target {reference.target}"
    summary = f"the file that {variable} names {what}; {where} needs it"
    hint = "use a file that contains only the secret and that this user may read"
    return ConfigError([error(Code.BAD_CREDENTIAL_FILE, summary, reference.source, hint=hint)])
