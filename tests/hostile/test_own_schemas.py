"""Schemas of kinds come with pull requests too: `validate` ends with one as with any other file, in bounded time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = 'owner: acme\ndefault_target: t\ntargets:\n  t: {provider: mine, url: "http://127.0.0.1:9/v1"}\n'
PROVIDER = (
    "url: http://127.0.0.1:9/v1\nkinds:\n  bot: {schema: ./bot.schema.json, path: /v1/bots, name_field: name, "
    "mark_field: metadata}\n"
)


class Case(NamedTuple):
    """What the field `x` may be, what the manifest says there, more definitions, and the outcome."""

    field: Any
    value: Any
    definitions: dict[str, Any]
    said: str
    code: int = 1


def schema(case: Case) -> dict[str, Any]:
    fields = {"name": {"type": "string"}, "metadata": {"type": "object", "x-map": "granular"}, "x": case.field}
    return {"type": "object", "properties": fields, "$defs": case.definitions}


def doubled(word: str, count: int) -> dict[str, Any]:
    chain = {f"d{n}": {word: [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(count)}
    return {**chain, f"d{count}": {"type": "string"}}


def list_of(items: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "x-list": "ordered", "items": items, **more}


FIRST = {"$ref": "#/$defs/d0"}
ITSELF = "a schema of a kind cannot refer to itself"
SO_MANY = "too many values, or they are nested too deeply"
MANY = "the schema has more than 10,000 places"
CASES = {
    "a pattern that goes back": Case({"pattern": "^(a+)+$"}, "a" * 40 + "!", {}, "", 1),
    "one for the names of entries": Case(
        {"type": "object", "patternProperties": {"^(a|a)*$": {"type": "string"}}}, {"a" * 40 + "!": 1}, {}, "", 0
    ),
    "one that refuses other names": Case(
        {"type": "object", "patternProperties": {"^(a|a)*$": {}}, "additionalProperties": False},
        {"a" * 40 + "!": 1},
        {},
        "cannot be managed",
    ),
    "a pattern that looks around": Case({"pattern": "^(?=a)a"}, "a", {}, "providers/bot.schema.json:1:"),
    "a pattern that looks back": Case({"pattern": r"(a)\1"}, "a", {}, "cannot be used"),
    "a pattern that is large": Case({"pattern": "((a{30}){30}){30}"}, "a", {}, "cannot be used"),
    "a pattern for names that looks around": Case({"patternProperties": {"(?!b)": {}}}, {}, {}, "cannot be used"),
    "references that double": Case(FIRST, "a", doubled("allOf", 40), MANY),
    "references that double in anyOf": Case(FIRST, 1, doubled("anyOf", 40), MANY),
    "references that double in oneOf": Case(FIRST, 1, doubled("oneOf", 40), MANY),
    "a reference to itself": Case(FIRST, "a", {"d0": FIRST}, ITSELF),
    "a reference to the whole": Case(
        {"allOf": [{"$ref": "#/$defs/a"}]}, "a", {"a": {"not": {"$ref": "#/$defs/a"}}}, ITSELF
    ),
    "a reference to where it stands": Case(
        {"type": "object", "properties": {"x": {"$ref": "#/properties/x"}}}, {"x": {}}, {}, ITSELF
    ),
    "a list of itself": Case(FIRST, [[[]]], {"d0": list_of(FIRST)}, ITSELF),
    "a long chain of references": Case(
        FIRST, "a", {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(3000)} | {"d3000": {}}, ITSELF
    ),
    "a reference that does not exist in this schema": Case(
        {"$ref": "#/$defs/none"}, "a", {}, "does not exist in this schema"
    ),
    "a reference into a list": Case(
        {"$ref": "#/properties/x/anyOf/0", "anyOf": [{}]}, "a", {}, "does not exist in this schema"
    ),
    "a reference to another place": Case({"$ref": "http://127.0.0.1:9/x"}, "a", {}, "does not exist in this schema"),
    "a reference that is resolved while it runs": Case({"$dynamicRef": "#meta"}, "a", {}, "have no $dynamicRef"),
    "what other words leave over": Case({"unevaluatedProperties": False}, {}, {}, "have no unevaluatedProperties"),
    "very many branches": Case(list_of({"anyOf": [{"const": n} for n in range(1000)]}), [-1] * 3000, {}, SO_MANY),
    "very many branches of conditions": Case(
        list_of({"allOf": [{"if": {"const": n}, "then": False} for n in range(1000)]}), [-1] * 4000, {}, "", 0
    ),
    "very many names and patterns": Case(
        {"type": "object", "patternProperties": {f"^x{n}": {} for n in range(3000)}, "additionalProperties": True},
        {f"a{n}": 1 for n in range(3000)},
        {},
        SO_MANY,
    ),
    "a long list of allowed values": Case(list_of({"enum": [f"v{n}" for n in range(9000)]}), ["w"] * 9000, {}, SO_MANY),
    "a schema of many places": Case({"enum": list(range(12_000))}, 1, {}, MANY),
    "a list of many values that differ": Case(list_of({}, uniqueItems=True), [[n] for n in range(9000)], {}, "", 0),
    "what people write": Case(
        {"type": "object", "properties": {"a": FIRST, "b": FIRST}, "additionalProperties": False},
        {"a": "abc", "b": "abd"},
        {"d0": {"type": "string", "pattern": "^ab.$", "maxLength": 10}},
        "",
        0,
    ),
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What `validate` said of each case, as far as it came."""
    places = {}
    for name, case in CASES.items():
        root = tmp_path_factory.mktemp("case")
        for path, text in {
            "assistants.d/reconciler.yaml": SETTINGS,
            "assistants.d/a.json": json.dumps({"reconciler": {"kind": "bot"}, "name": "a", "x": case.value}),
            "providers/mine.yaml": PROVIDER,
            "providers/bot.schema.json": json.dumps(schema(case)),
        }.items():
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_text(text)
        places[str(root)] = name
    command = [sys.executable, "-m", "tests.hostile.bounded", *places]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "RECONCILER_TRUST_PROVIDERS": "mine"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode != 0:
        pytest.fail(f"{places[lines[-1].get('begins', '')]!r} ended the process: {done.returncode}\n{done.stderr}")
    return {places[line["project"]]: line for line in lines if "project" in line}


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_schema_is_refused_or_checked_within_bounds(name: str, ran: dict[str, dict[str, Any]]) -> None:
    case, line = CASES[name], ran[name]
    assert line["code"] == case.code, line["said"]
    assert case.said in line["said"]
    assert line["same"], "another answer on a small stack"
    assert "Traceback" not in line["said"]
    assert len(line["said"]) < 8000
