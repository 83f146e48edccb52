"""Assistants: create, read, update, delete, list."""

import json
from typing import Any

from reconciler.server.pagination import Paging, listing_text, page_of
from reconciler.server.profiles.account import Account, parsed, serialised
from reconciler.server.profiles.openai_assistants.assistants_fields import checked_create, checked_modify, fresh, merged
from reconciler.server.profiles.openai_assistants.vector_stores import VectorStores
from reconciler.server.store import StoredObject
from reconciler.server.wire import Call, Quirks, Refusal, Reply, Request

KIND = "assistant"
_UNKNOWN = "No assistant found with id '{id}'."


class Assistants:
    """The routes below /assistants."""

    def __init__(self, account: Account, stores: VectorStores) -> None:
        self._account = account
        self._stores = stores

    def answer(self, call: Call, request: Request, quirks: Quirks) -> Reply:
        """One of the five verbs."""
        match call.operation:
            case "list":
                paging = Paging.from_query(request.query)
                return Reply(200, listing_text(*page_of(self._account.store, KIND, paging, quirks, _UNKNOWN)))
            case "create":
                return self._create(request.body, quirks)
            case "retrieve":
                return Reply(200, self._existing(call.id).body)
            case "modify":
                return self._modify(call.id, request.body, quirks)
            case _:
                return self._delete(call.id)

    def _create(self, body: Any, quirks: Quirks) -> Reply:
        sent = checked_create(parsed(body))
        account, created_at = self._account, self._account.now()
        with account.store.writing():
            id = account.new_id(KIND, lambda: f"asst_{account.entropy(24)}")
            assistant = merged(fresh(id, created_at), sent, lambda new: self._stores.make_loosely(new, quirks))
            stored = serialised(assistant)
            account.store.insert(KIND, id, created_at, stored)
        return Reply(200, stored)

    def _modify(self, id: str, body: Any, quirks: Quirks) -> Reply:
        self._existing(id)  # an unknown id is reported before a faulty body
        sent = checked_modify(parsed(body))
        with self._account.store.writing():
            before = self._existing(id)
            stored = json.loads(before.body)
            if quirks.metadata_merges and sent.get("metadata") is not None:
                sent["metadata"] = stored["metadata"] | sent["metadata"]
            after = serialised(merged(stored, sent, lambda new: self._stores.make_loosely(new, quirks)))
            self._account.store.replace(KIND, before, after)
        return Reply(200, before.body if quirks.stale_reply else after)

    def _delete(self, id: str) -> Reply:
        with self._account.store.writing():
            self._account.store.delete(KIND, self._existing(id))
        return Reply(200, json.dumps({"id": id, "object": "assistant.deleted", "deleted": True}))

    def _existing(self, id: str) -> StoredObject:
        return self._account.existing(KIND, id, Refusal(_UNKNOWN.format(id=id), status=404))
