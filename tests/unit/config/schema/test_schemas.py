"""Schemas and providers: found, closed to the network, and safe against what a manifest can make them do."""

from __future__ import annotations

import json
import shutil
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from reconciler.config.errors import ConfigError
from reconciler.config.schema.schema_messages import schema_diagnostics
from reconciler.config.schema.schemas import Schemas, schema_directory, shipped
from reconciler.config.schema.validation import compiled, end_anchored
from reconciler.config.syntax.document import Document
from reconciler.diagnostics import Code, Source
from reconciler.drivers.provider import Credential, Limits

ASSISTANT = "assistant.schema.json"


def keywords(schema: dict[str, Any], value: Any) -> list[str]:
    """The keywords of a schema that a value does not meet."""
    return [each.keyword for each in compiled(schema)(value)]


def with_parameters(parameters: Any) -> dict[str, Any]:
    """An assistant with one function."""
    return {"model": "x", "tools": [{"type": "function", "function": {"name": "f", "parameters": parameters}}]}


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection fails the test."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


# Our own files


def test_every_schema_of_a_kind_follows_the_dialect() -> None:
    schemas = shipped()
    kinds = {kind.schema for name in schemas.provider_names() for kind in schemas.provider(name).kinds.values()}
    assert ASSISTANT in kinds
    for name in kinds:
        assert schemas.check_dialect(schemas.schema(name)) == []


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        ({"type": "array"}, "required"),
        ({"type": ["array", "null"]}, "required"),
        ({"type": "array", "x-list": "bag"}, "enum"),
        ({"type": "array", "x-list": "map"}, "required"),
        ({"x-mutable": True}, "false"),
        ({"x-sensitive": "yes"}, "type"),
        ({"type": "objekt"}, "anyOf"),
    ],
)
def test_a_schema_that_leaves_the_dialect_is_found_out(schema: dict[str, Any], keyword: str) -> None:
    nested = {"properties": {"a": {"items": schema}}}
    assert [each.keyword for each in shipped().check_dialect(nested)] == [keyword]


@pytest.mark.parametrize("name", ["settings.schema.json", "manifest.schema.json", "provider.schema.json"])
def test_our_other_schemas_are_valid(name: str) -> None:
    document = json.loads((schema_directory() / name).read_text())
    assert keywords({"$ref": "https://json-schema.org/draft/2020-12/schema"}, document) == []


def test_schemas_are_found_when_installed(tmp_path: Path) -> None:
    package = tmp_path / "site" / "reconciler"
    here = Path(sys.modules["reconciler"].__file__ or "").parent
    shutil.copytree(here / "config", package / "config")
    shutil.copytree(schema_directory(), package / "schemas")
    code = (package / "config" / "schema" / "schemas.py").read_text()
    namespace: dict[str, Any] = {"__file__": str(package / "config" / "schema" / "schemas.py"), "__name__": "copied"}
    exec(compile(code, "schemas.py", "exec"), namespace)
    assert namespace["schema_directory"]() == package / "schemas"


def test_the_schema_for_editors_also_knows_our_block() -> None:
    schema = shipped().manifest_schema(ASSISTANT)
    assert keywords(schema, {"model": "x", "reconciler": {"protect": True, "ignore": ["a"]}}) == []
    assert keywords(schema, {"model": "x", "reconciler": {"ignore": "a"}}) == ["type"]
    assert schema["$schema"].startswith("https://json-schema.org/")


# Providers


def test_every_provider_can_be_read() -> None:
    assert shipped().provider_names() == sorted(shipped().provider_names())
    assert {shipped().provider(name).name for name in shipped().provider_names()} == set(shipped().provider_names())


def test_what_a_provider_extends_is_merged_in_and_credentials_are_replaced() -> None:
    portkey, base = shipped().provider("portkey"), shipped().provider("openai-assistants")
    assert {name: portkey.kinds[name] for name in base.kinds} == base.kinds
    assert set(portkey.kinds) - set(base.kinds) == {"agent"}
    assert portkey.headers == base.headers
    assert portkey.limits == base.limits
    assert portkey.credentials["api_key"] == Credential("x-portkey-api-key", env="PORTKEY_API_KEY")
    assert "organization" not in portkey.credentials
    assert portkey.reads.refuse == {"x-portkey-cache-status": ("HIT", "SEMANTIC HIT")}


def test_limits_of_a_target_are_laid_over_those_of_its_provider() -> None:
    local = shipped().provider("local")
    most = 10**6
    own = {"uploads_per_minute": most, "attaches_per_minute": most, "members_per_minute": most}
    assert local.limits == Limits(most, most, settle_seconds=0, **own)


def providers(tmp_path: Path, **files: str) -> Schemas:
    """Schemas with other provider files."""
    directory = tmp_path / "schemas"
    shutil.copytree(schema_directory(), directory)
    for name, text in files.items():
        (directory / "providers" / f"{name}.yaml").write_text(text)
    return Schemas(directory)


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("extends: mine", "mine cannot extend mine"),
        ("extends: nobody", "mine cannot extend nobody"),
        ("extends: ../../etc/passwd", "mine cannot extend ../../etc/passwd"),
        ("extends: local\nurls: x", "unknown field urls"),
        ("kinds: {a: {schema: a, mark_field: a}}", "kinds.a.path is missing"),
        ("extends: local\nlimits: {concurrency: 0}", "limits.concurrency is 0; the smallest value is 1"),
        ("a: [", "not valid YAML: did not find expected node content while parsing a flow node"),
        ("", "expected one document"),
        ("- a", "the document must be a mapping, not a list of 1 item"),
    ],
)
def test_a_wrong_provider_file_is_refused(tmp_path: Path, text: str, summary: str) -> None:
    with pytest.raises(ConfigError) as refused:
        providers(tmp_path, mine=text).provider("mine")
    assert [each.summary for each in refused.value.diagnostics] == [summary]


@pytest.mark.parametrize("name", ["portky", "../settings", "", "openai"])
def test_an_unknown_provider_is_refused_naming_the_known_ones(name: str) -> None:
    place = Source("reconciler.yaml", 3, 5)
    with pytest.raises(ConfigError) as refused:
        shipped().provider(name, place)
    [diagnostic] = refused.value.diagnostics
    assert (diagnostic.code, diagnostic.source) == (Code.UNKNOWN_PROVIDER, place)
    assert "portkey" in diagnostic.hint


# What a schema is not allowed to do


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    "reference", ["http://127.0.0.1:9/x", "https://example.com/x", "file:///etc/passwd", "ftp://x/y"]
)
def test_references_are_never_fetched(tmp_path: Path, reference: str) -> None:
    directory = tmp_path / "schemas"
    shutil.copytree(schema_directory(), directory)
    (directory / ASSISTANT).write_text(json.dumps({"properties": {"model": {"$ref": reference}}}))
    opened: list[str] = []
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
    schemas = Schemas(directory)
    with pytest.raises(ConfigError, match="nothing is fetched"):
        schemas.failures(ASSISTANT, {"model": "x"})
    assert not [each for each in opened if "passwd" in each]


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("word", ["$ref", "$dynamicRef", "$schema", "$id"])
def test_references_in_the_parameters_of_a_function_are_text(word: str) -> None:
    parameters = {"type": "object", "properties": {"a": {word: "http://127.0.0.1:9/x"}}}
    assert shipped().failures(ASSISTANT, with_parameters(parameters)) == []


def test_patterns_in_the_parameters_of_a_function_are_never_run() -> None:
    parameters = {"type": "object", "properties": {"a": {"pattern": "^(a+)+$", "default": "a" * 100 + "!"}}}
    assert shipped().failures(ASSISTANT, with_parameters(parameters)) == []


def test_a_schema_that_refers_to_itself_is_refused() -> None:
    assert keywords({"$ref": "#"}, {"a": 1}) == ["recursion"]


def test_equal_items_are_found_without_comparing_every_pair() -> None:
    many: list[Any] = [{"a": n} if n % 2 else [n, "x"] for n in range(20_000)]
    assert keywords({"uniqueItems": True}, many) == []
    assert keywords({"uniqueItems": True}, [*many, {"a": 1}]) == ["uniqueItems"]
    assert keywords({"uniqueItems": True}, [1, True, "1", None]) == []
    names: list[Any] = [n if n % 2 else str(n) for n in range(19_000)]
    assert shipped().failures(ASSISTANT, with_parameters({"type": "object", "required": names}))


def test_parameters_as_deep_as_a_file_can_be_are_checked_on_a_small_stack() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(13):
        schema = {"type": "object", "properties": {"a": schema}}
    wrong = json.loads(json.dumps(schema).replace('"string"', '"strong"'))
    found: list[Any] = []
    previous = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(
            target=lambda: found.extend(
                shipped().failures(ASSISTANT, with_parameters(each)) for each in (schema, wrong)
            )
        )
        thread.start()
    finally:
        threading.stack_size(previous)
    thread.join()
    assert found[0] == []
    assert [each.keyword for each in found[1]] == ["anyOf"]


def test_parameters_are_checked_once_however_often_they_are_met(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"type": "object", "title": "seen before"}
    assert shipped().failures(ASSISTANT, with_parameters(parameters)) == []
    monkeypatch.setattr("reconciler.config.schema.validation.PlainValidator", None)
    assert shipped().failures(ASSISTANT, with_parameters(dict(parameters))) == []


# Values


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("^[a-z]+$", "abc", True),
        ("^[a-z]+$", "abc\n", False),
        ("^(a|b$)", "b\n", False),
        (r"^a\$", "a$", True),
        (r"^[$]+$", "$$", True),
        (r"^[\]$]$", "$", True),
        (r"^\\$", "\\", True),
    ],
)
def test_dollar_is_the_end_of_the_text(pattern: str, text: str, matches: bool) -> None:
    assert bool(end_anchored(pattern).search(text)) is matches
    assert (keywords({"pattern": pattern}, text) == []) is matches


@pytest.mark.parametrize(
    ("type_", "value", "accepted"),
    [
        ("number", True, False),
        ("integer", False, False),
        ("boolean", 1, False),
        ("integer", 1.0, True),
        ("integer", 1.5, False),
        ("number", 1, True),
        ("string", None, False),
    ],
)
def test_types(type_: str, value: Any, accepted: bool) -> None:
    assert (keywords({"type": type_}, value) == []) is accepted


def test_entries_of_a_keyed_list_are_told_apart_by_all_parts_of_the_key() -> None:
    def function(name: str) -> dict[str, Any]:
        return {"type": "function", "function": {"name": name}}

    tools = [function("a"), {"type": "file_search"}, function("b"), {"type": "code_interpreter"}]
    assert shipped().failures(ASSISTANT, {"model": "x", "tools": tools}) == []
    [failure] = shipped().failures(ASSISTANT, {"model": "x", "tools": [*tools, function("a")]})
    assert (failure.keyword, failure.path, failure.expected[0]) == ("x-list", ("tools", 4), 0)


def test_a_deprecated_field_is_a_warning() -> None:
    schema = {"properties": {"a": {"deprecated": True, "description": "Use b."}}}
    document = Document({"a": 1}, Source("a.yaml", 1, 1))
    [diagnostic] = schema_diagnostics(compiled(schema)({"a": 1}), document, schema)
    assert (diagnostic.severity, diagnostic.code) == ("warning", Code.DEPRECATED_FIELD)
    assert (diagnostic.summary, diagnostic.detail) == ("a is deprecated", "Use b.")


def test_secret_values_are_not_told() -> None:
    schema = {"properties": {"a": {"type": "array", "x-sensitive": True}, "b": {"enum": ["x"], "x-sensitive": True}}}
    value = {"a": "hunter2", "b": "hunter2"}
    told = schema_diagnostics(compiled(schema)(value), Document(value, Source("a.yaml", 1, 1)), schema)
    assert len(told) == 2
    assert "hunter2" not in repr(told)
