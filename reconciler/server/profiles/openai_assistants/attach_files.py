"""Attaches files to vector stores and detaches them."""

import json
from collections.abc import Iterable

from reconciler.server.attachments import AttachedFile
from reconciler.server.profiles.account import Account, Body, attached_kind, serialised
from reconciler.server.profiles.openai_assistants.files import KIND, Files
from reconciler.server.profiles.openai_assistants.vector_store_fields import chunking_shown
from reconciler.server.store import StoredObject
from reconciler.server.wire import Quirks

_EMPTY_FILE = ("invalid_file", "The file is empty.")


class Attaching:
    """The files in the vector stores of one account."""

    def __init__(self, account: Account, files: Files) -> None:
        self._account = account
        self._files = files

    def known(self, ids: Iterable[str]) -> list[Body]:
        """These files, each once. Raises Refusal for the first that does not exist."""
        return self._files.known(list(dict.fromkeys(ids)))

    def existing(self, ids: Iterable[str]) -> list[Body]:
        """Those of these files that exist, each once."""
        rows = [self._account.store.get(KIND, id) for id in dict.fromkeys(ids)]
        return [json.loads(row.body) for row in rows if row]

    def attach(self, store: str, wishes: Iterable[tuple[Body, Body]], batch: str, quirks: Quirks) -> None:
        """Attach files, each with its `attributes` and `chunking_strategy`; inside `Store.writing`.

        A file that is attached already is not attached twice: it takes the new settings and is indexed anew.
        """
        for file, settings in wishes:
            self._keep(store, file["id"], settings)
            indexing = quirks.indexing(file["filename"])
            if not file["bytes"] and indexing.failure is None:
                indexing = indexing.failing(*_EMPTY_FILE)
            self._account.attachments.attach(store, file, batch, indexing)

    def detach(self, store: str, file: str) -> None:
        """Take a file out of a store, and leave the file itself; inside `Store.writing`."""
        row = self._account.store.get(attached_kind(store), file)
        if row is not None:
            self._account.store.delete(attached_kind(store), row)
        self._account.attachments.detach(store, file)

    def shown(self, store: str, rows: list[StoredObject]) -> list[Body]:
        """Attached files as the wire has them."""
        attachments = self._account.attachments.of(store, [row.id for row in rows])
        return [json.loads(row.body) | _progress(attachments.get(row.id)) for row in rows]

    def _keep(self, store: str, file: str, settings: Body) -> None:
        objects, kind = self._account.store, attached_kind(store)
        before = objects.get(kind, file)
        created_at = before.created_at if before else self._account.now()
        body = serialised(
            {
                "id": file,
                "object": "vector_store.file",
                "usage_bytes": 0,
                "created_at": created_at,
                "vector_store_id": store,
                "status": "in_progress",
                "last_error": None,
                "chunking_strategy": chunking_shown(settings.get("chunking_strategy")),
                "attributes": settings.get("attributes") or {},
            }
        )
        if before:
            objects.replace(kind, before, body)
        else:
            objects.forget(kind, file)  # it may have been attached before
            objects.insert(kind, file, created_at, body)


def _progress(attachment: AttachedFile | None) -> Body:
    # A list that lags may show a file that has been detached: it stays as it was stored.
    if attachment is None or attachment.status == "in_progress":
        return {}
    failed = {"code": attachment.code, "message": attachment.message} if attachment.status == "failed" else None
    size = attachment.bytes if attachment.status == "completed" else 0
    return {"usage_bytes": size, "status": attachment.status, "last_error": failed}
