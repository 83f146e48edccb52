"""The protocols that the embedded server speaks, one profile each."""

from collections.abc import Callable
from typing import Protocol

from reconciler.server.profiles.anthropic_agents.anthropic_agents import AnthropicAgents
from reconciler.server.profiles.openai_agents.agents_v1 import AgentsV1
from reconciler.server.profiles.openai_assistants.assistants_v2 import AssistantsV2
from reconciler.server.store import Store
from reconciler.server.wire import Call, Entropy, Quirks, Reply, Request


class Profile(Protocol):
    """One vendor's protocol over the generic store. It raises `Refusal` for what the vendor would refuse."""

    def call_for(self, method: str, path: str) -> Call | None:
        """What a route means, or None where there is no such route."""

    def admit(self, call: Call, request: Request) -> None:
        """Check what must be right before anything else: credentials, version headers."""

    def answer(self, call: Call, request: Request, quirks: Quirks) -> Reply:
        """Do it."""

    def headers(self) -> list[tuple[str, str]]:
        """What the vendor adds to every answer."""


class ProfileFactory(Protocol):
    """How a profile is made."""

    def __call__(self, store: Store, *, api_key: str | None, clock: Callable[[], float], entropy: Entropy) -> Profile:
        """Over a store; `entropy` is what ids are made of."""


PROFILES: dict[str, ProfileFactory] = {
    "assistants-v2": AssistantsV2,
    "agents-v1": AgentsV1,
    "anthropic-agents": AnthropicAgents,
}
