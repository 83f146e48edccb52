"""Vector stores: stored fields, and the state that follows from their files and the clock."""

import json
from typing import Any

from reconciler.server.pagination import Paging, page_of
from reconciler.server.profiles.account import Account, Body, attached_kind, parsed, serialised
from reconciler.server.profiles.openai_assistants.attach_files import Attaching
from reconciler.server.profiles.openai_assistants.search import checked_search, search_results
from reconciler.server.profiles.openai_assistants.vector_store_fields import checked_create, checked_modify
from reconciler.server.store import StoredObject
from reconciler.server.wire import Call, Quirks, Refusal, Reply, Request

KIND = "vector_store"
_DAY = 86_400
_UNKNOWN = "No vector store found with id '{id}'."


class VectorStores:
    """The routes of vector stores themselves."""

    def __init__(self, account: Account, attaching: Attaching) -> None:
        self._account = account
        self._attaching = attaching

    def answer(self, call: Call, request: Request, quirks: Quirks) -> Reply:
        """One of the verbs."""
        match call.operation:
            case "list":
                return self._list(request.query, quirks)
            case "create":
                return self._create(request.body, quirks)
            case "retrieve":
                return self._retrieve(call.id, quirks)
            case "modify":
                return self._modify(call.id, request.body, quirks)
            case "search":
                return self._search(call.id, request.body, quirks)
            case _:
                return self._delete(call.id, quirks)

    def existing(self, id: str, quirks: Quirks) -> StoredObject:
        """The vector store with this id, expired or not. Raises Refusal where there is none."""
        unknown = Refusal(_UNKNOWN.format(id=id), status=404)
        row = self._account.existing(KIND, id, unknown)
        if quirks.expired_gone and self._is_expired(json.loads(row.body)):
            raise unknown
        return row

    def active(self, id: str, quirks: Quirks) -> StoredObject:
        """The vector store with this id. Raises Refusal where there is none, or where it has expired."""
        row = self.existing(id, quirks)
        if self._is_expired(json.loads(row.body)):
            # Third parties report this wording and, elsewhere, a 404; the latter is a chaos effect.
            raise Refusal(f"Vector store '{id}' has expired")
        return row

    def touch(self, row: StoredObject) -> None:
        """Note that it was used: its time to expire begins anew. Inside `Store.writing`."""
        self._account.store.replace(KIND, row, _renewed(json.loads(row.body), self._account.now()))

    def make_loosely(self, sent: Body, quirks: Quirks) -> str:
        """Make the one that an assistant's body asks for, inside `Store.writing`; its id.

        Ids in an assistant's body are not checked here (what the vendor does is not recorded), so of the files only
        those that exist are attached.
        """
        return self._make(sent, self._attaching.existing(sent.get("file_ids", [])), quirks).id

    def _make(self, sent: Body, files: list[Body], quirks: Quirks) -> StoredObject:
        account = self._account
        id, created_at = account.new_id(KIND, lambda: f"vs_{account.entropy(24)}"), account.now()
        stored = _fresh(id, created_at) | {name: sent[name] for name in _SETTABLE if sent.get(name) is not None}
        account.store.insert(KIND, id, created_at, _renewed(stored, created_at))
        wishes = [(file, {"chunking_strategy": sent.get("chunking_strategy")}) for file in files]
        self._attaching.attach(id, wishes, "", quirks)
        return self.existing(id, quirks)

    def _list(self, query: dict[str, str], quirks: Quirks) -> Reply:
        rows, more = page_of(self._account.store, KIND, Paging.from_query(query), quirks, _UNKNOWN)
        shown = self._shown(rows)
        if quirks.expired_gone:
            shown = [each for each in shown if each["status"] != "expired"]
        first, last = (shown[0]["id"], shown[-1]["id"]) if shown else (None, None)
        page = {"object": "list", "data": shown, "first_id": first, "last_id": last, "has_more": more}
        return Reply(200, json.dumps(page))

    def _create(self, body: Any, quirks: Quirks) -> Reply:
        sent = checked_create(parsed(body))
        with self._account.store.writing():
            files = self._attaching.known(sent.get("file_ids", []))
            row = self._make(sent, files, quirks)
        return Reply(200, serialised(self._shown([row])[0]))

    def _retrieve(self, id: str, quirks: Quirks) -> Reply:
        shown = self._shown([self.existing(id, quirks)])[0]
        self._account.attachments.note_read(id)
        return Reply(200, serialised(shown))

    def _modify(self, id: str, body: Any, quirks: Quirks) -> Reply:
        self.active(id, quirks)  # an unknown id is reported before a faulty body
        sent = checked_modify(parsed(body))
        with self._account.store.writing():
            before = self.active(id, quirks)
            stored = json.loads(before.body)
            if quirks.metadata_merges and sent.get("metadata") is not None:
                sent["metadata"] = stored["metadata"] | sent["metadata"]
            cleared = _fresh(id, 0)
            changed = {name: cleared[name] if value is None else value for name, value in sent.items()}
            after = _renewed(stored | changed, stored["last_active_at"])
            self._account.store.replace(KIND, before, after)
        row = before if quirks.stale_reply else before._replace(body=after)
        return Reply(200, serialised(self._shown([row])[0]))

    def _delete(self, id: str, quirks: Quirks) -> Reply:
        store = self._account.store
        with store.writing():
            row = self.existing(id, quirks)
            for file in self._account.attachments.files_in(id):
                self._attaching.detach(id, file)
            store.delete(KIND, row)
        return Reply(200, json.dumps({"id": id, "object": "vector_store.deleted", "deleted": True}))

    def _search(self, id: str, body: Any, quirks: Quirks) -> Reply:
        self.active(id, quirks)
        search = checked_search(parsed(body))
        with self._account.store.writing():
            self.touch(self.active(id, quirks))
        files = self._account.attachments.completed(id)
        rows = [(self._account.store.get(attached_kind(id), file.file), file) for file in files]
        oldest_first = sorted(((row, file) for row, file in rows if row), key=lambda each: each[0].place)
        page = {
            "object": "vector_store.search_results.page",
            "search_query": search.queries,
            "data": search_results(search, oldest_first, self._account.contents.text),
            "has_more": False,
            "next_page": None,
        }
        return Reply(200, json.dumps(page))

    def _shown(self, rows: list[StoredObject]) -> list[Body]:
        counts = self._account.attachments.counts([row.id for row in rows])
        shown = []
        for row in rows:
            body = json.loads(row.body)
            if row.id in counts:
                files, body["usage_bytes"] = counts[row.id]
                body["file_counts"] = files | {"total": sum(files.values())}
            if self._is_expired(body):
                body["status"] = "expired"
            elif body["file_counts"]["in_progress"]:
                body["status"] = "in_progress"
            shown.append(body)
        return shown

    def _is_expired(self, body: Body) -> bool:
        return body["expires_at"] is not None and body["expires_at"] <= self._account.clock()


_SETTABLE = ("name", "description", "expires_after", "metadata")


def _fresh(id: str, created_at: int) -> Body:
    return {
        "id": id,
        "object": "vector_store",
        "created_at": created_at,
        "name": None,
        "description": None,
        "usage_bytes": 0,
        "file_counts": {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0},
        "status": "completed",
        "expires_after": None,
        "expires_at": None,
        "last_active_at": created_at,
        "metadata": {},
    }


def _renewed(body: Body, active_at: int) -> str:
    after = body["expires_after"]
    expires_at = None if after is None else active_at + after["days"] * _DAY
    return serialised(body | {"last_active_at": active_at, "expires_at": expires_at})
