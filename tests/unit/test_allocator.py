"""What glibc does with a large piece once it has seen one of them freed: `mallinfo2` tells."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

SHOWN = """
import ctypes, sys

class Info(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Info
if sys.argv[1] == "told":
    from reconciler import allocator
    allocator.return_freed_memory()
    allocator.return_freed_memory()
freed = bytes(8 << 20)
del freed
before = mallinfo().hblkhd
kept = bytes(512 << 10)
print(mallinfo().hblkhd - before >= len(kept))
"""

LIBRARY, VERSION = platform.libc_ver()
ASKABLE = LIBRARY == "glibc" and tuple(map(int, VERSION.split("."))) >= (2, 33)


@pytest.mark.skipif(not ASKABLE, reason="another C library, or one that cannot be asked")
@pytest.mark.parametrize(("told", "mapped"), [("told", "True"), ("not told", "False")])
def test_a_large_piece_is_mapped_by_itself_however_many_were_freed_before(told: str, mapped: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", SHOWN, told], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == mapped


def test_elsewhere_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler import allocator

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "ctypes", None)  # importing it would fail
    allocator.return_freed_memory.__wrapped__()
