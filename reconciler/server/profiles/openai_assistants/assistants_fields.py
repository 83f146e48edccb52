"""The request body of an assistant: every field, its limits, and what the server makes of it.

Facts are those of the vendor's published spec and of recorded answers (2024-05 to 2025-05); where neither says
anything the comment does.
"""

import re
from collections.abc import Callable
from typing import Any

from reconciler.server.body_validation import (
    Check,
    anything_in_braces,
    array,
    boolean,
    choice,
    decimal,
    integer,
    missing,
    nullable,
    string_map,
    struct,
    text,
    unsupported_value,
    variants,
)
from reconciler.server.profiles.openai_assistants.vector_store_fields import CHUNKING
from reconciler.server.wire import Json, Refusal

Body = dict[str, Any]

_NAME = "[a-zA-Z0-9_-]+"
_METADATA = string_map(16, 64, 512)
_DEFAULT_RANKER = "default_2024_08_21"

_FUNCTION = struct(
    {
        "name": text(64, _NAME),
        "description": text(),
        "parameters": anything_in_braces,
        "strict": nullable(boolean),
    },
    required=("name",),
)
_RANKING = struct(
    {"ranker": choice("auto", _DEFAULT_RANKER), "score_threshold": decimal(0, 1)}, required=("score_threshold",)
)
_FILE_SEARCH = struct({"max_num_results": integer(1, 50), "ranking_options": _RANKING})
_TOOL = variants(
    {
        "code_interpreter": struct({"type": text()}),
        "file_search": struct({"type": text(), "file_search": _FILE_SEARCH}),
        "function": struct({"type": text(), "function": _FUNCTION}, required=("function",)),
    }
)
_NEW_VECTOR_STORE = struct(
    {"file_ids": array(text(), 10_000), "chunking_strategy": CHUNKING, "metadata": nullable(_METADATA)}
)
_JSON_SCHEMA = struct(
    {
        "name": text(64, _NAME),
        "description": text(),
        "schema": anything_in_braces,
        "strict": nullable(boolean),
    },
    required=("name",),
)
_FORMAT_OBJECT = variants(
    {
        "text": struct({"type": text()}),
        "json_object": struct({"type": text()}),
        "json_schema": struct({"type": text(), "json_schema": _JSON_SCHEMA}, required=("json_schema",)),
    }
)
_CODE_INTERPRETER_FILES = struct({"file_ids": array(text(), 20)})


def _response_format(value: Json, path: str) -> Any:
    if isinstance(value, str):
        if value != "auto":
            raise unsupported_value(value, path, ("auto",))
        return value
    return _FORMAT_OBJECT(value, path)


def _tool_resources(*, creating: bool) -> Check:
    file_search: dict[str, Check] = {"vector_store_ids": array(text(), 1)}
    if creating:
        file_search["vector_stores"] = array(_NEW_VECTOR_STORE, 1)
    shape = struct({"code_interpreter": _CODE_INTERPRETER_FILES, "file_search": struct(file_search)})

    def check(value: Json, path: str) -> Any:
        checked = shape(value, path)
        if len(checked.get("file_search", ())) > 1:
            where = f"{path}.file_search"
            message = f"Invalid '{where}': only one of 'vector_store_ids' and 'vector_stores' may be given."
            raise Refusal(message, param=where, code="invalid_value")
        return checked

    return check


def _body(*, creating: bool) -> Check:
    return struct(
        {
            "model": text(),
            "name": nullable(text(256)),
            "description": nullable(text(512)),
            "instructions": nullable(text(256_000)),
            "reasoning_effort": nullable(choice("none", "minimal", "low", "medium", "high", "xhigh", "max")),
            "tools": array(_TOOL, 128),
            "tool_resources": nullable(_tool_resources(creating=creating)),
            "metadata": nullable(_METADATA),
            "temperature": nullable(decimal(0, 2)),
            "top_p": nullable(decimal(0, 1)),
            "response_format": nullable(_response_format),
        }
    )


_CREATE, _MODIFY = _body(creating=True), _body(creating=False)


def checked_create(body: Json) -> Body:
    """The body of a create, or the refusal of its first fault."""
    checked: Body = _CREATE(body, "")
    if "model" not in checked:
        raise missing("model")
    return checked


def checked_modify(body: Json) -> Body:
    """The body of a modify, or the refusal of its first fault."""
    checked: Body = _MODIFY(body, "")
    return checked


def fresh(id: str, created_at: int) -> Body:
    """An assistant of which nothing is set, with the keys in the order of the recorded object."""
    return {
        "id": id,
        "object": "assistant",
        "created_at": created_at,
        "name": None,
        "description": None,
        "model": None,
        "instructions": None,
        "tools": [],
        "top_p": 1.0,
        "temperature": 1.0,
        "tool_resources": {},
        "metadata": {},
        "response_format": "auto",
        # Not in the objects of 2024; in 2025 it is there and null. Its position was never recorded.
        "reasoning_effort": None,
    }


def merged(stored: Body, sent: Body, new_vector_store: Callable[[Body], str]) -> Body:
    """`stored` with what was sent: absent keeps, null clears, everything else replaces whole."""
    cleared = fresh("", 0)
    result = stored | {name: cleared[name] if value is None else value for name, value in sent.items()}
    result["tools"] = [_filled_tool(tool) for tool in result["tools"]]
    result["tool_resources"] = _filled_resources(result, new_vector_store)
    _refuse_what_the_model_cannot(result)
    return result


def _filled_tool(tool: Body) -> Body:
    if tool["type"] == "function":
        # Recorded in 2025: the server adds `strict`. Null meaning false is the spec's default.
        function = tool["function"]
        return tool | {"function": function | {"strict": bool(function.get("strict"))}}
    if tool["type"] == "file_search":
        search = tool.get("file_search", {})
        ranking = {"ranker": _DEFAULT_RANKER, "score_threshold": 0.0} | search.get("ranking_options", {})
        if ranking["ranker"] == "auto":
            ranking["ranker"] = _DEFAULT_RANKER
        return tool | {"file_search": search | {"ranking_options": ranking}}
    return tool


def _filled_resources(assistant: Body, new_vector_store: Callable[[Body], str]) -> Body:
    resources: Body = dict(assistant["tool_resources"])
    if "code_interpreter" in resources or any(tool["type"] == "code_interpreter" for tool in assistant["tools"]):
        # Recorded on create without tool_resources; filled in after a modify alike, which nobody has recorded.
        resources["code_interpreter"] = {"file_ids": []} | resources.get("code_interpreter", {})
    if "file_search" in resources:
        search = resources["file_search"]
        ids = search.get("vector_store_ids", [])
        ids = [new_vector_store(new) for new in search["vector_stores"]] if "vector_stores" in search else ids
        resources["file_search"] = {"vector_store_ids": ids}
    return resources


_REASONING = re.compile(r"(o[134])(-|$)|gpt-5")


def _refuse_what_the_model_cannot(assistant: Body) -> None:
    # The vendor validates the merged object, not what was sent: `{"model": "o3-mini"}` alone is refused because of
    # the temperature that is stored. Objects of reasoning models do show 1.0 for both, so a value of 1.0 cannot be
    # what is refused; the reading here is: any value other than the default is. Going back to a model that does not
    # reason needs `reasoning_effort: null` in the same request, so a stored effort is refused there in the same way.
    if _REASONING.match(assistant["model"]):
        unsupported = [name for name in ("temperature", "top_p") if assistant[name] != 1.0]
    else:
        unsupported = [] if assistant["reasoning_effort"] is None else ["reasoning_effort"]
    for name in unsupported:
        message = f"Unsupported parameter: '{name}' is not supported with this model."
        raise Refusal(message, param="model", code="unsupported_model")
