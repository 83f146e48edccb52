"""Anthropic's Managed Agents API (`managed-agents-2026-04-01`): routes, credentials, versions, and its errors.

What an agent runs in (sessions, environments, vaults) is not served: this server never runs anything.
"""

import json
import re
from collections.abc import Callable

from reconciler.server.profiles.account import Account
from reconciler.server.profiles.anthropic_agents import managed_agents
from reconciler.server.profiles.anthropic_agents.managed_agents import ManagedAgents
from reconciler.server.store import Store
from reconciler.server.wire import Call, Entropy, Quirks, Refusal, Reply, Request

_ROOT = "/v1/agents"
_UNSERVED = "unsupported"
_ROUTES = {
    "GET": ("list", managed_agents.KIND),
    "POST": ("create", managed_agents.KIND),
    "GET *": ("retrieve", managed_agents.KIND),
    "POST *": ("modify", managed_agents.KIND),
    "POST */archive": ("delete", managed_agents.KIND),
    "GET */versions": ("list", managed_agents.VERSION),
}
_BETA = "managed-agents-2026-04-01"
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    409: "invalid_request_error",
}
_WORDINGS = {
    "missing_required_parameter": "Field required",
    "unknown_parameter": "Extra inputs are not permitted",
}


class AnthropicAgents:
    """The profile `anthropic-agents`."""

    def __init__(self, store: Store, *, api_key: str | None, clock: Callable[[], float], entropy: Entropy) -> None:
        self._api_key = api_key
        self._entropy = entropy
        self._agents = ManagedAgents(Account(store, clock, entropy))

    def call_for(self, method: str, path: str) -> Call | None:
        """What a route means; one below /agents that is not served is refused only after the credentials."""
        id, route = "", method
        if path != _ROOT:
            if not path.startswith(f"{_ROOT}/"):
                return None
            id, slash, rest = path.removeprefix(f"{_ROOT}/").partition("/")
            route = f"{method} {'*' if id else ''}{slash}{rest}"
        operation, kind = _ROUTES.get(route, (_UNSERVED, managed_agents.KIND))
        return Call(operation, kind, id) if kind == managed_agents.KIND else Call(operation, kind, within=id)

    def admit(self, call: Call, request: Request) -> None:
        """The key first, then the headers that say which API is meant. The order of the two is documented nowhere."""
        headers = request.headers
        if self._api_key is not None:
            scheme, _, token = headers.get("authorization", "").partition(" ")
            key = headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")
            if not key:
                raise self._refused(Refusal("x-api-key header is required", status=401))
            if key != self._api_key:
                raise self._refused(Refusal("invalid x-api-key", status=401))
        if "anthropic-version" not in headers:
            raise self._refused(Refusal("header is required", param="anthropic-version"))
        if _BETA not in [each.strip() for each in headers.get("anthropic-beta", "").split(",")]:
            raise self._refused(Refusal(f"this endpoint is in beta and needs '{_BETA}'", param="anthropic-beta"))
        if call.operation == _UNSERVED:
            raise self._refused(Refusal("Not found", status=404))

    def headers(self) -> list[tuple[str, str]]:
        """What the vendor adds to every answer."""
        return [("anthropic-organization-id", "embedded")]

    def answer(self, call: Call, request: Request, quirks: Quirks) -> Reply:
        """Do what a call says."""
        try:
            reply = self._agents.answer(call, request, quirks)
        except Refusal as refusal:
            raise self._refused(refusal) from None
        reply.headers.append(("request-id", self._request_id()))
        return reply

    def _refused(self, refusal: Refusal) -> "_RefusedRequest":
        return _RefusedRequest(refusal, self._request_id())

    def _request_id(self) -> str:
        return f"req_011C{self._entropy(20)}"


class _RefusedRequest(Refusal):
    """A refusal in this vendor's envelope: a type, one text that begins with the place, and the id of the request."""

    def __init__(self, refusal: Refusal, request_id: str) -> None:
        error = refusal.error
        message = _WORDINGS.get(error["code"] or "", error["message"] or "")
        param = error["param"] or ""
        if param and f"'{param}'" not in message:
            message = re.sub(r"\[(\d+)\]", r".\1", param) + f": {message}"
        super().__init__(message, status=refusal.status)
        self._request_id = request_id

    def reply(self) -> Reply:
        """The refusal as it goes over the wire."""
        error = {"type": _TYPES[self.status], "message": str(self)}
        body = {"type": "error", "error": error, "request_id": self._request_id}
        return Reply(self.status, json.dumps(body), headers=[("request-id", self._request_id)])
