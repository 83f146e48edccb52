"""OpenAI's Assistants API, version 2, as recorded: routes, credentials, the five verbs, and their answers."""

import json
from collections.abc import Callable
from typing import Any

from ..listing import Paging, listing_text, page_of
from ..store import Row, Store
from ..wire import Call, Entropy, Quirks, Refusal, Reply, Request, Unparsable
from .assistants_fields import checked_create, checked_modify, fresh, merged

KIND = "assistant"
_COLLECTION = "/v1/assistants"
_OPERATIONS = {
    ("GET", False): "list",
    ("POST", False): "create",
    ("GET", True): "retrieve",
    ("POST", True): "modify",
    ("DELETE", True): "delete",
}
_UNKNOWN = "No assistant found with id '{id}'."
_NO_BETA = (
    "You must provide the 'OpenAI-Beta' header to access the Assistants API. "
    "Please try again by setting the header 'OpenAI-Beta: assistants=v2'."
)
_NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
    "(i.e. Authorization: Bearer YOUR_KEY)."
)
_BAD_JSON = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
    "correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
)


class AssistantsV2:
    """The profile `assistants-v2`."""

    def __init__(self, store: Store, *, api_key: str | None, clock: Callable[[], float], entropy: Entropy) -> None:
        self._store = store
        self._api_key = api_key
        self._clock = clock
        self._entropy = entropy

    def call_for(self, method: str, path: str) -> Call | None:
        """What a route means, or None where there is no such route."""
        before, slash, id = path.partition(f"{_COLLECTION}/")
        if path != _COLLECTION and (before or not slash or not id or "/" in id):
            return None
        operation = _OPERATIONS.get((method, bool(id)))
        return Call(operation, KIND, id) if operation else None

    def admit(self, request: Request) -> None:
        """The key first, then the beta header. Which of its two statuses the latter has is disputed; 400 here."""
        if self._api_key is not None:
            scheme, _, key = request.headers.get("authorization", "").partition(" ")
            if not key or scheme.lower() != "bearer":
                raise Refusal(_NO_KEY, status=401)
            if key.strip() != self._api_key:
                message = (
                    f"Incorrect API key provided: {masked_key(key.strip())}. "
                    "You can find your API key at https://platform.openai.com/account/api-keys."
                )
                raise Refusal(message, status=401, code="invalid_api_key")
        offered = request.headers.get("openai-beta", "").split(",")
        if "assistants=v2" not in [each.strip() for each in offered]:
            raise Refusal(_NO_BETA, code="invalid_beta")

    def headers(self) -> list[tuple[str, str]]:
        """Recorded on every answer. There is no x-ratelimit-* among them."""
        return [
            ("openai-organization", "embedded"),
            ("openai-processing-ms", "1"),
            ("openai-version", "2020-10-01"),
        ]

    def answer(self, call: Call, request: Request, quirks: Quirks) -> Reply:
        """One of the five verbs."""
        match call.operation:
            case "list":
                paging = Paging.from_query(request.query)
                return Reply(200, listing_text(*page_of(self._store, KIND, paging, quirks, _UNKNOWN)))
            case "create":
                return self._create(request.body)
            case "retrieve":
                return Reply(200, self._existing(call.id).body)
            case "modify":
                return self._modify(call.id, request.body, quirks)
            case _:
                return self._delete(call.id)

    def _create(self, body: Any) -> Reply:
        sent = checked_create(_parsed(body))
        created_at = int(self._clock())
        with self._store.writing():
            assistant = merged(fresh(self._new_id(), created_at), sent, self._new_vector_store)
            stored = _serialised(assistant)
            self._store.insert(KIND, assistant["id"], created_at, stored)
        return Reply(200, stored)

    def _modify(self, id: str, body: Any, quirks: Quirks) -> Reply:
        self._existing(id)  # an unknown id is reported before a faulty body
        sent = checked_modify(_parsed(body))
        with self._store.writing():
            before = self._existing(id)
            stored = json.loads(before.body)
            if quirks.metadata_merges and sent.get("metadata") is not None:
                sent["metadata"] = stored["metadata"] | sent["metadata"]
            after = _serialised(merged(stored, sent, self._new_vector_store))
            self._store.replace(KIND, before, after)
        return Reply(200, before.body if quirks.stale_reply else after)

    def _delete(self, id: str) -> Reply:
        with self._store.writing():
            self._store.delete(KIND, self._existing(id))
        return Reply(200, json.dumps({"id": id, "object": "assistant.deleted", "deleted": True}))

    def _existing(self, id: str) -> Row:
        row = self._store.get(KIND, id)
        if row is None:
            raise Refusal(_UNKNOWN.format(id=id), status=404)
        return row

    def _new_id(self) -> str:
        while True:
            id = f"asst_{self._entropy(24)}"
            # Seeded entropy on a file that was written before would draw the same ids again.
            if self._store.find(KIND, id) is None:
                return id

    def _new_vector_store(self) -> str:
        return f"vs_{self._entropy(24)}"


def masked_key(key: str) -> str:
    """A wrong key as the vendor echoes it: enough to recognise, not enough to use."""
    head, tail = (8, 4) if len(key) >= 20 else (2, 0)
    return key[:head] + "*" * max(0, len(key) - head - tail) + (key[-tail:] if tail else "")


def _parsed(body: Any) -> Any:
    if isinstance(body, Unparsable):
        raise Refusal(_BAD_JSON)
    return body


def _serialised(assistant: dict[str, Any]) -> str:
    try:
        return json.dumps(assistant, allow_nan=False)
    except (RecursionError, ValueError):  # nested too deep, or a number like 1e999 in a part that is the user's own
        raise Refusal(_BAD_JSON) from None
