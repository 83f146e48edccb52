"""Counts the requests that each thread sends."""

from __future__ import annotations

import threading

from reconciler.drivers.base import RequestCount


class RequestCounter:
    """Counts for each thread by itself, so that a change knows its own requests."""

    def __init__(self) -> None:
        self._local = threading.local()

    def take_request_count(self) -> RequestCount:
        """What this thread sent since it last asked."""
        tally: RequestCount = getattr(self._local, "tally", RequestCount())
        self._local.tally = RequestCount()
        return tally

    def add_request_count(self, tally: RequestCount) -> None:
        """Count for this thread what another one sent for it."""
        mine = self._tally()
        mine.requests += tally.requests
        mine.request_id = tally.request_id or mine.request_id
        mine.repeated = mine.repeated or tally.repeated

    def note_repeated(self) -> None:
        """Remember that a gateway sent the last request of this thread more than once."""
        self._local.tally.repeated = True

    def _tally(self) -> RequestCount:
        if not hasattr(self._local, "tally"):
            self._local.tally = RequestCount()
        tally: RequestCount = self._local.tally
        return tally
