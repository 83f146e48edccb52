"""Agents of OpenAI's Agents API: create, read, update, delete, list."""

import json
import re
from typing import Any

from reconciler.server.pagination import Paging, listing_text, page_of
from reconciler.server.profiles.account import Account, serialised
from reconciler.server.profiles.openai_agents.agents_fields import checked_create, checked_update, fresh, merged
from reconciler.server.store import StoredObject
from reconciler.server.wire import Call, Quirks, Refusal, Repeating, Reply, Request, Unparsable

KIND = "agent"
_UNKNOWN = "Agent with id '{id}' not found."
_JSON = re.compile(r"application/([^;\s]+\+)?json\s*(;.*)?", re.IGNORECASE)
_DIGITS = re.compile(r"\+?[0-9]+", re.ASCII)
_MOST = 2**63 - 1
_KINDS: dict[type, str] = {list: "an array", str: "a string", bool: "a boolean"}
_BAD_JSON = (
    "Invalid body: failed to parse JSON value. Please check the value to ensure it is valid JSON. (Common errors "
    "include trailing commas, missing closing brackets, missing quotation marks, etc.)"
)


class Agents:
    """The routes below /agents."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def answer(self, call: Call, request: Request, quirks: Quirks) -> Reply:
        """One of the five verbs."""
        match call.operation:
            case "list":
                paging = _paging(request)
                return Reply(200, listing_text(*page_of(self._account.store, KIND, paging, quirks, _UNKNOWN)))
            case "create":
                return self._create(_json_of(request))
            case "retrieve":
                return Reply(200, self._existing(call.id).body)
            case "modify":
                return self._update(call.id, _json_of(request), quirks)
            case _:
                return self._delete(call.id)

    def _create(self, body: Any) -> Reply:
        sent = checked_create(body)
        account, now = self._account, self._account.now()
        with account.store.writing():
            id = account.new_id(KIND, lambda: f"agent_{account.entropy(24)}")
            stored = serialised(merged(fresh(id, now), sent, now))
            account.store.insert(KIND, id, now, stored)
        return Reply(201, stored)

    def _update(self, id: str, body: Any, quirks: Quirks) -> Reply:
        sent = checked_update(body)  # a faulty body is reported before an unknown id
        with self._account.store.writing():
            before = self._existing(id)
            stored = json.loads(before.body)
            if quirks.metadata_merges and sent.get("metadata") is not None:
                sent["metadata"] = stored["metadata"] | sent["metadata"]
            after = serialised(merged(stored, sent, self._account.now()))
            self._account.store.replace(KIND, before, after)
        return Reply(200, before.body if quirks.stale_reply else after)

    def _delete(self, id: str) -> Reply:
        with self._account.store.writing():
            self._account.store.delete(KIND, self._existing(id))
        return Reply(200, json.dumps({"id": id, "object": "agent.deleted", "deleted": True}))

    def _existing(self, id: str) -> StoredObject:
        return self._account.existing(KIND, id, Refusal(_UNKNOWN.format(id=id), status=404))


def _paging(request: Request) -> Paging:
    """The query of a list: what is given twice first, then the limit, clamped instead of refused, then the order."""
    query = request.query
    if request.repeated in ("after", "limit", "order"):
        raise _bad_query(f"duplicate field `{request.repeated}`")
    limit, order = query.get("limit", "20"), query.get("order", "desc")
    if not _DIGITS.fullmatch(limit):
        raise _bad_query("limit: invalid digit found in string")
    if len(limit) > len(str(_MOST)) + 1 or int(limit) > _MOST:
        raise _bad_query("limit: number too large to fit in target type")
    if order not in ("asc", "desc"):
        raise _bad_query(f"order: unknown variant `{order}`, expected `asc` or `desc`")
    after = query.get("after", "").strip() or None
    return Paging(limit=min(max(int(limit), 1), 100), descending=order == "desc", after=after, before=None)


def _bad_query(reason: str) -> Refusal:
    return Refusal(f"Failed to deserialize query string: {reason}")


def _json_of(request: Request) -> Any:
    """The body as an object; an empty one and null are `{}`. Raises Refusal."""
    if not _JSON.fullmatch(request.headers.get("content-type", "")):
        raise Refusal("expected request with Content-Type: application/json")
    body = request.body
    if isinstance(body, Unparsable):
        has_none = request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers
        if not has_none:
            raise Refusal(_BAD_JSON)
        return {}
    if body is None:
        return {}
    if (twice := _repeated(request.sent, ())) is not None:  # as it came: chaos makes bodies anew
        message = f"duplicate JSON key '{twice[-1]}' at '{'.'.join(twice)}'. Duplicate JSON keys are not supported."
        raise Refusal(f"Invalid body: {message}")
    if not isinstance(body, dict):
        raise Refusal(f"Invalid type: expected an object, but got {_KINDS.get(type(body), 'a number')} instead.")
    return body


def _repeated(value: Any, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """Where a key is given twice: the names of objects, without the numbers in lists."""
    if isinstance(value, list):
        return next((found for each in value if (found := _repeated(each, path))), None)
    if not isinstance(value, dict):
        return None
    if isinstance(value, Repeating):
        return (*path, value.key)
    return next((found for name, each in value.items() if (found := _repeated(each, (*path, name)))), None)
