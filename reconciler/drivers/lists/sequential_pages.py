"""Reads lists one page after the other: by tokens, offsets, times, or until a page is empty. Sends no requests itself.

Each function requests pages through `fetch(start)`, where `start` holds the parameters for where the page begins. It
yields every object once. A list that cannot be read to its end raises IncompleteList: nothing may be concluded from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from reconciler.core.values.model import Body, Json
from reconciler.drivers.base import IncompleteList
from reconciler.drivers.provider import ListStyle

Page = tuple[Sequence[Body], Json]
"""The objects of a page, each with its `id`, and what the answer says of more."""
Fetch = Callable[[Mapping[str, Json]], Page]

RESTARTS: Final = 5
_BROKEN: Final = "the remote's pagination is broken, or much was deleted meanwhile: the list was not used"


def by_token(style: ListStyle, fetch: Fetch) -> Iterator[Body]:
    """Each answer has the token of the page after it; none on the last."""
    seen: set[str] = set()
    tried: set[Json] = set()
    token: Json = None
    while token not in tried:
        tried.add(token)
        page, token = fetch({} if token is None else {style.cursor: token})
        yield from _fresh(page, seen)
        if token is None or token == "":
            return
        if not isinstance(token, str):
            raise IncompleteList(
                f"the token of the next page is not text, but of type {type(token).__name__}", hint=_BROKEN
            )
    raise IncompleteList("the list gives the token of a page that was read before", hint=_BROKEN)


def by_offset(style: ListStyle, fetch: Fetch) -> Iterator[Body]:
    """Each page begins with the last object of the one before: where it does not, a delete has moved all that follows,
    and the list is read again from its beginning.

    A page of that one object ends the list where pages have room for more. Where none had, what follows is asked for
    by itself, and the object is looked at once more.
    """
    seen: set[str] = set()
    longest = 0
    for _ in range(RESTARTS):
        count, last = 0, None
        while True:
            page, _ = fetch({style.cursor: max(0, count - 1)})
            longest = max(longest, len(page))
            if last is not None and longest == 1 and _begins_with(page, last):
                beyond, _ = fetch({style.cursor: count})
                page = [*fetch({style.cursor: count - 1})[0][:1], *beyond]
            if last is not None and not _begins_with(page, last):
                break
            yield from _fresh(page, seen)
            if len(page) <= (last is not None):
                return
            count += len(page) - (last is not None)
            last = page[-1]["id"]
    raise IncompleteList("the list changed every time it was read", hint=_BROKEN)


def _begins_with(page: Sequence[Body], id: str) -> bool:
    return bool(page) and page[0]["id"] == id


def by_last(style: ListStyle, fetch: Fetch) -> Iterator[Body]:
    """Each page begins after the last object of the one before, and an empty one ends the list.

    Where that object is gone by then, such a list begins again: what was seen is passed over.
    """
    seen: set[str] = set()
    passes, passed = 1, set[str]()
    start: Mapping[str, Json] = {}
    while page := fetch(start)[0]:
        yield from _fresh(page, seen)
        last = page[-1]["id"]
        if last in passed:
            passes, passed = passes + 1, set()
        if passes > RESTARTS:
            raise IncompleteList("the list starts over again and again", hint=_BROKEN)
        passed.add(last)
        start = {style.cursor: last}


def by_time(style: ListStyle, fetch: Fetch, created: str) -> Iterator[Body]:
    """Each page, newest first, begins where the last one ended: up to the time its last object was made.

    Several objects may share a time, and a time may be shown less exactly than it is kept, so that what was made a
    moment later is asked for again. A page that shows nothing new ends the list where it is shorter than others were.
    Where it is as long, it may have been cut: then nothing may have been made before.
    """
    seen: set[str] = set()
    until: Json = None
    longest = 0
    while True:
        page, _ = fetch({} if until is None else {style.cursor: until})
        longest = max(longest, len(page))
        fresh = list(_fresh(page, seen))
        yield from fresh
        if not fresh:
            break
        until = _moment(page[-1].get(created), 1)
    if not page or len(page) < longest:
        return
    if len(page) >= style.limit or fetch({style.cursor: _moment(page[-1].get(created), -1)})[0]:
        raise IncompleteList("more objects than one page holds have the same time", hint=_BROKEN)


def _moment(time: Json, later: int) -> Json:
    """So many milliseconds after a time as RFC 3339 writes it, or as whole numbers count it."""
    if isinstance(time, int) and not isinstance(time, bool):
        return time + later
    try:
        after = datetime.fromisoformat(time) + timedelta(milliseconds=later)
        return after.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (TypeError, ValueError, OverflowError):
        raise IncompleteList(
            f"the list shows an object without a time, but with something of type {type(time).__name__}", hint=_BROKEN
        ) from None


def _fresh(page: Sequence[Body], seen: set[str]) -> Iterator[Body]:
    for body in page:
        if body["id"] not in seen:
            seen.add(body["id"])
            yield body
