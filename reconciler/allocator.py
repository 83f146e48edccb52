"""How freed memory goes back to the system: at once, where it was a large piece.

Pages of a list come and go, half a megabyte each, on several threads. glibc learns from the first that is freed to keep
the next ones, in a heap for each thread, and a process that holds 30 MB takes 60. Where another C library is used there
is nothing to say: it does not learn, or cannot be told.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Final

_MMAP_THRESHOLD: Final = (-3, 128 * 1024)
"""The size, in bytes, from which a piece is the system's own: glibc's value to begin with; once said, it stays."""
_ARENA_MAX: Final = (-8, 1)
"""Heaps for small pieces. More are for threads that allocate at once, which the interpreter does not let them."""


@cache
def return_freed_memory() -> None:
    """Tell the C library, once, before there are threads. Source: mallopt(3)."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes  # here, because only what reads a whole account has a use for it

    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        for parameter, value in (_MMAP_THRESHOLD, _ARENA_MAX):
            mallopt(parameter, value)
