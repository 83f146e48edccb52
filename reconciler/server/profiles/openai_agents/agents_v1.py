"""OpenAI's Agents API (`agents=v1`): routes, the beta header and credentials.

What an agent runs (sessions, environments, vaults) is not served: this server never runs anything.
"""

from collections.abc import Callable

from reconciler.server.profiles.account import Account
from reconciler.server.profiles.openai_agents import agents
from reconciler.server.profiles.openai_agents.agents import Agents
from reconciler.server.store import Store
from reconciler.server.wire import Call, Entropy, Quirks, Refusal, Reply, Request

_ROOT = "/v1/agents"
_COLLECTION = {"GET": "list", "POST": "create"}
_AGENT = {"GET": "retrieve", "POST": "modify", "DELETE": "delete"}
_UNSERVED = "unsupported"
_BETA = "agents=v1"
_NO_BETA = f"To access the Agents API, set the 'OpenAI-Beta' header to '{_BETA}'."
_NO_KEY = "A valid Agents API bearer key is required."  # third-party wording; that the code is null is recorded
_NO_ROUTE = "Unknown API operation."
_NO_METHOD = "This API method is not supported."


class AgentsV1:
    """The profile `agents-v1`."""

    def __init__(self, store: Store, *, api_key: str | None, clock: Callable[[], float], entropy: Entropy) -> None:
        self._api_key = api_key
        self._agents = Agents(Account(store, clock, entropy))

    def call_for(self, method: str, path: str) -> Call | None:
        """What a route means; one below /agents that is not served is refused only after the credentials."""
        operations, id = _operations(path)
        if operations is None:
            return None
        return Call(operations.get(method, _UNSERVED), agents.KIND, id)

    def admit(self, call: Call, request: Request) -> None:
        """The beta header first, sent exactly once, then the key, then whether the route has this method."""
        if request.headers.get("openai-beta") != _BETA:
            raise Refusal(_NO_BETA, code="invalid_beta", type_="invalid_beta")
        if self._api_key is not None:
            scheme, _, key = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or key.strip() != self._api_key:
                raise Refusal(_NO_KEY, status=401)
        if call.operation == _UNSERVED:
            operations, _ = _operations(request.path)
            if not operations:
                raise Refusal(_NO_ROUTE, status=404, code="unsupported_operation")
            raise _MethodNotAllowed(operations)

    def headers(self) -> list[tuple[str, str]]:
        """What third parties recorded on every answer, and the organisation as the vendor's other APIs name it."""
        return [
            ("openai-organization", "embedded"),
            ("openai-processing-ms", "1"),
            ("openai-version", "2020-10-01"),
        ]

    def answer(self, call: Call, request: Request, quirks: Quirks) -> Reply:
        """Do what a call says. Whatever is refused, the codes are those of this API and not of a check."""
        try:
            return self._agents.answer(call, request, quirks)
        except Refusal as refusal:
            code = "not_found_error" if refusal.status == 404 else "invalid_request_error"
            message, param = refusal.error["message"], refusal.error["param"]
            raise Refusal(str(message), status=refusal.status, param=param, code=code, type_=code) from None


class _MethodNotAllowed(Refusal):
    """A 405, which names in a header what is allowed."""

    def __init__(self, methods: dict[str, str]) -> None:
        super().__init__(_NO_METHOD, status=405, code="unsupported_operation")
        self._allow = ",".join(methods)

    def reply(self) -> Reply:
        """The refusal as it goes over the wire."""
        reply = super().reply()
        reply.headers.append(("allow", self._allow))
        return reply


def _operations(path: str) -> tuple[dict[str, str] | None, str]:
    """The methods of a route below /agents (none: there is no such route) and the id in it; None elsewhere."""
    if path == _ROOT:
        return _COLLECTION, ""
    if not path.startswith(f"{_ROOT}/"):
        return None, ""
    id = path.removeprefix(f"{_ROOT}/")
    return ({} if not id or "/" in id else _AGENT), id
