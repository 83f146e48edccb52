"""A manifest made from a live object means what the object does, says no more than it has to, and loses nothing."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.edit.manifest_from_live import Unmanageable, reproduce
from reconciler.config.edit.minimal_body import minimal_body, nearest
from reconciler.config.edit.write_manifests import FileLayout, NewManifest, new_files
from reconciler.config.manifests.manifest import ManifestContext
from reconciler.config.schema.schemas import shipped
from reconciler.config.syntax.yaml import read_yaml
from reconciler.config.syntax.yaml_emitter import document_text
from reconciler.config.targets import Settings, Target
from reconciler.core.decide import decide_update
from reconciler.core.values.model import Address, Manifest
from reconciler.core.values.semantics import same
from reconciler.diagnostics import Source
from tests.strategies import bodies, law
from tests.world import KIND, PROVIDER, SCHEMA, accepted

READING = ManifestContext(Settings(), Target("local", "openai-assistants"), PROVIDER, shipped())
AT = Address("assistant", "a")


def differs(body: dict[str, Any], live: dict[str, Any]) -> bool:
    manifest = Manifest(AT, body, Source("a.yaml", 1, 1))
    return bool(decide_update(KIND, manifest, live, None).writes)


@law
@given(bodies(SCHEMA))
def test_every_field_that_means_something_is_in_the_manifest(live: dict[str, Any]) -> None:
    body = minimal_body(KIND, live)
    assert not differs(body, live)
    for name, value in live.items():
        assert same(KIND.fields[name], body.get(name), value)


@law
@given(accepted())
def test_what_is_kept_is_accepted_and_what_is_not_is_told(live: dict[str, Any]) -> None:
    body, said = reproduce(KIND, {"id": "asst_1", "object": "assistant", **live}, "asst_1", READING)
    assert not differs(body, live)
    left = [name for name, value in live.items() if not same(KIND.fields[name], body.get(name), value)]
    assert len(said) >= len(left)
    documents, problems = read_yaml(document_text(body).encode(), "a.yaml")
    assert (problems, json.dumps(documents[0].value)) == ([], json.dumps(body))


@law
@given(bodies(SCHEMA))
def test_nothing_that_has_to_be_said_is_said_twice(live: dict[str, Any]) -> None:
    body = minimal_body(KIND, live)
    for name in body:
        without = {other: value for other, value in live.items() if other != name}
        assert differs(body, without)


@law
@given(bodies(SCHEMA), bodies(SCHEMA))
def test_the_nearest_value_means_what_is_live_and_keeps_what_agrees(one: dict[str, Any], other: dict[str, Any]) -> None:
    for name in one.keys() & other.keys():
        meaning = KIND.fields[name]
        found = nearest(meaning, copy.deepcopy(one[name]), other[name])
        assert same(meaning, found, other[name])
        assert nearest(meaning, one[name], one[name]) == one[name]


def test_a_field_of_the_future_stays_and_is_told() -> None:
    live = {"id": "asst_1", "model": "gpt-4o", "voice": "alto", "new": None, "tool_resources": {"browser": {"x": 1}}}
    body, said = reproduce(KIND, live, "asst_1", READING)
    assert body == {"model": "gpt-4o"}
    assert [each.summary.split(" is not known")[0] for each in said] == ["voice", "tool_resources.browser"]
    assert {each.address for each in said} == {"asst_1"}


def test_a_value_of_the_future_is_left_out_and_the_rest_stays() -> None:
    live = {"model": "gpt-4o", "reasoning_effort": "extreme", "temperature": 0.1}
    body, said = reproduce(KIND, live, "asst_1", READING)
    assert body == {"model": "gpt-4o", "temperature": 0.1}
    assert "reasoning_effort" in said[0].summary


@pytest.mark.parametrize(("live", "why"), [({"model": "\x1f"}, "control character"), ({"name": "x"}, "model")])
def test_without_a_valid_model_there_is_no_manifest(live: dict[str, Any], why: str) -> None:
    with pytest.raises(Unmanageable, match=why):
        reproduce(KIND, live, "asst_1", READING)


def test_half_a_character_cannot_stand_in_a_file() -> None:
    body, said = reproduce(KIND, {"model": "gpt-4o", "instructions": "\ud83d"}, "asst_1", READING)
    assert body == {"model": "gpt-4o"}
    assert len(said) == 1


def test_a_default_stays_where_the_schema_requires_it() -> None:
    ranking = {"ranker": "default_2024_08_21", "score_threshold": 0.0}
    live = {"model": "gpt-4o", "tools": [{"type": "file_search", "file_search": {"ranking_options": ranking}}]}
    assert reproduce(KIND, live, "asst_1", READING)[0]["tools"] == [{"type": "file_search"}]


@law
@given(accepted(), st.sampled_from([".yaml", ".md", ".json"]), st.booleans())
def test_no_form_of_file_changes_a_text(live: dict[str, Any], suffix: str, inline: bool) -> None:
    body, _ = reproduce(KIND, live, "asst_1", READING)
    files = new_files(NewManifest(AT, "team/a", body, {}, "instructions"), FileLayout(suffix, inline))
    assert next(iter(files)) == f"team/a{suffix}"
    prose = files.get("prompts/team/a.md")
    if prose is not None:
        assert prose.decode() == body["instructions"]
        assert b"!file ../prompts/team/a.md" in files["team/a.yaml"]
