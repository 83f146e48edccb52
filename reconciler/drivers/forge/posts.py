"""Keeps one comment or issue up to date, and writes it only when its text differs.

The header is the hidden first line of the text (`<!-- reconciler:plan:production -->`). Somebody else's post that
quotes it is never ours: only posts of the account that the token belongs to are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from reconciler.drivers.base import RemoteError, ServerFailed, Unreachable

_HEADER: Final = re.compile(r"<!-- reconciler:[^\n<>]{1,500} -->")


@dataclass(frozen=True, slots=True)
class Post:
    """A comment or an issue of ours. `id` is what its URL takes, `url` is for people."""

    id: str
    body: str
    url: str


class Posts(Protocol):
    """The posts of one account in one place: comments of a pull request, or open issues with a label."""

    def own(self) -> Iterable[Post]:
        """Those of the account, oldest first. Raises RemoteError when they cannot all be read."""
        ...

    def add(self, body: str) -> Post:
        """Write a new one. Sent once."""
        ...

    def edit(self, id: str, body: str) -> Post:
        """Replace the text of one."""
        ...


class Issues(Posts, Protocol):
    """Posts that can be closed."""

    def close(self, id: str) -> Post:
        """Close one, as done."""
        ...


def header_of(body: str) -> str | None:
    """The hidden first line that a post is found again by; None where the text has none."""
    first = body.partition("\n")[0].strip()
    return first if _HEADER.fullmatch(first) else None


def keep(posts: Posts, header: str, body: str) -> tuple[str, Post]:
    """Make the post with this header say `body`; what was done (`created`, `updated`, `unchanged`), and the post.

    Of several, as two jobs at once can make them, the oldest is kept up to date.
    """
    found = _first(posts, header)
    if found is None:
        return "created", _add(posts, header, body)
    if _normal(found.body) == _normal(body):
        return "unchanged", found
    return "updated", posts.edit(found.id, body)


def close_all(issues: Issues, header: str) -> list[Post]:
    """Close every open issue with this header; those that were closed."""
    return [issues.close(each.id) for each in list(issues.own()) if header_of(each.body) == header]


def _first(posts: Posts, header: str) -> Post | None:
    return next((each for each in posts.own() if header_of(each.body) == header), None)


def _add(posts: Posts, header: str, body: str) -> Post:
    """Add a post; when the answer was lost, look whether it is there instead of writing a second one."""
    try:
        return posts.add(body)
    except (Unreachable, ServerFailed) as lost:
        if isinstance(lost, Unreachable) and not lost.reached:
            raise
        try:
            found = _first(posts, header)
        except RemoteError:
            raise lost from None
        if found is None:
            raise
        return found


def _normal(body: str) -> str:
    """The text as a forge returns it: forges change line ends and strip surrounding whitespace."""
    return body.replace("\r\n", "\n").strip()
