"""The values of paging: a request for a page, and the page that comes back."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Order(Enum):
    """The direction in which a list is read, by the time its objects were made."""

    NEWEST_FIRST = "newest first"
    OLDEST_FIRST = "oldest first"


class ListedObject(NamedTuple):
    """One object as paging sees it: its id, and when it was made (None where the remote does not tell)."""

    id: str
    created: float | None = None


class Page(NamedTuple):
    """One page: objects in the order asked for, and whether the remote says that more follow."""

    entries: tuple[ListedObject, ...]
    more: bool
