"""A wrong version of the core: it breaks one law, and the tests named in it have to notice."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """One change to `reconciler/core/FILE.py` (`text` stands there exactly once) and the law it breaks."""

    file: str
    text: str
    replacement: str
    breaks: str
    tests: str
