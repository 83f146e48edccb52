"""Every refusal, word for word."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.unit.server.conftest import BETA, URL, Start, Wire, error_of

TYPE = "invalid_request_error"


def _string_too_long(path: str, maximum: int, length: int) -> tuple[str, str, str]:
    message = (
        f"Invalid '{path}': string too long. Expected a string with maximum length {maximum}, "
        f"but got a string with length {length} instead."
    )
    return message, path, "string_above_max_length"


def _array_too_long(path: str, maximum: int, length: int) -> tuple[str, str, str]:
    message = (
        f"Invalid '{path}': array too long. Expected an array with maximum length {maximum}, "
        f"but got an array with length {length} instead."
    )
    return message, path, "array_above_max_length"


def _type(path: str, expected: str, got: str) -> tuple[str, str, str]:
    return f"Invalid type for '{path}': expected {expected}, but got {got} instead.", path, "invalid_type"


def _unknown(path: str) -> tuple[str, str, str]:
    return f"Unknown parameter: '{path}'.", path, "unknown_parameter"


def _missing(path: str) -> tuple[str, str, str]:
    return f"Missing required parameter: '{path}'.", path, "missing_required_parameter"


def _range(path: str, kind: str, beyond: str, limit: float, got: float) -> tuple[str, str, str]:
    sign = "<=" if beyond == "above maximum" else ">="
    word = "above_max" if sign == "<=" else "below_min"
    message = f"Invalid '{path}': {kind} {beyond} value. Expected a value {sign} {limit}, but got {got} instead."
    return message, path, f"{kind}_{word}_value"


def _function(**function: Any) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": function}]}


def _search(**search: Any) -> dict[str, Any]:
    return {"tools": [{"type": "file_search", "file_search": search}]}


LONG_NAME, RANK = "tools[0].function.name", "tools[0].file_search.ranking_options"
REFUSED: list[tuple[dict[str, Any], tuple[str, str, str]]] = [
    ({"metadata": {"modified": True}}, _type("metadata.modified", "a string", "a boolean")),
    ({"metadata": {"modified": 1}}, _type("metadata.modified", "a string", "an integer")),
    ({"metadata": {"modified": 1.5}}, _type("metadata.modified", "a string", "a decimal")),
    ({"metadata": {"modified": None}}, _type("metadata.modified", "a string", "null")),
    ({"metadata": {"modified": []}}, _type("metadata.modified", "a string", "an array")),
    ({"metadata": {"modified": {}}}, _type("metadata.modified", "a string", "an object")),
    ({"metadata": "x"}, _type("metadata", "an object", "a string")),
    (
        {"metadata": {str(number): "" for number in range(17)}},
        (
            "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, "
            "but got an object with 17 properties instead.",
            "metadata",
            "object_above_max_properties",
        ),
    ),
    ({"metadata": {"k": "v" * 513}}, _string_too_long("metadata.k", 512, 513)),
    (
        {"metadata": {"k" * 65: "v"}},
        (
            f"Invalid property name in 'metadata': '{'k' * 64}...' is too long. Expected a property name with maximum "
            "length 64, but got a property name with length 65 instead.",
            "metadata",
            "property_name_above_max_length",
        ),
    ),
    ({"name": "n" * 257}, _string_too_long("name", 256, 257)),
    ({"name": 1}, _type("name", "a string", "an integer")),
    ({"description": "n" * 513}, _string_too_long("description", 512, 513)),
    ({"instructions": "n" * 256_001}, _string_too_long("instructions", 256_000, 256_001)),
    ({"model": None}, _type("model", "a string", "null")),
    ({"tools": None}, _type("tools", "an array", "null")),
    ({"tools": [{"type": "code_interpreter"}] * 129}, _array_too_long("tools", 128, 129)),
    ({"tools": ["code_interpreter"]}, _type("tools[0]", "an object", "a string")),
    ({"tools": [{}]}, _missing("tools[0].type")),
    (
        {"tools": [{"type": "browser"}]},
        (
            "Invalid value: 'browser'. Supported values are: 'code_interpreter', 'file_search', and 'function'.",
            "tools[0].type",
            "invalid_value",
        ),
    ),
    ({"tools": [{"type": "code_interpreter", "x": 1}]}, _unknown("tools[0].x")),
    ({"tools": [{"type": "function"}]}, _missing("tools[0].function")),
    (_function(), _missing(LONG_NAME)),
    (_function(name="n" * 65), _string_too_long(LONG_NAME, 64, 65)),
    (
        _function(name="a b"),
        (
            f"Invalid '{LONG_NAME}': string does not match pattern. "
            "Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
            LONG_NAME,
            "invalid_value",
        ),
    ),
    (
        _function(name=""),
        (
            f"Invalid '{LONG_NAME}': empty string. Expected a string with minimum length 1, "
            "but got an empty string instead.",
            LONG_NAME,
            "empty_string",
        ),
    ),
    (_function(name="f", strict="yes"), _type("tools[0].function.strict", "a boolean", "a string")),
    (_function(name="f", parameters=[]), _type("tools[0].function.parameters", "an object", "an array")),
    (_function(name="f", x=1), _unknown("tools[0].function.x")),
    (_search(max_num_results=0), _range("tools[0].file_search.max_num_results", "integer", "below minimum", 1, 0)),
    (_search(max_num_results=51), _range("tools[0].file_search.max_num_results", "integer", "above maximum", 50, 51)),
    (_search(max_num_results=1.5), _type("tools[0].file_search.max_num_results", "an integer", "a decimal")),
    (_search(ranking_options={}), _missing(f"{RANK}.score_threshold")),
    (
        _search(ranking_options={"score_threshold": 1.5}),
        _range(f"{RANK}.score_threshold", "decimal", "above maximum", 1, 1.5),
    ),
    (_search(x=1), _unknown("tools[0].file_search.x")),
    ({"tool_resources": {"x": {}}}, _unknown("tool_resources.x")),
    (
        {"tool_resources": {"code_interpreter": {"file_ids": ["f"] * 21}}},
        _array_too_long("tool_resources.code_interpreter.file_ids", 20, 21),
    ),
    (
        {"tool_resources": {"file_search": {"vector_store_ids": ["a", "b"]}}},
        _array_too_long("tool_resources.file_search.vector_store_ids", 1, 2),
    ),
    (
        {"tool_resources": {"file_search": {"vector_store_ids": [1]}}},
        _type("tool_resources.file_search.vector_store_ids[0]", "a string", "an integer"),
    ),
    ({"temperature": 2.5}, _range("temperature", "decimal", "above maximum", 2, 2.5)),
    ({"temperature": -1}, _range("temperature", "decimal", "below minimum", 0, -1)),
    ({"temperature": "1"}, _type("temperature", "a decimal", "a string")),
    ({"temperature": True}, _type("temperature", "a decimal", "a boolean")),
    ({"top_p": 1.5}, _range("top_p", "decimal", "above maximum", 1, 1.5)),
    (
        {"reasoning_effort": "huge"},
        (
            "Invalid value: 'huge'. Supported values are: "
            "'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'.",
            "reasoning_effort",
            "invalid_value",
        ),
    ),
    (
        {"response_format": "text"},
        ("Invalid value: 'text'. Supported values are: 'auto'.", "response_format", "invalid_value"),
    ),
    ({"response_format": 1}, _type("response_format", "an object", "an integer")),
    ({"response_format": {"type": "json_schema"}}, _missing("response_format.json_schema")),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
        _missing("response_format.json_schema.name"),
    ),
    ({"response_format": {"type": "text", "x": 1}}, _unknown("response_format.x")),
    ({"temprature": 1}, _unknown("temprature")),
    ({"id": "asst_mine"}, _unknown("id")),
]  # fmt: skip


@pytest.mark.parametrize(("body", "refusal"), REFUSED, ids=[refusal[0][:70] for _, refusal in REFUSED])
def test_create_and_modify_refuse_alike(body: dict[str, Any], refusal: tuple[str, str, str], wire: Wire) -> None:
    message, param, code = refusal
    id = wire.create()["id"]
    for path, sent in (("/assistants", {"model": "gpt-4o"} | body), (f"/assistants/{id}", body)):
        assert error_of(wire.client.post(path, json=sent)) == (400, message, TYPE, param, code)
    assert len(wire.walk()) == 1


def test_a_create_needs_a_model(wire: Wire) -> None:
    assert error_of(wire.client.post("/assistants", json={"name": "n"})) == (
        400, "Missing required parameter: 'model'.", TYPE, "model", "missing_required_parameter",
    )  # fmt: skip


def test_a_vector_store_is_given_one_way(wire: Wire) -> None:
    both = {"file_search": {"vector_store_ids": ["vs_1"], "vector_stores": [{}]}}
    assert error_of(wire.client.post("/assistants", json={"model": "m", "tool_resources": both}))[3:] == (
        "tool_resources.file_search", "invalid_value",
    )  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"{'a': 1}", b"\xff\xfe", b'{"top_p": NaN}', b"[" * 100_000, b'{"model": ' + b"9" * 10_000 + b"}"],
    ids=["empty", "cut", "quotes", "bytes", "nan", "deep", "long"],
)
def test_a_body_that_is_no_json(content: bytes, wire: Wire) -> None:
    for path in ("/assistants", f"/assistants/{wire.create()['id']}"):
        status, message, *rest = error_of(wire.client.post(path, content=content))
        assert (status, rest) == (400, [TYPE, None, None])
        assert message.startswith("We could not parse the JSON body of your request.")


def test_an_infinite_number_in_the_users_own_schema_is_no_json_either(wire: Wire) -> None:
    body = b'{"model": "m", "tools": [{"type": "function", "function": {"name": "f", "parameters": {"a": 1e999}}}]}'
    assert error_of(wire.client.post("/assistants", content=body))[0] == 400
    assert wire.walk() == []


def test_a_body_that_is_no_object(wire: Wire) -> None:
    assert error_of(wire.client.post("/assistants", json=[])) == (
        400, "Invalid type for 'body': expected an object, but got an array instead.", TYPE, "body", "invalid_type",
    )  # fmt: skip


@pytest.mark.parametrize("id", ["abcd", "asst_0", "ä", "' OR 1=1 --", "%00", "x" * 5000])
def test_an_unknown_id(id: str, wire: Wire) -> None:
    wire.create()
    for method, body in (("GET", None), ("DELETE", None), ("POST", {"temperature": 99})):
        answer = wire.client.request(method, f"/assistants/{id}", json=body)
        shown = "\x00" if id == "%00" else id
        assert error_of(answer) == (404, f"No assistant found with id '{shown}'.", TYPE, None, None)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/assistant"), ("PATCH", "/v1/assistants"), ("PUT", "/v1/assistants/asst_1"),
        ("DELETE", "/v1/assistants"), ("GET", "/v1/assistants/"), ("GET", "/v1/assistants/asst_1/files"),
        ("GET", "/assistants"), ("GET", "/"), ("GET", "/x/v1/assistants/asst_1"),
    ],
)  # fmt: skip
def test_a_route_that_does_not_exist(method: str, path: str, wire: Wire) -> None:
    answer = wire.client.request(method, httpx.URL(URL).copy_with(path=path))
    assert error_of(answer) == (404, f"Invalid URL ({method} {path})", TYPE, None, None)


def test_the_beta_header_is_asked_for(wire: Wire) -> None:
    message = (
        "You must provide the 'OpenAI-Beta' header to access the Assistants API. "
        "Please try again by setting the header 'OpenAI-Beta: assistants=v2'."
    )
    client = httpx.Client(transport=httpx.WSGITransport(app=wire.app), base_url=URL)
    for headers in ({}, {"OpenAI-Beta": "assistants=v1"}):
        assert error_of(client.get("/assistants", headers=headers)) == (400, message, TYPE, None, "invalid_beta")
    assert client.get("/assistants", headers={"OpenAI-Beta": "realtime=v1, assistants=v2"}).status_code == 200


def test_a_key_is_asked_for_where_one_is_set(start: Start) -> None:
    wire = start(api_key="sk-the-right-key-0123456789")
    assert error_of(wire.client.get("/assistants"))[:1] == (401,)
    wrong = "sk-proj-the-wrong-key-wxyz"
    for headers in (BETA, {}):  # the key is looked at before the beta header
        client = httpx.Client(transport=httpx.WSGITransport(app=wire.app), base_url=URL, headers=headers)
        answer = client.get("/assistants", headers={"Authorization": f"Bearer {wrong}"})
        shown = "sk-proj-" + "*" * (len(wrong) - 12) + "wxyz"
        assert error_of(answer) == (
            401,
            f"Incorrect API key provided: {shown}. "
            "You can find your API key at https://platform.openai.com/account/api-keys.",
            TYPE,
            None,
            "invalid_api_key",
        )
    assert wire.client.get("/assistants", headers={"Authorization": "Bearer sk-the-right-key-0123456789"}).is_success


def test_a_short_wrong_key_is_not_told(start: Start) -> None:
    answer = start(api_key="right").client.get("/assistants", headers={"Authorization": "Bearer canary-42"})
    assert "canary-42" not in answer.text


@pytest.mark.parametrize(
    ("query", "message", "param", "code"),
    [
        ("limit=101", "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead.",
         "limit", "integer_above_max_value"),
        ("limit=0", "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead.",
         "limit", "integer_below_min_value"),
        ("limit=ten", "Invalid type for 'limit': expected an integer, but got a string instead.",
         "limit", "invalid_type"),
        ("order=up", "Invalid value: 'up'. Supported values are: 'asc' and 'desc'.", "order", "invalid_value"),
    ],
)  # fmt: skip
def test_list_parameters(query: str, message: str, param: str, code: str, wire: Wire) -> None:
    assert error_of(wire.client.get(f"/assistants?{query}")) == (400, message, TYPE, param, code)


def test_a_body_over_the_cap(wire: Wire) -> None:
    answer = wire.client.post("/assistants", content=b" " * (8 * 1024 * 1024 + 1))
    assert error_of(answer)[0] == 413
