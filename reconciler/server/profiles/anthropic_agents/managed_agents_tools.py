"""The tools of an agent of Anthropic's Managed Agents, and what the server fills in."""

import sys
from typing import Any

from reconciler.server.body_validation import (
    Check,
    anything_in_braces,
    array,
    boolean,
    choice,
    integer,
    nullable,
    struct,
    text,
    variants,
)
from reconciler.server.wire import Json, Refusal

Body = dict[str, Any]

_TYPE: dict[str, Check] = {"type": text()}
_POLICY = variants({name: struct(_TYPE) for name in ("always_allow", "always_ask", "auto")})
_SWITCHES: dict[str, Check] = {"enabled": nullable(boolean), "permission_policy": nullable(_POLICY)}
_BUILT_IN = ("bash", "edit", "read", "write", "glob", "grep", "web_fetch", "web_search")
_DOMAINS: dict[str, Check] = {
    "allowed_domains": array(text(), 64, 1),
    "blocked_domains": array(text(), 64, 1),
}
_EXTRAS: dict[str, dict[str, Check]] = {
    "web_fetch": _DOMAINS
    | {"max_content_tokens": nullable(integer(1, sys.maxsize)), "url_sources": nullable(anything_in_braces)},
    "web_search": _DOMAINS | {"user_location": nullable(anything_in_braces)},
}


def _built_in(value: Json, path: str) -> Any:
    """The settings of one built-in tool; its name says which there are."""
    name = value.get("name") if isinstance(value, dict) else None
    extras = _EXTRAS.get(name, {}) if isinstance(name, str) else {}
    fields = {"name": choice(*_BUILT_IN), "type": choice(str(name))} | _SWITCHES | extras
    checked: Body = struct(fields, required=("name",))(value, path)
    if "allowed_domains" in checked and "blocked_domains" in checked:
        raise Refusal("allowed_domains cannot be combined with blocked_domains", param=path)
    return checked


def _input_schema(value: Json, path: str) -> Body:
    schema = anything_in_braces(value, path)
    struct(dict.fromkeys(schema, _anything) | {"type": choice("object")}, required=("type",))(schema, path)
    return schema


def _anything(value: Json, path: str) -> Any:
    return value


_NAME = "[a-zA-Z0-9_-]+"
_NOT_EMPTY = "(?s).+"
_MCP_CONFIG = struct({"name": text(128, _NOT_EMPTY)} | _SWITCHES, required=("name",))
_DEFAULT_CONFIG: dict[str, Check] = {"default_config": nullable(struct(_SWITCHES))}
TOOL = variants(
    {
        "agent_toolset_20260401": struct(_TYPE | _DEFAULT_CONFIG | {"configs": array(_built_in, 256)}),
        "mcp_toolset": struct(
            _TYPE | _DEFAULT_CONFIG | {"mcp_server_name": text(255, _NOT_EMPTY), "configs": array(_MCP_CONFIG, 256)},
            required=("mcp_server_name",),
        ),
        "custom": struct(
            _TYPE | {"name": text(128, _NAME), "description": text(None, _NOT_EMPTY), "input_schema": _input_schema},
            required=("name", "description", "input_schema"),
        ),
    }
)
"""One entry of `tools`."""

_DEFAULT_POLICIES = {"agent_toolset_20260401": "always_allow", "mcp_toolset": "always_ask"}


def filled_tool(tool: Body) -> Body:
    """A tool as it is stored: what a toolset leaves open has the default, what one of its tools leaves open the set's.

    A tool that is filled in already stays as it is.
    """
    if tool["type"] not in _DEFAULT_POLICIES:
        return tool
    default = {"enabled": True, "permission_policy": {"type": _DEFAULT_POLICIES[tool["type"]]}}
    default |= _given(tool.get("default_config") or {})
    configs = [default | _given(config) for config in tool.get("configs", ())]
    if tool["type"] != "mcp_toolset":
        configs = [{"type": config["name"]} | config for config in configs]
    return tool | {"default_config": default, "configs": configs}


def _given(settings: Body) -> Body:
    return {name: value for name, value in settings.items() if value is not None}
