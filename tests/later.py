"""Modules that take long to import and that few tests need: each process would import them only to collect tests."""

from __future__ import annotations

import importlib
from typing import Any


class Later:
    """A module that is imported when something of it is first used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # pytest looks at everything in a module: that is no use
            raise AttributeError(name)
        return getattr(importlib.import_module(self._name), name)


anthropic = Later("anthropic")
openai = Later("openai")
