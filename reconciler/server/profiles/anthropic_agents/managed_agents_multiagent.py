"""Which other agents an agent of Anthropic's Managed Agents may start."""

from collections.abc import Callable
from typing import Any

from reconciler.server.body_validation import Check, array, integer, nullable, struct, text, variants
from reconciler.server.wire import Refusal

Body = dict[str, Any]
Resolve = Callable[[str, int | None], Body]
"""The id of an agent, and perhaps a version → the reference that is stored. Raises Refusal."""

COORDINATOR, MEMBERS = "coordinator", "multiagent_20261001"
SELF = ""  # stands for the id of the agent that is being written

_TYPE: dict[str, Check] = {"type": text()}
_AGENT = struct(_TYPE | {"id": text(128, "(?s).+"), "version": integer(1, 2**31 - 1)}, required=("id",))
_PREDEFINED = variants({"agent": _AGENT, "self": struct(_TYPE)})
_ADVISOR = struct(_TYPE | {"model": text()}, required=("model",))
_ROSTER = variants({"agent": _AGENT, "self": struct(_TYPE), "advisor": _ADVISOR})
_SWITCH = variants({"enabled": struct(_TYPE), "disabled": struct(_TYPE)})


def _entry(of_object: Check) -> Check:
    """An entry of a list of agents; the short form is the id alone."""
    return lambda value, path: of_object({"type": "agent", "id": value} if isinstance(value, str) else value, path)


_AGENTS = struct(
    _TYPE | {"inline_agents": nullable(_SWITCH), "predefined_agents": nullable(array(_entry(_PREDEFINED), 20))}
)
_MEMBER = variants({"enabled": _AGENTS, "disabled": struct(_TYPE)})
MULTIAGENT = variants(
    {
        COORDINATOR: struct(_TYPE | {"agents": array(_entry(_ROSTER), 20, 1)}, required=("agents",)),
        MEMBERS: struct(
            _TYPE
            | {
                "advisor": nullable(variants({"enabled": _ADVISOR, "disabled": struct(_TYPE)})),
                "subagents": nullable(_MEMBER),
                "workflows": nullable(_MEMBER),
            }
        ),
    }
)
"""The field `multiagent`."""

_MEMBER_DEFAULT: Body = {"type": "enabled", "inline_agents": {"type": "enabled"}, "predefined_agents": []}
_DEFAULTS: Body = {"advisor": {"type": "disabled"}, "subagents": _MEMBER_DEFAULT, "workflows": _MEMBER_DEFAULT}


def resolved(stored: Body | None, sent: Body, resolve: Resolve) -> Body:
    """The configuration as it is stored: every agent named with its version. Raises Refusal."""
    if sent["type"] == COORDINATOR:
        return {"type": COORDINATOR, "agents": _references(sent["agents"], resolve)}
    before = stored if stored and stored["type"] == MEMBERS else _DEFAULTS
    members = {name: _member(before[name], sent, name, resolve) for name in _DEFAULTS}
    return {"type": MEMBERS, **members}


def _member(before: Body, sent: Body, name: str, resolve: Resolve) -> Body:
    """One member: left out it stays, null is its default, another type replaces it, the same type is merged."""
    if name not in sent:
        return before
    value, default = sent[name], _DEFAULTS[name]
    if value is None or value["type"] == "disabled" or name == "advisor":
        return default if value is None else dict(value)
    member = dict(before if before["type"] == "enabled" else default)
    if "inline_agents" in value:
        member["inline_agents"] = value["inline_agents"] or default["inline_agents"]
    if "predefined_agents" in value:
        member["predefined_agents"] = _references(value["predefined_agents"] or [], resolve)
    if member["inline_agents"]["type"] == "disabled" and not member["predefined_agents"]:
        raise Refusal("at least one agent is needed where inline_agents is disabled", param=f"multiagent.{name}")
    return member


def _references(entries: list[Body], resolve: Resolve) -> list[Body]:
    found: list[Body] = []
    for entry in entries:
        if entry["type"] == "advisor":
            found.append(entry)
        else:
            found.append(resolve(entry.get("id", SELF), entry.get("version")))
    names = [entry.get("id", entry["type"]) for entry in found]
    if len(set(names)) < len(names):
        raise Refusal("entries must name distinct agents", param="multiagent")
    return found
