"""The files of a vector store, attached one by one or in batches, and the progress of their indexing."""

import hashlib
import json
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any

from reconciler.server.body_validation import choice
from reconciler.server.pagination import Paging, page_of
from reconciler.server.profiles.account import Account, Body, attached_kind, parsed, serialised
from reconciler.server.profiles.openai_assistants.attach_files import Attaching
from reconciler.server.profiles.openai_assistants.vector_store_fields import (
    checked_attach,
    checked_attributes,
    checked_batch,
)
from reconciler.server.profiles.openai_assistants.vector_stores import VectorStores
from reconciler.server.store import StoredObject
from reconciler.server.wire import RATE_LIMIT, Call, Quirks, Refusal, Reply, Request

_STATUS = choice("in_progress", "completed", "failed", "cancelled")
_MINUTE = 60
_POLL = ("openai-poll-after-ms", "10")  # the vendor's clients wait so long before they ask again
_UNKNOWN_BATCH = "No file batch found with id '{id}' in vector store '{store}'."


class VectorStoreFiles:
    """The routes below /vector_stores/{id}/files and /vector_stores/{id}/file_batches."""

    def __init__(self, account: Account, stores: VectorStores, attaching: Attaching) -> None:
        self._account = account
        self._stores = stores
        self._attaching = attaching
        self._attaches: defaultdict[str, deque[float]] = defaultdict(deque)  # when, for each store, in the last minute

    def answer(self, call: Call, request: Request, quirks: Quirks) -> Reply:
        """One of the verbs, on a file or on a batch."""
        self._stores.active(call.within, quirks)
        match call.kind, call.operation:
            case "vector_store_file", "create":
                return self._attach(call.within, request.body, quirks)
            case "vector_store_file", "list":
                return self._list(call, request.query, quirks)
            case "vector_store_file", "retrieve":
                return self._retrieve(call, quirks)
            case "vector_store_file", "modify":
                return self._modify(call, request.body, quirks)
            case "vector_store_file", "content":
                return self._content(call)
            case "vector_store_file", _:
                return self._detach(call, quirks)
            case _, "create":
                return self._create_batch(call.within, request.body, quirks)
            case _, "cancel":
                return self._cancel_batch(call)
            case _:
                return self._retrieve_batch(call)

    def _attach(self, store: str, body: Any, quirks: Quirks) -> Reply:
        sent = checked_attach(parsed(body))
        self._attach_all(store, [sent], "", quirks)
        return _reply(self._attaching.shown(store, [self._existing(store, sent["file_id"])])[0])

    def _attach_all(self, store: str, wishes: list[Body], batch: str, quirks: Quirks) -> None:
        settings = {each["file_id"]: each for each in wishes}  # of a file named twice, the last word
        with self._account.store.writing():
            row = self._stores.active(store, quirks)
            files = self._attaching.known(settings)
            self._pace(store, quirks.attach_limit)
            self._attaching.attach(store, [(file, settings[file["id"]]) for file in files], batch, quirks)
            if batch:
                self._insert_batch(store, batch)
            self._stores.touch(row)

    def _pace(self, store: str, limit: int | None) -> None:
        if limit is None:
            return
        recent, now = self._attaches[store], self._account.clock()
        while recent and recent[0] <= now - _MINUTE:
            recent.popleft()
        if len(recent) >= limit:
            raise Refusal(RATE_LIMIT, status=429, code="rate_limit_exceeded")
        recent.append(now)

    def _list(self, call: Call, query: Mapping[str, str], quirks: Quirks) -> Reply:
        store, batch = call.within, call.id or None
        if batch:
            self._existing_batch(store, batch)
        paging, status = Paging.from_query(dict(query)), query.get("filter") or None
        if status is not None:
            _STATUS(status, "filter")
        late = bool(quirks.attached_late and quirks.attached_late())
        among = self._account.attachments.among(store, batch=batch, status=status, indexed=late)
        narrowed = among if batch or status or late else None
        unknown = f"No file found with id '{{id}}' in vector store '{store}'."
        rows, more = page_of(self._account.store, attached_kind(store), paging, quirks, unknown, narrowed)
        shown = self._attaching.shown(store, rows)
        if status in (None, "in_progress"):  # of all of them: who polls thousands asks for the first page alone
            self._account.attachments.note_read(store, batch=batch)
        first, last = (rows[0].id, rows[-1].id) if rows else (None, None)
        page = {"object": "list", "data": shown, "first_id": first, "last_id": last, "has_more": more}
        return Reply(200, serialised(page))

    def _retrieve(self, call: Call, quirks: Quirks) -> Reply:
        row = self._existing(call.within, call.id)
        shown = self._attaching.shown(call.within, [row])[0]
        if shown["status"] == "in_progress" and quirks.attached_late and quirks.attached_late():
            raise _unknown(call.within, call.id)
        attached = self._account.attachments.of(call.within, [call.id]).get(call.id)
        if attached and attached.attached_at > self._account.clock() - quirks.creates_hidden:
            raise _unknown(call.within, call.id)
        self._account.attachments.note_read(call.within, [call.id])
        return _reply(shown)

    def _modify(self, call: Call, body: Any, quirks: Quirks) -> Reply:
        self._existing(call.within, call.id)
        attributes = checked_attributes(parsed(body))
        with self._account.store.writing():
            before = self._existing(call.within, call.id)
            after = before._replace(body=serialised(json.loads(before.body) | {"attributes": attributes}))
            self._account.store.replace(attached_kind(call.within), before, after.body)
        return _reply(self._attaching.shown(call.within, [before if quirks.stale_reply else after])[0])

    def _content(self, call: Call) -> Reply:
        self._existing(call.within, call.id)
        text = "".join(self._account.contents.text(call.id))
        parts = [{"type": "text", "text": text}] if text else []
        page = {"object": "vector_store.file_content.page", "data": parts, "has_more": False, "next_page": None}
        return Reply(200, json.dumps(page))

    def _detach(self, call: Call, quirks: Quirks) -> Reply:
        with self._account.store.writing():
            row = self._stores.active(call.within, quirks)
            self._existing(call.within, call.id)
            self._attaching.detach(call.within, call.id)
            self._stores.touch(row)
        return Reply(200, json.dumps({"id": call.id, "object": "vector_store.file.deleted", "deleted": True}))

    def _create_batch(self, store: str, body: Any, quirks: Quirks) -> Reply:
        wishes = checked_batch(parsed(body))
        batch = self._account.new_id(_batch_kind(store), self._draw_batch_id)
        self._attach_all(store, wishes, batch, quirks)
        return _reply(self._batch(store, self._existing_batch(store, batch)))

    def _insert_batch(self, store: str, batch: str) -> None:
        created_at = self._account.now()
        stored = {
            "id": batch,
            "object": "vector_store.file_batch",
            "created_at": created_at,
            "vector_store_id": store,
            "status": "completed",
            "file_counts": {},
        }
        self._account.store.insert(_batch_kind(store), batch, created_at, serialised(stored))

    def _retrieve_batch(self, call: Call) -> Reply:
        shown = self._batch(call.within, self._existing_batch(call.within, call.id))
        self._account.attachments.note_read(call.within, batch=call.id)
        return _reply(shown)

    def _cancel_batch(self, call: Call) -> Reply:
        with self._account.store.writing():
            row = self._existing_batch(call.within, call.id)
            if self._batch(call.within, row)["status"] == "in_progress":
                self._account.attachments.cancel(call.within, call.id)
                stored = serialised(json.loads(row.body) | {"status": "cancelled"})
                self._account.store.replace(_batch_kind(call.within), row, stored)
        return _reply(self._batch(call.within, self._existing_batch(call.within, call.id)))

    def _batch(self, store: str, row: StoredObject) -> Body:
        files = self._account.attachments.counts_of_batch(store, row.id).files
        counts = {"file_counts": files | {"total": sum(files.values())}}
        body: Body = json.loads(row.body)
        return body | ({"status": "in_progress"} if files["in_progress"] else {}) | counts

    def _existing(self, store: str, id: str) -> StoredObject:
        return self._account.existing(attached_kind(store), id, _unknown(store, id))

    def _existing_batch(self, store: str, id: str) -> StoredObject:
        unknown = Refusal(_UNKNOWN_BATCH.format(id=id, store=store), status=404)
        return self._account.existing(_batch_kind(store), id, unknown)

    def _draw_batch_id(self) -> str:
        # Recorded ids of batches are hexadecimal, unlike all others.
        return f"vsfb_{hashlib.sha256(self._account.entropy(24).encode()).hexdigest()[:32]}"


def _batch_kind(store: str) -> str:
    return f"file_batch/{store}"


def _unknown(store: str, id: str) -> Refusal:
    return Refusal(f"No file found with id '{id}' in vector store '{store}'.", status=404)


def _reply(shown: Body) -> Reply:
    return Reply(200, serialised(shown), headers=[_POLL] if shown["status"] == "in_progress" else [])
