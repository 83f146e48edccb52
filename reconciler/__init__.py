"""Assistants as code: files say what assistants should be; plan shows what differs; apply sends the changed fields.

As a library: `from reconciler import load, plan, apply`. Names are looked up when they are asked for, so that
`import reconciler` loads nothing; their types are in `__init__.pyi`.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_MODULES = {
    "reconciler.library": ("Project", "apply", "load", "plan"),
    "reconciler.config.errors": ("ConfigError",),
    "reconciler.diagnostics": ("Diagnostic", "ReconcilerError", "Severity", "Source"),
    "reconciler.core.values.model": (
        *("ABSENT", "Action", "Address", "Block", "Blocker", "Change", "FieldChange", "Manifest"),
        "Reason",
    ),
    "reconciler.core.plan": ("Plan",),
    "reconciler.formats.outcome": ("Outcome", "Result"),
    "reconciler.drivers.base": ("RemoteError",),
    "reconciler.engine.stale_check": ("StalePlan",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}
__all__ = ["__version__", *_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
