"""Remembers where pages of long lists ended, so that the next read starts in several places at once.

A file for each list, with ids and times and nothing else. It only says where to begin: stale, foreign, damaged or
gone, it never changes what a read finds.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from reconciler.drivers.base import is_usable_id
from reconciler.drivers.paging.page import ListedObject
from reconciler.tree import Tree

FORMAT: Final = 1
MAX_BYTES: Final = 16 * 1024 * 1024
"""Boundaries of some 20 million objects; a larger file is none of ours."""


class Boundaries:
    """The boundaries of an owner's lists at one URL. `prepare` is called before the first file is written."""

    def __init__(self, directory: Tree, url: str, prepare: Callable[[], object], owner: str = "") -> None:
        self._directory = directory
        self._place = [url, owner]
        self._prepare = prepare

    def load(self, account: str | None, kind: str) -> tuple[ListedObject, ...]:
        """Those of an earlier read, oldest first; none where there is no file that makes sense."""
        try:
            content = json.loads(self._directory.read(self._name(account, kind), MAX_BYTES))
            if content["format"] != FORMAT:
                return ()
            return tuple(_entry(*each) for each in content["boundaries"])
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return ()

    def save(self, account: str | None, kind: str, boundaries: Sequence[ListedObject]) -> None:
        """Remember them. Where that is not possible, the next read is slower and nothing else."""
        content = {"format": FORMAT, "boundaries": boundaries}
        with suppress(OSError):
            self._prepare()
            self._directory.make()
            self._directory.replace(self._name(account, kind), json.dumps(content, separators=(",", ":")).encode())

    def _name(self, account: str | None, kind: str) -> str:
        name = hashlib.sha256(json.dumps([*self._place, account, kind]).encode()).hexdigest()
        return f"{name[:32]}.json"


def _entry(id: Any, created: Any) -> ListedObject:
    if not is_usable_id(id) or not isinstance(created, int | float) or not math.isfinite(created):
        raise ValueError("not a boundary")
    return ListedObject(id, float(created))
