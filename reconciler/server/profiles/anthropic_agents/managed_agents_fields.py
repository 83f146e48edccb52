"""The request body of an agent of Anthropic's Managed Agents: every field, its limits, and what the server stores.

Facts are those of the vendor's published spec (2026-05), SDK (2026-11) and guides; the newest wins where they differ,
and where none says anything the comment does.
"""

import sys
from typing import Any

from reconciler.server.body_validation import (
    Check,
    array,
    choice,
    integer,
    missing,
    nullable,
    string_map,
    struct,
    text,
    variants,
)
from reconciler.server.profiles.anthropic_agents.managed_agents_multiagent import MULTIAGENT
from reconciler.server.profiles.anthropic_agents.managed_agents_tools import TOOL, filled_tool
from reconciler.server.wire import Json, Refusal

Body = dict[str, Any]

HIGHEST_VERSION = 2**31 - 1
_METADATA_LIMITS = (16, 64, 512)
_METADATA = string_map(*_METADATA_LIMITS)
_NOT_EMPTY = "(?s).+"
_TYPE: dict[str, Check] = {"type": text()}
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_DEFAULT_EFFORT = "high"  # each model has its own; which is documented nowhere
_EFFORT_OBJECT = variants({effort: struct(_TYPE) for effort in _EFFORTS})
_SERVICE_ACCOUNT: Body = {"type": "service_account"}


def _effort(value: Json, path: str) -> Body:
    if isinstance(value, str):
        return {"type": choice(*_EFFORTS)(value, path)}
    checked: Body = _EFFORT_OBJECT(value, path)
    return checked


_MODEL_CONFIG = struct(
    {
        "id": text(None, _NOT_EMPTY),
        "effort": nullable(_effort),
        "inference_geo": nullable(text()),
        "speed": nullable(choice("standard", "fast")),
    },
    required=("id",),
)


def _model(value: Json, path: str) -> Body:
    """The short form is the object with nothing but the id."""
    if isinstance(value, str):
        value = {"id": value}
    checked: Body = _MODEL_CONFIG(value, path)
    return checked


def _patch(value: Json, path: str) -> Body:
    """What is to become of entries of metadata: null deletes. How many there may be is asked of the result."""
    if not isinstance(value, dict):
        raise Refusal("expected an object", param=path)
    _, key_length, value_length = _METADATA_LIMITS
    kept = {name: entry for name, entry in value.items() if entry is not None}
    string_map(sys.maxsize, key_length, value_length)(kept, path)
    return value


_SKILL = struct(
    _TYPE | {"skill_id": text(64, _NOT_EMPTY), "version": nullable(text(64, _NOT_EMPTY))}, required=("skill_id",)
)
_SERVER = struct(_TYPE | {"name": text(255, _NOT_EMPTY), "url": text(2048)}, required=("name", "url"))
_IDENTITY = variants(
    {
        "service_account": struct(_TYPE),
        "aws_role": struct(_TYPE | {"role_arn": text(2048)}, required=("role_arn",)),
    }
)
_LISTS = {
    "tools": array(TOOL, 256),
    "mcp_servers": array(variants({"url": _SERVER}), 20),
    "skills": array(variants({"anthropic": _SKILL, "custom": _SKILL}), 20),
}
_ALWAYS: dict[str, Check] = {
    "name": text(256, _NOT_EMPTY),
    "model": _model,
    "description": nullable(text(2048)),
    "system": nullable(text(100_000)),
    "execution_identity": nullable(_IDENTITY),
    "multiagent": nullable(MULTIAGENT),
}
_CREATE = struct(_ALWAYS | _LISTS | {"metadata": _METADATA})
_UPDATE = struct(
    _ALWAYS
    | {name: nullable(check) for name, check in _LISTS.items()}
    | {"metadata": nullable(_patch), "version": integer(1, HIGHEST_VERSION)}
)


def checked_create(body: Json) -> Body:
    """The body of a create, or the refusal of its first fault."""
    checked: Body = _CREATE(body, "")
    for name in ("name", "model"):
        if name not in checked:
            raise missing(name)
    return checked


def checked_update(body: Json) -> Body:
    """The body of an update, or the refusal of its first fault."""
    checked: Body = _UPDATE(body, "")
    return checked


def fresh(id: str, now: str) -> Body:
    """An agent of which nothing is set, with the keys in the order of the documented example."""
    return {
        "id": id,
        "type": "agent",
        "name": "",
        "model": {},
        "system": None,
        "description": None,
        "tools": [],
        "skills": [],
        "mcp_servers": [],
        "multiagent": None,
        "execution_identity": _SERVICE_ACCOUNT,
        "metadata": {},
        "version": 1,
        "created_at": now,
        "updated_at": now,
        "archived_at": None,
    }


def merged(stored: Body, sent: Body) -> Body:
    """`stored` with what was sent: absent keeps, null or empty clears, lists replace whole, metadata is patched.

    `multiagent` has been resolved before: it may name other agents.
    """
    cleared = fresh("", "")
    result = stored | {name: cleared[name] if value is None else value for name, value in sent.items()}
    result["metadata"] = _patched(stored["metadata"], sent.get("metadata") or {})
    result["system"], result["description"] = result["system"] or None, result["description"] or None
    result["tools"] = [filled_tool(tool) for tool in result["tools"]]
    result["skills"] = [skill | {"version": skill.get("version") or "latest"} for skill in result["skills"]]
    if "model" in sent:
        result["model"] = _resolved_model(stored["model"], sent["model"])
    _refuse_what_does_not_fit(result)
    return result


def _patched(stored: Body, patch: Body) -> Body:
    result = {name: value for name, value in (stored | patch).items() if value is not None}
    _METADATA(result, "metadata")
    return result


def _resolved_model(stored: Body, sent: Body) -> Body:
    # The object replaces whole, but for the effort, which stays where it is left out.
    effort = sent.get("effort") or stored.get("effort") or {"type": _DEFAULT_EFFORT}
    geo = {"inference_geo": sent["inference_geo"]} if sent.get("inference_geo") else {}
    return {"id": sent["id"], "effort": effort, "speed": sent.get("speed") or "standard", **geo}


def _refuse_what_does_not_fit(agent: Body) -> None:
    """What is asked of the resulting agent. The rules are documented, the wordings are not."""
    servers = [server["name"] for server in agent["mcp_servers"]]
    used = [tool["mcp_server_name"] for tool in agent["tools"] if tool["type"] == "mcp_toolset"]
    custom = [tool["name"] for tool in agent["tools"] if tool["type"] == "custom"]
    for field, names in (("mcp_servers", servers), ("tools", custom)):
        if len(set(names)) < len(names):
            raise Refusal("names must be unique", param=field)
    for name in servers:
        if name not in used:
            raise Refusal(f"server '{name}' is not referenced by any mcp_toolset in tools", param="mcp_servers")
    for name in used:
        if name not in servers:
            raise Refusal(f"mcp_server_name '{name}' does not match any server in mcp_servers", param="tools")
