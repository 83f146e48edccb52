"""Batches the calls of many threads, so that one SQL statement serves all who wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


class CallBatcher(Generic[_Asked, _Answer]):
    """Who comes first waits `seconds` for others, then calls for all of them; each gets an answer of its own.

    `call` takes what was asked, and answers in the same order; what it raises, all of them get.
    """

    def __init__(self, call: Callable[[Sequence[_Asked]], Sequence[_Answer]], seconds: float) -> None:
        self._call = call
        self._seconds = seconds
        self._lock = threading.Lock()
        self._next: _Round[_Asked, _Answer] | None = None

    def __call__(self, asked: _Asked) -> _Answer:
        """Have this asked with others."""
        with self._lock:
            first = self._next is None
            mine = self._next = self._next or _Round()
            place = len(mine.asked)
            mine.asked.append(asked)
        if first:
            time.sleep(self._seconds)
            with self._lock:
                self._next = None
            mine.carry_out(self._call)
        else:
            mine.over.wait()
        if mine.problem is not None:
            raise mine.problem
        return mine.answers[place]


class _Round(Generic[_Asked, _Answer]):
    """Those who are asked for together."""

    def __init__(self) -> None:
        self.asked: list[_Asked] = []
        self.answers: Sequence[_Answer] = ()
        self.problem: Exception | None = None
        self.over = threading.Event()

    def carry_out(self, call: Callable[[Sequence[_Asked]], Sequence[_Answer]]) -> None:
        """Call for all; nobody is left waiting, whatever happens."""
        try:
            self.answers = call(self.asked)
        except Exception as problem:
            self.problem = problem
        finally:
            self.over.set()
