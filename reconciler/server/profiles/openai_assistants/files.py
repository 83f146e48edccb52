"""Files: uploaded as a form, kept in parts, shown without their content."""

import json
import re
from collections.abc import Iterator

from reconciler.server.body_validation import choice, integer, missing, struct
from reconciler.server.pagination import Paging, listing_text, page_of
from reconciler.server.profiles.account import Account, Body, attached_kind, serialised
from reconciler.server.store import StoredObject
from reconciler.server.wire import Call, ConnectionDropped, Form, Quirks, Refusal, Reply, Request

KIND = "file"
_PURPOSE = choice("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
_NOT_DOWNLOADABLE = "assistants"
# Wordings as third parties quote them, here and for what cannot be downloaded: the spec has none.
_UNKNOWN = "No such File object: {id}"
_NO_FORM = "Invalid content type. Expected the file as 'multipart/form-data'."
_EXPIRY = struct(
    {"anchor": choice("created_at"), "seconds": integer(3600, 2_592_000)},
    required=("anchor", "seconds"),
)
_BATCH_SECONDS = 2_592_000  # files for the batch API go by themselves, all others stay


class Files:
    """The routes below /files."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def answer(self, call: Call, request: Request, quirks: Quirks) -> Reply:
        """One of the verbs."""
        match call.operation:
            case "list":
                return self._list(request.query, quirks)
            case "create":
                return self._create(request.body)
            case "retrieve":
                return Reply(200, self.existing(call.id).body)
            case "content":
                return self._content(self.existing(call.id))
            case _:
                return self._delete(call.id)

    def existing(self, id: str) -> StoredObject:
        """The file with this id. Raises Refusal where there is none."""
        return self._account.existing(KIND, id, Refusal(_UNKNOWN.format(id=id), status=404, param="id"))

    def known(self, ids: list[str]) -> list[Body]:
        """These files; raises Refusal for the first that does not exist."""
        return [json.loads(self.existing(id).body) for id in ids]

    def _list(self, query: dict[str, str], quirks: Quirks) -> Reply:
        paging = Paging.from_query(query, limit=10_000, maximum=10_000)
        among = None
        if purpose := query.get("purpose"):
            sql = "SELECT id FROM objects WHERE kind = ? AND deleted = 0 AND json_extract(body, '$.purpose') = ?"
            among = (sql, (KIND, purpose))
        return Reply(200, listing_text(*page_of(self._account.store, KIND, paging, quirks, _UNKNOWN, among)))

    def _create(self, form: object) -> Reply:
        if not isinstance(form, Form):
            raise Refusal(_NO_FORM)
        if form.content is None:
            raise missing("file")
        if "purpose" not in form.fields:
            raise missing("purpose")
        purpose = _PURPOSE(form.fields["purpose"], "purpose")
        seconds = _lifetime(form.fields, purpose)
        store, created_at = self._account.store, self._account.now()
        with store.writing():
            id = self._account.new_id(KIND, lambda: f"file-{self._account.entropy(22)}")
            expires_at = None if seconds is None else created_at + seconds
            stored = serialised(_shown(id, created_at, purpose, expires_at, form))
            store.insert(KIND, id, created_at, stored)
            self._account.contents.save(id, form.content)
            if expires_at is not None:
                store.run("INSERT INTO expiries (at, file) VALUES (?, ?)", (expires_at, id))
        return Reply(200, stored)

    def _content(self, row: StoredObject) -> Reply:
        file = json.loads(row.body)
        if file["purpose"] == _NOT_DOWNLOADABLE:
            raise Refusal(f"Not allowed to download files of purpose: {file['purpose']}")
        stream = (file["bytes"], _whole(self._account.contents.parts(row.id), file["bytes"]))
        return Reply(200, "", content_type="application/octet-stream", stream=stream)

    def _delete(self, id: str) -> Reply:
        with self._account.store.writing():
            self._remove(self.existing(id))
        return Reply(200, json.dumps({"id": id, "object": "file", "deleted": True}))

    def _remove(self, row: StoredObject) -> None:
        # The vendor removes a deleted file from all vector stores; the store keeps no trace of it.
        store, attachments = self._account.store, self._account.attachments
        for holder in attachments.stores_with(row.id):
            entry = store.get(attached_kind(holder), row.id)
            if entry is not None:
                store.delete(attached_kind(holder), entry)
            attachments.detach(holder, row.id)
        self._account.contents.remove(row.id)
        store.run("DELETE FROM expiries WHERE file = ?", (row.id,))
        store.delete(KIND, row)

    def remove_expired(self) -> None:
        """Remove the files whose time is over, which every answer may depend on."""
        store = self._account.store
        for (id,) in store.run("SELECT file FROM expiries WHERE at <= ?", (self._account.clock(),)):
            with store.writing():
                row = store.get(KIND, id)
                if row is not None:  # another request may have been faster
                    self._remove(row)


def _lifetime(fields: dict[str, str], purpose: str) -> int | None:
    # A form has no nested fields: `expires_after[seconds]` is how clients spell one.
    written = {name[14:-1]: value for name, value in fields.items() if name.startswith("expires_after[")}
    if not written:
        return _BATCH_SECONDS if purpose == "batch" else None
    seconds = written.get("seconds", "")
    checked: Body = _EXPIRY(
        written | ({"seconds": int(seconds)} if re.fullmatch("[0-9]{1,15}", seconds) else {}), "expires_after"
    )
    return int(checked["seconds"])


def _shown(id: str, created_at: int, purpose: str, expires_at: int | None, form: Form) -> Body:
    return {
        "object": "file",
        "id": id,
        "purpose": purpose,
        "filename": form.filename,
        "bytes": form.size,
        "created_at": created_at,
        "expires_at": expires_at,
        "status": "processed",
        "status_details": None,
    }


def _whole(parts: Iterator[bytes], size: int) -> Iterator[bytes]:
    for part in parts:
        size -= len(part)
        yield part
    if size:
        raise ConnectionDropped("the file was deleted while it was sent")
