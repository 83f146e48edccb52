"""When Python looks for cycles: it goes through all that is kept, again and again, and what we keep holds none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Do not look at all. Not while anything is on the network: responses hold cycles, and would pile up."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            # Straight to the old generation: nearly all of it is kept, so looking through it again would be in vain.
            gc.freeze()
            gc.unfreeze()
            gc.enable()


@contextmanager
def sparing() -> Iterator[None]:
    """Look only through what is made from here on."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
