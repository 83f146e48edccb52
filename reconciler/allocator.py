"""Returns freed memory to the system at once if it was a large block.

Several threads read pages of a list, half a megabyte each, and free them. After the first free, glibc raises its
threshold and keeps the next blocks, in one heap per thread: a process that holds 30 MB takes 60 MB. Other C libraries
need no setting: they do not adapt, or have no option for it.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Final

_MMAP_THRESHOLD: Final = (-3, 128 * 1024)
"""The size, in bytes, from which a block is mapped by itself: glibc's first value. Setting it makes it constant."""
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
