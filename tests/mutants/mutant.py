"""A wrong version of the core: it breaks one law, and the tests named in it have to notice."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """One change to `reconciler/FILE.py` (`text` is in it exactly once) and the law it breaks.

    `tests` names the test modules below `tests/unit` that notice it, `core/decide` for example.
    """

    file: str
    text: str
    replacement: str
    breaks: str
    tests: str
