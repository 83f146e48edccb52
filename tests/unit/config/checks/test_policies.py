"""Policies as files: what is read, what is refused, and that nothing passes by mistake."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.checks.policy_checks import check_manifests, check_plan
from reconciler.config.checks.policy_files import MAX_POLICIES, Policies, load_policies
from reconciler.config.errors import ConfigError, has_errors
from reconciler.config.schema.schemas import Schemas, schema_directory, shipped
from reconciler.config.schema.validation import compiled
from reconciler.config.targets import Settings, Target
from reconciler.core.plan import Plan, TargetIdentity
from reconciler.core.values.model import Action, Address, Block, Blocker, Change, FieldChange, Json, Manifest, Reason
from reconciler.diagnostics import Diagnostic, Severity, Source
from tests.strategies import law
from tests.unit.config.conftest import told

HERE = Source("a.yaml", 1, 1)
LOCAL = shipped().provider("local")
SETTINGS = Settings(targets={"local": Target("local", "local"), "production": Target("production", "portkey")})
ADDRESS = Address("assistant", "a")


def policy(**words: Any) -> dict[str, Any]:
    return {"title": "The rule", **words}


def over_changes(**words: Any) -> dict[str, Any]:
    return policy(reconciler={"over": "change"}, **words)


def loaded(root: Path, **files: Json | str) -> Policies:
    (root / "policies").mkdir(exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (root / "policies" / f"{name}.schema.json").write_text(text)
    return load_policies(root, SETTINGS, shipped())


def problems(root: Path, **files: Json | str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        loaded(root, **files)
    return [told(each) for each in refused.value.diagnostics]


def judged(policies: Policies, target: str = "local", **body: Json) -> list[Diagnostic]:
    places = {(name,): Source("a.yaml", line, 3) for line, name in enumerate(body, 2)}
    return check_manifests(policies, [Manifest(ADDRESS, body, HERE, places)], target, LOCAL, shipped())


def planned(policies: Policies, *changes: Change, **body: Json) -> Plan:
    plan = Plan(TargetIdentity("local", "local", "embedded"), "acme", "sha256:0", changes, {})
    return check_plan(policies, plan, [Manifest(ADDRESS, body, HERE)], LOCAL, shipped())


def update(*fields: FieldChange, **options: Any) -> Change:
    return Change(ADDRESS, Action.UPDATE, "asst_1", (Reason.CHANGED,), HERE, fields, **options)


def change_of(path: tuple[str, ...], before: Json, after: Json) -> FieldChange:
    return FieldChange(path, before, after, Reason.CHANGED, Source("a.yaml", 7, 2))


# What is read


def test_without_a_directory_there_are_no_policies(tmp_path: Path) -> None:
    assert load_policies(tmp_path, SETTINGS, shipped()) == Policies()


def test_policies_are_named_after_their_files_and_come_in_that_order(tmp_path: Path) -> None:
    policies = loaded(tmp_path, zebra=policy(), ant=policy(description="Do it."))
    assert [(each.name, each.advice) for each in policies.all] == [("ant", "Do it."), ("zebra", "")]


def test_hidden_files_and_notes_are_no_policies_and_a_misnamed_one_is_told_of(tmp_path: Path) -> None:
    directory = tmp_path / "policies"
    directory.mkdir()
    for name in (".draft.schema.json", "_off.schema.json", "README.md", "models.json", "models.schema.yaml"):
        (directory / name).write_text("{}")
    policies = load_policies(tmp_path, SETTINGS, shipped())
    assert policies.all == ()
    assert [each.source.file for each in policies.warnings if each.source] == [
        "policies/models.json",
        "policies/models.schema.yaml",
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "policies/p.schema.json:1:1: error: the file is empty -> write a policy"),
        (
            '{"title": ',
            "policies/p.schema.json:1:11: error: not valid JSON: expected a value, found the end of the file",
        ),
        ("{}", "title is missing"),
        ("[]", "the document must be a mapping"),
        (policy(properties={"temperature": {"maximum": "1"}}), "properties.temperature.maximum must be a number"),
        (policy(properties={"temperature": {"maxmum": 1}}), "unknown field maxmum in properties.temperature"),
        (policy(properties={"temperature": {"maxmum": 1}}), "-> did you mean maximum?"),
        (policy(properties={"name": {"format": "email"}}), "unknown field format in properties.name"),
        (policy(properties={"name": {"$schema": "https://json-schema.org/draft-07/schema"}}), "unknown field $schema"),
        (policy(**{"$schema": "http://json-schema.org/draft-07/schema#"}), "$schema cannot be"),
        (policy(unevaluatedProperties=False), "unknown field unevaluatedProperties"),
        (
            policy(reconciler={"ovr": "change"}),
            "unknown field ovr in reconciler (one of kinds, over, severity, targets) -> did you mean over?",
        ),
        (policy(reconciler={"severity": "fatal"}), "reconciler.severity cannot be"),
        (policy(reconciler={"kinds": ["asistant"]}), "there is no kind asistant -> did you mean assistant?"),
        (policy(reconciler={"targets": ["prod"]}), "there is no target prod -> "),
        (policy(properties={"temprature": {"maximum": 1}}), "-> did you mean temperature?"),
        (policy(**{"not": {"anyOf": [{"required": ["modle"]}]}}), "-> did you mean model?"),
        (over_changes(properties={"feilds": {}}), "-> did you mean fields?"),
        (over_changes(then={"properties": {"desired": {"required": ["metdata"]}}}), "-> did you mean metadata?"),
        (policy(properties={"name": {"pattern": "("}}), 'the pattern "(" cannot be used: missing )'),
        (policy(properties={"name": {"pattern": "(?=a)b"}}), "no look-around"),
        (policy(properties={"metadata": {"patternProperties": {"(a)\\1": False}}}), "no look-around"),
        (policy(properties={"name": {"pattern": "(a{1,900}b{1,900}){1,1}c{1,900}" * 3}}), "too large"),
        (policy(**{"$ref": "https://example.com/policy"}), "Nothing is fetched"),
        (
            policy(properties={"name": {"$ref": "#/$defs/nmae"}}),
            'properties.name.$ref points to nothing: "#/$defs/nmae"',
        ),
    ],
)
def test_a_policy_that_would_not_do_what_it_says_is_an_error(tmp_path: Path, content: Json, expected: str) -> None:
    found = problems(tmp_path, p=content)
    assert expected in "\n".join(found)
    assert all(each.startswith("policies/p.schema.json:1:") for each in found)


def test_every_problem_of_every_policy_is_told_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, a="{}", b=policy(reconciler={"kinds": ["x"], "targets": ["y"]}))
    assert [each.partition(": ")[2].split(" ->")[0] for each in found] == [
        "error: title is missing (text, at most 200 characters. The rule in one line: the message for a violation.)",
        "error: there is no kind x",
        "error: there is no target y",
    ]


def test_a_place_is_the_one_of_the_wrong_word(tmp_path: Path) -> None:
    [found] = problems(tmp_path, p='{\n  "title": "x",\n  "properties": {\n    "name": {"pattern": "("}}}')
    assert found.startswith("policies/p.schema.json:4:25: error")


def test_policies_are_limited_in_number_and_size(tmp_path: Path) -> None:
    assert "larger than 1,048,576 bytes" in problems(tmp_path, p=policy(enum=["x" * 1024 * 1024]))[0]
    for number in range(MAX_POLICIES):
        (tmp_path / "policies" / f"p{number}.schema.json").write_text(json.dumps(policy()))
    assert "it has 201 policies; the limit is 200" in problems(tmp_path)[0]


def test_no_directory_where_one_is_expected_is_no_pass(tmp_path: Path) -> None:
    (tmp_path / "policies").write_text("{}")
    with pytest.raises(ConfigError, match="it is not a directory"):
        load_policies(tmp_path, SETTINGS, shipped())
    (tmp_path / "policies").unlink()
    (tmp_path / "policies").symlink_to(tmp_path / "nothing")
    with pytest.raises(ConfigError, match="it is not a directory"):
        load_policies(tmp_path, SETTINGS, shipped())


def test_policies_are_never_read_from_outside_the_project(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    (outside / "p.schema.json").write_text('{"secret')
    (root / "policies").symlink_to(outside)
    with pytest.raises(ConfigError, match="points outside the project") as refused:
        load_policies(root, SETTINGS, shipped())
    assert "secret" not in repr(refused.value.diagnostics)
    (root / "policies").unlink()
    (root / "policies").mkdir()
    (root / "policies" / "p.schema.json").symlink_to(outside / "p.schema.json")
    with pytest.raises(ConfigError, match="points outside the project"):
        load_policies(root, SETTINGS, shipped())


def test_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert "Nothing is fetched" in problems(tmp_path, p=policy(**{"not": {"$ref": "http://127.0.0.1/x"}}))[0]


def test_without_the_matcher_a_pattern_is_an_error_and_other_policies_work(tmp_path: Path) -> None:
    (tmp_path / "assistants.d").mkdir()
    (tmp_path / "assistants.d" / "a.yaml").write_text("model: gpt-4o\n")
    loaded(tmp_path, models=policy(properties={"model": {"enum": ["gpt-4o"]}}))
    code = "import sys; sys.modules['re2'] = None; from reconciler.cli.main import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "-C", str(tmp_path), "validate"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    loaded(tmp_path, keys=policy(properties={"name": {"pattern": "a"}}))
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "pip install 'assistants-as-code[policies]'" in ran.stderr


def test_the_schema_of_policies_is_valid_itself() -> None:
    schema = shipped().schema("policy.schema.json")
    for each in (schema, schema["$defs"]["words"]):
        assert compiled({"$ref": "https://json-schema.org/draft/2020-12/schema"})(each) == []


# What they decide


@pytest.mark.parametrize(
    ("words", "body", "expected"),
    [
        (
            {"properties": {"model": {"enum": ["gpt-4o", "o3"]}}},
            {"model": "gpt-4"},
            'a.yaml:2:3: error: policy p: The rule (model cannot be "gpt-4") (gpt-4o or o3) -> did you mean gpt-4o?',
        ),
        (
            {"properties": {"temperature": {"maximum": 1}}},
            {"model": "x", "temperature": 1.5},
            "a.yaml:3:3: error: policy p: The rule (temperature is 1.5; the largest value is 1)"
            " -> write a number that is at most 1",
        ),
        (
            {"properties": {"metadata": {"required": ["reviewed-by"]}}},
            {"metadata": {"reviewed_by": "me"}},
            "a.yaml:2:3: error: policy p: The rule (metadata.reviewed-by is missing) -> did you mean "
            "reviewed-by instead of reviewed_by?",
        ),
        (
            {"properties": {"metadata": {"additionalProperties": False, "patternProperties": {"^x-": True}}}},
            {"metadata": {"x-a": "1", "b": "2"}},
            "a.yaml:2:3: error: policy p: The rule (metadata.b)",
        ),
        (
            {"properties": {"top_p": False}},
            {"model": "x", "top_p": 1},
            "a.yaml:3:3: error: policy p: The rule (top_p)",
        ),
        (
            {"not": {"required": ["top_p", "temperature"]}},
            {"top_p": 1, "temperature": 1},
            "a.yaml:1:1: error: policy p: The rule",
        ),
        (
            {"properties": {"name": {"pattern": "^[a-z]+$"}}},
            {"name": "a\n"},
            "a.yaml:2:3: error: policy p: The rule (name)",
        ),
    ],
)
def test_what_is_not_kept_is_told_at_its_place(
    tmp_path: Path, words: dict[str, Any], body: dict[str, Any], expected: str
) -> None:
    [found] = judged(loaded(tmp_path, p=policy(**words)), **body)
    assert told(found) == expected
    assert found.address == "assistant/a"


def test_what_is_kept_is_not_told(tmp_path: Path) -> None:
    policies = loaded(tmp_path, p=policy(properties={"temperature": {"maximum": 1}}, required=["model"]))
    assert judged(policies, model="x", temperature=1) == []
    assert judged(policies, model="x", temperature=None) == []


def test_a_policy_is_for_its_kinds_and_targets_alone(tmp_path: Path) -> None:
    only = policy(reconciler={"targets": ["production"], "kinds": ["assistant"]}, required=["name"])
    policies = loaded(tmp_path, p=only)
    assert judged(policies, target="local", model="x") == []
    assert len(judged(policies, target="production", model="x")) == 1


@pytest.mark.parametrize(
    ("place", "expected"), [(Source("prompts/a.md", 4, 1), "prompts/a.md:5:6"), (Source("a.yaml", 4, 9), "a.yaml:4:9")]
)
def test_a_text_in_its_own_file_is_told_by_the_line_and_never_quoted(
    tmp_path: Path, place: Source, expected: str
) -> None:
    policies = loaded(tmp_path, p=policy(properties={"instructions": {"not": {"pattern": "sk-[a-z]{4}"}}}))
    body = {"instructions": "é\nkey: sk-abcd\n"}
    manifest = Manifest(ADDRESS, body, HERE, {("instructions",): place})
    [found] = check_manifests(policies, [manifest], "local", LOCAL, shipped())
    assert str(found.source) == expected
    assert "abcd" not in repr(found)


def test_sensitive_values_are_never_told(tmp_path: Path) -> None:
    directory = tmp_path / "schemas"
    (directory / "providers").mkdir(parents=True)
    for name in ("policy.schema.json", "dialect.schema.json", "provider.schema.json"):
        (directory / name).write_bytes((schema_directory() / name).read_bytes())
    for name in shipped().provider_names():
        path = f"providers/{name}.yaml"
        (directory / path).write_bytes((schema_directory() / path).read_bytes())
    kind = json.loads((schema_directory() / "assistant.schema.json").read_text())
    kind["properties"]["name"]["x-sensitive"] = True
    (directory / "assistant.schema.json").write_text(json.dumps(kind))
    schemas = Schemas(directory)
    rules: dict[str, Any] = {
        "a": {"enum": ["x"]},
        "b": {"const": "x"},
        "c": {"type": "integer"},
        "d": {"pattern": "^x"},
        "e": {"not": {"pattern": "hunter"}},
        "f": {"maxLength": 2},
        "g": {"anyOf": [{"enum": ["y"]}, {"pattern": "z"}]},
        "h": {"not": {}},
    }
    policies = loaded(tmp_path, **{name: policy(properties={"name": rule}) for name, rule in rules.items()})
    manifest = Manifest(ADDRESS, {"name": "hunter2"}, HERE)
    found = check_manifests(policies, [manifest], "local", schemas.provider("local"), schemas)
    assert len({each.summary.split(":")[0] for each in found}) == len(rules)
    assert "hunter2" not in repr(found)


def test_patterns_and_references_take_bounded_time(tmp_path: Path) -> None:
    bomb: dict[str, Any] = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    policies = loaded(
        tmp_path,
        backtracking=policy(properties={"instructions": {"pattern": "^(a+)+$"}}),
        names=policy(
            properties={"metadata": {"patternProperties": {"^(a|a)*$": False}, "additionalProperties": False}}
        ),
        references=policy(**{"$defs": bomb | {"d40": True}, "$ref": "#/$defs/d0"}),
        circle=policy(**{"$ref": "#"}),
    )
    found = judged(policies, instructions="a" * 100_000 + "!", metadata={"a" * 60 + "!": "x"})
    assert [each.summary.split(":")[0] for each in found] == [
        "policy backtracking",
        "policy circle",
        "policy names",
        "policy references",
    ]
    assert "its references are nested too deeply" in found[1].summary


_SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "b", "reviewed-by"])
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "a_b"]), inner, max_size=2),
    max_leaves=4,
)


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["a", "b", "a-b"])
    some = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "anyOf": some,
            "oneOf": some,
            "allOf": some,
            "not": inner,
            "if": inner,
            "then": inner,
            "items": inner,
            "contains": inner,
            "propertyNames": inner,
            "additionalProperties": inner,
            "properties": st.dictionaries(names, inner, max_size=2),
            "patternProperties": st.dictionaries(names, inner, max_size=1),
            "required": st.lists(names, max_size=2, unique=True),
            "dependentRequired": st.dictionaries(names, st.lists(names, unique=True, max_size=1), max_size=1),
            "enum": st.lists(_SCALARS, min_size=1, max_size=2, unique_by=repr),
            "const": _VALUES,
            "type": st.sampled_from(["string", "number", "integer", "boolean", "array", "object", "null"]),
            "maximum": st.integers(-1, 1),
            "maxLength": st.integers(0, 1),
            "maxItems": st.integers(0, 1),
            "minProperties": st.integers(0, 2),
            "uniqueItems": st.booleans(),
            "pattern": names,
        },
    )


@law
@given(rule=st.recursive(st.booleans(), _schemas, max_leaves=6), value=_VALUES)
def test_whatever_a_policy_refuses_is_told_and_nothing_else(
    rule: Json, value: Json, tmp_path_factory: pytest.TempPathFactory
) -> None:
    policies = loaded(tmp_path_factory.mktemp("project"), p=policy(properties={"metadata": rule}))
    found = judged(policies, metadata=value)
    assert bool(policies.all[0].check({"metadata": value})) == has_errors(found)


# Changes


def test_a_change_against_a_policy_is_blocked_at_the_place_of_its_field(tmp_path: Path) -> None:
    steps = {"items": {"properties": {"class": {"enum": ["data", "cosmetic"]}}}}
    policies = loaded(tmp_path, p=over_changes(properties={"fields": steps}))
    plan = planned(policies, update(change_of(("name",), "a", "b"), change_of(("tools", "0"), 1, 2)), model="x")
    [change], [found] = plan.changes, plan.diagnostics
    assert change.blocked == Block(Blocker.POLICY, found.summary)
    assert str(found.source) == "a.yaml:7:2"
    assert planned(policies, update(change_of(("name",), "a", "b")), model="x").changes[0].blocked is None


def test_what_needs_nothing_is_told_of_and_not_blocked(tmp_path: Path) -> None:
    policies = loaded(tmp_path, p=policy(required=["name"]), q=over_changes(**{"not": {}}))
    plan = planned(policies, Change(ADDRESS, Action.NOOP, "asst_1"), model="x")
    assert plan.changes[0].blocked is None
    assert [(each.severity, each.summary) for each in plan.diagnostics] == [
        (Severity.WARNING, "policy p: The rule (name is missing)")
    ]


def test_a_warning_blocks_nothing(tmp_path: Path) -> None:
    policies = loaded(tmp_path, p=policy(required=["name"], reconciler={"severity": "warning"}))
    plan = planned(policies, update(change_of(("model",), "a", "x")), model="x")
    assert plan.changes[0].blocked is None
    assert [each.severity for each in plan.diagnostics] == [Severity.WARNING]


@pytest.mark.parametrize("action", [Action.DELETE, Action.RELEASE])
def test_what_goes_is_judged_as_a_change_and_not_by_a_manifest(tmp_path: Path, action: Action) -> None:
    policies = loaded(
        tmp_path,
        desired=policy(required=["name"]),
        kept=over_changes(properties={"action": {"not": {"const": "delete"}}}),
    )
    plan = planned(policies, Change(ADDRESS, action, "asst_1", (Reason.DUPLICATE,)), model="x")
    assert [each.summary for each in plan.diagnostics] == (
        ["policy kept: The rule (action)"] if action is Action.DELETE else []
    )
    assert [each.source for each in plan.diagnostics] == [None] * len(plan.diagnostics)


def test_what_is_blocked_already_keeps_its_reason(tmp_path: Path) -> None:
    held = Block(Blocker.IMMUTABLE, "model can only be set when the object is created")
    plan = planned(loaded(tmp_path, p=policy(required=["name"])), update(blocked=held), model="x")
    assert plan.changes[0].blocked == held
    assert len(plan.diagnostics) == 1
