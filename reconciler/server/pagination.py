"""Cursor pagination over stored objects, as OpenAI's lists do it."""

from dataclasses import dataclass

from reconciler.server.body_validation import choice, integer
from reconciler.server.store import Among, Store, StoredObject
from reconciler.server.wire import Quirks, Refusal

_ORDER = choice("asc", "desc")
_Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Paging:
    """The query parameters of a list, checked."""

    limit: int
    descending: bool
    after: str | None
    before: str | None

    @classmethod
    def from_query(cls, query: dict[str, str], *, limit: int = 20, maximum: int = 100) -> "Paging":
        """Check them; parameters a list does not know are ignored, as the vendor ignores them."""
        check, asked = integer(1, maximum), query.get("limit", str(limit))
        try:
            number = int(asked)
        except ValueError:
            check(asked, "limit")  # always refuses: still a string
            raise
        return cls(
            limit=check(number, "limit"),
            descending=_ORDER(query.get("order", "desc"), "order") == "desc",
            after=query.get("after") or None,
            before=query.get("before") or None,
        )


def page_of(
    store: Store, kind: str, paging: Paging, quirks: Quirks, unknown: str, among: Among | None = None
) -> tuple[list[StoredObject], bool]:
    """The rows of one page, and whether more follow in the direction of travel. `among`: only these."""
    after = _place_of(store, kind, paging.after, quirks, unknown)
    before = _place_of(store, kind, paging.before, quirks, unknown)
    # `before` alone asks for the page that ends there: read backwards from it, then turn round.
    backwards = before is not None and after is None
    limit = quirks.page_size(paging.limit) if quirks.page_size else paging.limit
    above, below = (before, after) if paging.descending else (after, before)
    rows = _rows(store, kind, limit + 1, paging.descending != backwards, above, below, quirks, among)
    more = len(rows) > limit
    rows = rows[:limit]
    return (rows[::-1] if backwards else rows), more


def listing_text(rows: list[StoredObject], more: bool) -> str:
    """The list envelope around stored texts."""
    first, last = (f'"{rows[0].id}"', f'"{rows[-1].id}"') if rows else ("null", "null")
    inside = ", ".join([row.body for row in rows])
    has_more = "true" if more else "false"
    return f'{{"object": "list", "data": [{inside}], "first_id": {first}, "last_id": {last}, "has_more": {has_more}}}'


def _rows(
    store: Store,
    kind: str,
    count: int,
    descending: bool,
    above: _Place | None,
    below: _Place | None,
    quirks: Quirks,
    among: Among | None,
) -> list[StoredObject]:
    if not (quirks.list_age or quirks.creates_hidden):
        return store.page(kind, count, descending=descending, above=above, below=below, among=among)
    rows = store.looking_back(kind, age=quirks.list_age, creates_hidden=quirks.creates_hidden)
    if among is not None:
        ids = {id for (id,) in store.run(*among)}
        rows = [row for row in rows if row.id in ids]
    inside = [row for row in rows if (not above or row.place > above) and (not below or row.place < below)]
    return (inside[::-1] if descending else inside)[:count]


def _place_of(store: Store, kind: str, id: str | None, quirks: Quirks, unknown: str) -> _Place | None:
    if id is None:
        return None
    row = store.find(kind, id)
    # Unrecorded for assistants: a newer API of the vendor lets the id of a deleted object still anchor pages,
    # and refuses one that never existed. That is the default; the other reading is a chaos effect.
    if row is None or (row.deleted and quirks.deleted_cursor_unknown):
        raise Refusal(unknown.format(id=id), status=404)
    return row.place
