"""The request body of an agent of OpenAI's Agents API: every field, its limits, and what the server makes of it.

Facts are those of the vendor's SDK and of third-party probes of the live API (2026-09 to 2026-11); where neither says
anything the comment does.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from reconciler.server.body_validation import (
    Check,
    anything_in_braces,
    array,
    boolean,
    choice,
    integer,
    missing,
    nullable,
    string_map,
    struct,
    text,
    variants,
)
from reconciler.server.wire import Json, Refusal

Body = dict[str, Any]

_TOOLS_LIMIT = 3 * 1024 * 1024  # bytes of compact UTF-8 JSON; their number has no limit
_STRINGS = array(text(), sys.maxsize)
_HEADERS = string_map(sys.maxsize, sys.maxsize, sys.maxsize)
_TYPE: dict[str, Check] = {"type": text()}
_TRANSPORT = variants(
    {
        "http": struct(_TYPE | {"server_url": text(), "headers": nullable(_HEADERS)}, required=("server_url",)),
        "stdio": struct(
            _TYPE | {"command": text(), "cwd": text(), "args": nullable(_STRINGS), "env_vars": nullable(_STRINGS)},
            required=("command", "cwd"),
        ),
    }
)
_LOCATION = struct({name: nullable(text()) for name in ("city", "country", "region", "timezone")})
_TOOL = variants(
    {
        "function": struct(
            _TYPE
            | {
                "name": text(),
                "description": text(),
                "parameters": anything_in_braces,
                "defer_loading": boolean,
                "async": boolean,
            },
            required=("name", "description", "parameters"),
        ),
        "mcp": struct(
            _TYPE
            | {
                "server_label": text(),
                "transport": _TRANSPORT,
                "allowed_tools": nullable(_STRINGS),
                "connection_origin": nullable(choice("service", "environment")),
                "credential_id": nullable(text()),
                "request_metadata": nullable(anything_in_braces),
                "required": boolean,
            },
            required=("server_label", "transport"),
        ),
        "web_search": struct(
            _TYPE
            | {
                "allowed_domains": nullable(_STRINGS),
                "context_size": nullable(choice("low", "medium", "high")),
                "location": nullable(_LOCATION),
                "mode": nullable(choice("disabled", "cached", "live")),
            }
        ),
        "computer_use": struct(_TYPE | {"include_screenshots": boolean}),
        "programmatic_tool_calling": struct(_TYPE | {"enabled": boolean}),
        "tool_search": struct(_TYPE),
        "automations": struct(_TYPE),
    }
)
_TOOLS = array(_TOOL, sys.maxsize)
_FORMAT = variants(
    {
        "text": struct(_TYPE),
        "json_schema": struct(_TYPE | {"schema": anything_in_braces}, required=("schema",)),
    }
)
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_BODY = struct(
    {
        "model": text(),
        "name": nullable(text(128)),
        "instructions": nullable(text(1_048_576)),
        "metadata": nullable(string_map(16, 64, 512)),
        "tools": nullable(_TOOLS),
        "reasoning": nullable(
            struct(
                {
                    "effort": nullable(choice(*_EFFORTS)),
                    "summary": nullable(choice("concise", "detailed", "auto")),
                }
            )
        ),
        "text": nullable(struct({"format": nullable(_FORMAT), "verbosity": nullable(choice("low", "medium", "high"))})),
        "service_tier": nullable(choice("auto", "default", "flex", "priority", "fast", "ultrafast")),
        "multi_agent": nullable(
            struct({"enabled": boolean, "max_concurrent_subagents": integer(1, sys.maxsize)}, required=("enabled",))
        ),
        "compaction": nullable(struct({"async": nullable(boolean)})),
        "experimental": struct({"time_awareness": boolean}),
    }
)


def checked_create(body: Json) -> Body:
    """The body of a create, or the refusal of its first fault."""
    checked = checked_update(body)
    if "model" not in checked:
        raise missing("model")
    return checked


def checked_update(body: Json) -> Body:
    """The body of an update, or the refusal of its first fault."""
    checked: Body = _BODY(body, "")
    _refuse_bad_tools(checked.get("tools") or [])
    shape = (checked.get("text") or {}).get("format") or {}
    if (root := _bad_root(shape.get("schema"))) is not None:
        raise Refusal(f'agent.text.format.schema must have top-level type "object"; got "{root}"')
    return checked


def fresh(id: str, now: int) -> Body:
    """An agent of which nothing is set. The order of its keys was never recorded."""
    return {
        "id": id,
        "object": "agent",
        "created_at": now,
        "updated_at": now,
        "name": None,
        "model": None,
        "instructions": None,
        "tools": [],
        "reasoning": {"effort": None, "summary": None},
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "service_tier": "auto",
        "multi_agent": {"enabled": False, "max_concurrent_subagents": None},
        "compaction": {"async": False},
        "experimental": {"time_awareness": False},
        "metadata": {},
    }


def merged(stored: Body, sent: Body, now: int) -> Body:
    """`stored` with what was sent: absent keeps, null clears, objects replace whole but for `experimental`."""
    cleared = fresh("", 0)
    result = stored | {"updated_at": now}
    for name, value in sent.items():
        if name == "experimental":
            result[name] = stored[name] | value
        elif value is None:
            result[name] = cleared[name]
        elif name in _RESOLVED:
            result[name] = _RESOLVED[name](value)
        else:
            result[name] = value
    return result


def _filled(defaults: Body, sent: Body) -> Body:
    """What was sent, with the default for each part that is absent or null."""
    return defaults | {name: value for name, value in sent.items() if value is not None}


def _multi_agent(sent: Body) -> Body:
    most = sent.get("max_concurrent_subagents", 6) if sent["enabled"] else None
    return {"enabled": sent["enabled"], "max_concurrent_subagents": most}


_TOOL_DEFAULTS: dict[str, Body] = {
    "function": {"defer_loading": False},
    "mcp": {
        "allowed_tools": None,
        "connection_origin": "service",
        "credential_id": None,
        "request_metadata": {},
        "required": False,
    },
    "web_search": {"allowed_domains": None, "context_size": "medium", "location": None, "mode": "live"},
    "computer_use": {"include_screenshots": False},
    "programmatic_tool_calling": {"enabled": True},
}
_TRANSPORT_DEFAULTS: dict[str, Body] = {"http": {"headers": {}}, "stdio": {"args": [], "env_vars": []}}
_NO_LOCATION: Body = {"city": None, "country": None, "region": None, "timezone": None}


def _tool(sent: Body) -> Body:
    tool = _filled(_TOOL_DEFAULTS.get(sent["type"], {}), sent)
    if "transport" in tool:
        tool["transport"] = _filled(_TRANSPORT_DEFAULTS[tool["transport"]["type"]], tool["transport"])
    if tool.get("location") is not None:
        tool["location"] = _NO_LOCATION | tool["location"]
    return tool


_RESOLVED: dict[str, Callable[[Any], Any]] = {
    "tools": lambda sent: [_tool(tool) for tool in sent],
    "reasoning": lambda sent: _filled(fresh("", 0)["reasoning"], sent),
    "text": lambda sent: _filled(fresh("", 0)["text"], sent),
    "multi_agent": _multi_agent,
    "compaction": lambda sent: _filled({"async": False}, sent),
}


def _refuse_bad_tools(tools: list[Body]) -> None:
    if tools and len(_compact(tools)) > _TOOLS_LIMIT:
        # The limit is documented, the error message is not.
        raise Refusal(f"Invalid 'tools': larger than {_TOOLS_LIMIT} bytes of JSON.", param="tools")
    seen: set[str] = set()
    for tool in tools:
        name = tool["name"] if tool["type"] == "function" else tool["type"]
        once = tool["type"] in ("web_search", "tool_search")
        what = f"function tool name: {name}" if tool["type"] == "function" else f"{name} tool"
        if (once or tool["type"] == "function") and what in seen:
            raise Refusal(f"duplicate {what}")
        seen.add(what)
        if (root := _bad_root(tool.get("parameters"))) is not None:
            message = f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{root}\"'."
            raise Refusal(f"Invalid schema for function '{name}': {message}")


def _compact(tools: list[Body]) -> bytes:
    return json.dumps(tools, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _bad_root(schema: Body | None) -> str | None:
    root = (schema or {}).get("type", "object")
    return root if isinstance(root, str) and root != "object" else None
