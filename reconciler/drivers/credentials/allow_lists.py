"""Allow lists of the environment: hosts, headers, variables and providers. No file can extend them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

HOSTS: Final = "RECONCILER_ALLOWED_HOSTS"
"""Hosts that may get credentials beside those that the provider names."""
HEADERS: Final = "RECONCILER_ALLOWED_HEADERS"
"""Headers that the settings may send beside those that the provider lists."""
VARIABLES: Final = "RECONCILER_ALLOWED_ENV"
"""Variables that an `!env` may read beside those of the provider's credentials; `KEY_*` is all that begin like that."""
PROVIDERS: Final = "RECONCILER_TRUST_PROVIDERS"
"""Providers of the project that may say where requests go, and with which credentials."""


def allow_list(environment: Mapping[str, str], variable: str) -> frozenset[str]:
    """The names that a variable of the environment lists, with commas between."""
    return frozenset(name.strip() for name in environment.get(variable, "").split(",") if name.strip())


def allow_hint(environment: Mapping[str, str], variable: str, name: str) -> str:
    """The setting of that variable that allows one name more."""
    return f"{variable}={','.join([*sorted(allow_list(environment, variable)), name])}"


def may_read(environment: Mapping[str, str], name: str) -> bool:
    """Whether the environment allows an `!env` to read a variable. A `*` alone allows nothing."""
    listed = allow_list(environment, VARIABLES)
    return name in listed or any(name.startswith(each[:-1]) for each in listed if each.endswith("*") and len(each) > 1)
