"""OpenAI's Assistants API, version 2, with the files and vector stores it works on: routes and credentials."""

from collections.abc import Callable

from reconciler.server.profiles.account import Account
from reconciler.server.profiles.openai_assistants import assistants, files, vector_stores
from reconciler.server.profiles.openai_assistants.assistants import Assistants
from reconciler.server.profiles.openai_assistants.attach_files import Attaching
from reconciler.server.profiles.openai_assistants.files import Files
from reconciler.server.profiles.openai_assistants.vector_store_files import VectorStoreFiles
from reconciler.server.profiles.openai_assistants.vector_stores import VectorStores
from reconciler.server.store import Store
from reconciler.server.wire import Call, Entropy, Quirks, Refusal, Reply, Request

_PREFIX = "/v1/"
_ROUTES = {
    "GET assistants": ("list", assistants.KIND),
    "POST assistants": ("create", assistants.KIND),
    "GET assistants/*": ("retrieve", assistants.KIND),
    "POST assistants/*": ("modify", assistants.KIND),
    "DELETE assistants/*": ("delete", assistants.KIND),
    "GET files": ("list", files.KIND),
    "POST files": ("create", files.KIND),
    "GET files/*": ("retrieve", files.KIND),
    "DELETE files/*": ("delete", files.KIND),
    "GET files/*/content": ("content", files.KIND),
    "GET vector_stores": ("list", vector_stores.KIND),
    "POST vector_stores": ("create", vector_stores.KIND),
    "GET vector_stores/*": ("retrieve", vector_stores.KIND),
    "POST vector_stores/*": ("modify", vector_stores.KIND),
    "DELETE vector_stores/*": ("delete", vector_stores.KIND),
    "POST vector_stores/*/search": ("search", vector_stores.KIND),
    "GET vector_stores/*/files": ("list", "vector_store_file"),
    "POST vector_stores/*/files": ("create", "vector_store_file"),
    "GET vector_stores/*/files/*": ("retrieve", "vector_store_file"),
    "POST vector_stores/*/files/*": ("modify", "vector_store_file"),
    "DELETE vector_stores/*/files/*": ("delete", "vector_store_file"),
    "GET vector_stores/*/files/*/content": ("content", "vector_store_file"),
    "POST vector_stores/*/file_batches": ("create", "file_batch"),
    "GET vector_stores/*/file_batches/*": ("retrieve", "file_batch"),
    "POST vector_stores/*/file_batches/*/cancel": ("cancel", "file_batch"),
    "GET vector_stores/*/file_batches/*/files": ("list", "vector_store_file"),
}
_NO_BETA = (
    "You must provide the 'OpenAI-Beta' header to access the Assistants API. "
    "Please try again by setting the header 'OpenAI-Beta: assistants=v2'."
)
_NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
    "(i.e. Authorization: Bearer YOUR_KEY)."
)


class AssistantsV2:
    """The profile `assistants-v2`."""

    def __init__(self, store: Store, *, api_key: str | None, clock: Callable[[], float], entropy: Entropy) -> None:
        self._api_key = api_key
        account = Account(store, clock, entropy)
        self._files = Files(account)
        attaching = Attaching(account, self._files)
        self._stores = VectorStores(account, attaching)
        self._attached = VectorStoreFiles(account, self._stores, attaching)
        self._assistants = Assistants(account, self._stores)

    def call_for(self, method: str, path: str) -> Call | None:
        """What a route means, or None where there is no such route."""
        parts = path.removeprefix(_PREFIX).split("/") if path.startswith(_PREFIX) else [""]
        if not all(parts):
            return None
        route = "/".join("*" if index % 2 else part for index, part in enumerate(parts))
        operation, kind = _ROUTES.get(f"{method} {route}", ("", ""))
        if not operation:
            return None
        ids = parts[1::2]
        # A call on something inside a store has the store's id first, and of what it lists the batch's, if any.
        within = ids.pop(0) if kind in ("vector_store_file", "file_batch") else ""
        takes_form = (operation, kind) == ("create", files.KIND)
        return Call(operation, kind, ids[0] if ids else "", within, takes_form)

    def admit(self, call: Call, request: Request) -> None:
        """The key first, then the beta header. Which of its two statuses the latter has is disputed; 400 here.

        Only assistants ask for it: clients send it for vector stores too, but not for files.
        """
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
        if call.kind == assistants.KIND and "assistants=v2" not in [each.strip() for each in offered]:
            raise Refusal(_NO_BETA, code="invalid_beta")

    def headers(self) -> list[tuple[str, str]]:
        """Recorded on every answer. There is no x-ratelimit-* among them."""
        return [
            ("openai-organization", "embedded"),
            ("openai-processing-ms", "1"),
            ("openai-version", "2020-10-01"),
        ]

    def answer(self, call: Call, request: Request, quirks: Quirks) -> Reply:
        """Do what a call says."""
        self._files.remove_expired()
        match call.kind:
            case assistants.KIND:
                return self._assistants.answer(call, request, quirks)
            case files.KIND:
                return self._files.answer(call, request, quirks)
            case vector_stores.KIND:
                return self._stores.answer(call, request, quirks)
            case _:
                return self._attached.answer(call, request, quirks)


def masked_key(key: str) -> str:
    """A wrong key as the vendor echoes it: enough to recognise, not enough to use."""
    head, tail = (8, 4) if len(key) >= 20 else (2, 0)
    return key[:head] + "*" * max(0, len(key) - head - tail) + (key[-tail:] if tail else "")
