"""What vendors' own clients say of bodies: run by a Python that has them, with bodies by provider on its input.

Prints, by provider, what a client's types do not know or do not take.
"""
# mypy: ignore-errors

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import azure.ai.agents.models as azure
from elevenlabs.types import ConversationalConfig
from letta_client.types import AgentCreateParams, AgentUpdateParams
from mistralai.client.models import CreateAgentRequest, UpdateAgentRequest
from pydantic import BaseModel, TypeAdapter
from vapi.types import CreateAssistantDto

Json = Any
FREE = {"model", "voice", "transcriber", "hooks", "voicemailDetection"}
MADE_ONLY = {"agent_type", "memory_blocks"}
LETTA_CREATE, LETTA_UPDATE = TypeAdapter(AgentCreateParams), TypeAdapter(AgentUpdateParams)


def mistral(body: Json) -> Iterator[str]:
    """Bodies come out of the client as they went in: it drops what it does not know."""
    for request in (CreateAgentRequest, UpdateAgentRequest):
        if request.model_validate(body).model_dump(mode="json", by_alias=True, exclude_unset=True) != body:
            yield f"{request.__name__} loses a part"


def elevenlabs(body: Json) -> Iterator[str]:
    """Only the configuration has types: a name and tags are arguments."""
    yield from unknown(ConversationalConfig.model_validate(body["conversation_config"]))


def vapi(body: Json) -> Iterator[str]:
    """What the schema leaves to the API's spelling has no fields of ours."""
    typed = {name: value for name, value in body.items() if name not in FREE and not name.endswith("Plan")}
    yield from unknown(CreateAssistantDto.model_validate(typed))


def letta(body: Json) -> Iterator[str]:
    """Typed dictionaries: names by themselves, values by their types."""
    changes = {name: value for name, value in body.items() if name not in MADE_ONLY}
    for adapter, params, said in (
        (LETTA_CREATE, AgentCreateParams, body | {"include_base_tools": False}),
        (LETTA_UPDATE, AgentUpdateParams, changes),
    ):
        adapter.validate_python(said)
        yield from (f"{params.__name__} has no {name}" for name in said if name not in params.__annotations__)


def foundry(body: Json) -> Iterator[str]:
    """Models over dictionaries: each knows its fields by the names on the wire."""
    yield from _fields(azure.Agent(body), body)


def _fields(model: Any, said: Json) -> Iterator[str]:
    if isinstance(model, list):
        for each, part in zip(model, said, strict=True):
            yield from _fields(each, part)
    elif hasattr(model, "_attr_to_rest_field") and isinstance(said, dict):
        names = {field._rest_name: name for name, field in model._attr_to_rest_field.items()}
        for name, part in said.items():
            if name in names:
                yield from _fields(getattr(model, names[name]), part)
            else:
                yield f"{type(model).__name__} has no {name}"


def unknown(value: Any) -> Iterator[str]:
    """The fields that a model kept although it does not have them."""
    if isinstance(value, BaseModel):
        yield from (f"{type(value).__name__} has no {name}" for name in value.model_extra or {})
        for name in type(value).model_fields:
            yield from unknown(getattr(value, name))
    elif isinstance(value, list):
        for each in value:
            yield from unknown(each)


CLIENTS: dict[str, Callable[[Json], Iterator[str]]] = {
    "azure-foundry-classic": foundry,
    "elevenlabs": elevenlabs,
    "letta": letta,
    "mistral": mistral,
    "vapi": vapi,
}


def complaints(provider: str, body: Json) -> list[str]:
    """All that the client of a provider says of a body."""
    try:
        return list(CLIENTS[provider](body))
    except ValueError as error:
        return [str(error)[:400]]


if __name__ == "__main__":
    found = {
        provider: sorted({said for body in bodies for said in complaints(provider, body)})
        for provider, bodies in json.load(sys.stdin).items()
    }
    json.dump(found, sys.stdout)
