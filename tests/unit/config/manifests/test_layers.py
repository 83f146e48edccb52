"""Layers over manifests, and manifests over what they extend: what is merged, where it came from, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.errors import ConfigError
from reconciler.config.manifests.layers import ResolvedDocument, merged
from reconciler.config.manifests.load import Loaded
from reconciler.config.settings import load_settings
from reconciler.config.syntax.yaml import read_yaml
from reconciler.core.values.model import Address, Manifest
from tests.unit.config.conftest import DIRECTORY, Files, Read, told, write

SETTINGS = "targets:\n  local: {provider: local, layers: [overlays/eu, overlays/production]}\n"
BASE = "name: HR\nmodel: gpt-4o\ntemperature: 0.2\nmetadata: {team: people, tier: low}\n"


@pytest.fixture
def layered(read: Read, tmp_path: Path) -> Any:
    """Load manifests below assistants.d and layers below overlays/."""

    def layered(files: Files, **layers: Files) -> Loaded:
        for name in ("eu", "production"):
            (tmp_path / "overlays" / name).mkdir(parents=True)
            write(tmp_path / "overlays" / name, layers.get(name, {}))
        return read({"reconciler.yaml": SETTINGS, **files})

    return layered


def only(loaded: Loaded) -> Manifest:
    assert [told(each) for each in loaded.diagnostics] == []
    (manifest,) = loaded.manifests
    return manifest


def summaries(loaded: Loaded) -> list[str]:
    return [told(each) for each in loaded.diagnostics]


def place(manifest: Manifest, *path: str | int) -> str:
    return str(manifest.place(path))


def test_a_document_of_the_same_address_is_merged_and_every_value_keeps_its_place(layered: Any) -> None:
    overlay = "temperature: 0.7\nmetadata:\n  tier: high\n  region: eu\n"
    manifest = only(layered({"hr/bot.yaml": BASE}, production={"hr/bot.yaml": overlay}))
    assert manifest.address == Address("assistant", "hr/bot")
    assert manifest.body == {
        "name": "HR",
        "model": "gpt-4o",
        "temperature": 0.7,
        "metadata": {"team": "people", "tier": "high", "region": "eu"},
    }
    assert str(manifest.source) == "assistants.d/hr/bot.yaml:1:1"
    assert place(manifest, "name") == "assistants.d/hr/bot.yaml:1:7"
    assert place(manifest, "temperature") == "overlays/production/hr/bot.yaml:1:14"
    assert place(manifest, "metadata", "team") == "assistants.d/hr/bot.yaml:4:18"
    assert place(manifest, "metadata", "tier") == "overlays/production/hr/bot.yaml:3:9"


def test_two_layers_apply_in_the_order_of_the_settings(layered: Any) -> None:
    manifest = only(
        layered(
            {"a.yaml": BASE},
            production={"a.yaml": "temperature: 0.9\n"},
            eu={"a.yaml": "temperature: 0.5\ntop_p: 0.5\n"},
        )
    )
    assert (manifest.body["temperature"], manifest.body["top_p"]) == (0.9, 0.5)


def test_null_is_a_value_in_a_manifest_and_takes_a_field_away_in_a_layer(layered: Any) -> None:
    overlay = "temperature: null\nmetadata: {team: null}\n"
    manifest = only(layered({"a.yaml": BASE + "description: null\n"}, eu={"a.yaml": overlay}))
    assert manifest.body == {"name": "HR", "model": "gpt-4o", "metadata": {"tier": "low"}, "description": None}


def test_lists_are_replaced_as_a_whole(layered: Any) -> None:
    tools = "tools: [{type: file_search}, {type: code_interpreter}]\n"
    manifest = only(layered({"a.yaml": BASE + tools}, eu={"a.yaml": "tools:\n  - type: file_search\n"}))
    assert manifest.body["tools"] == [{"type": "file_search"}]
    assert place(manifest, "tools", 0, "type") == "overlays/eu/a.yaml:2:11"


def test_options_are_merged_likewise_and_an_empty_block_says_nothing(layered: Any) -> None:
    base = "reconciler: {protect: true, on_remove: release}\n" + BASE
    overlay = "reconciler: {on_remove: null, ignore: [top_p]}\n"
    manifest = only(layered({"a.yaml": base}, eu={"a.yaml": overlay}, production={"a.yaml": "reconciler:\n"}))
    assert (manifest.protect, manifest.on_remove, manifest.ignore) == (True, None, {"top_p"})


def test_the_address_counts_and_not_the_file(layered: Any) -> None:
    overlay = "---\nreconciler: {key: a}\nname: other A\n---\nreconciler: {key: b, kind: assistant}\nname: other B\n"
    loaded = layered({"a.yaml": BASE, "b.yaml": BASE}, production={"both.yaml": overlay})
    assert [each.body["name"] for each in loaded.manifests] == ["other A", "other B"]


def test_a_new_address_is_added(layered: Any) -> None:
    loaded = layered({"a.yaml": BASE}, eu={"b.yaml": "name: B\nmodel: x\n"}, production={"b.yaml": "name: C\n"})
    assert [each.address.key for each in loaded.manifests] == ["a", "b"]
    assert loaded.manifests[1].body == {"name": "C", "model": "x"}
    assert str(loaded.manifests[1].source) == "overlays/eu/b.yaml:1:1"


def test_the_schema_judges_what_is_merged_and_points_into_the_overlay(layered: Any) -> None:
    loaded = layered({"a.yaml": "name: A\n", "b.yaml": BASE}, eu={"a.yaml": "model: x\n", "b.yaml": "temperature: hot"})
    assert [each.address.key for each in loaded.manifests] == ["a"]
    (problem,) = loaded.diagnostics
    assert str(problem.source) == "overlays/eu/b.yaml:1:14"


def test_an_unknown_field_of_an_overlay_is_told_there(layered: Any) -> None:
    (problem,) = layered({"a.yaml": BASE}, eu={"a.yaml": "metadata: {}\ntemprature: 1\n"}).diagnostics
    assert str(problem.source).startswith("overlays/eu/a.yaml:2:")
    assert problem.hint == "did you mean temperature?"


def test_tags_of_an_overlay_are_relative_to_it(layered: Any) -> None:
    overlay = {"a.yaml": "instructions: !file text.txt\n", "text.txt": "Be brief."}
    manifest = only(layered({"a.yaml": BASE, "text.txt": "Be long."}, eu=overlay))
    assert manifest.body["instructions"] == "Be brief."
    assert place(manifest, "instructions") == "overlays/eu/text.txt:1:1"


def test_markdown_lies_over_yaml(layered: Any) -> None:
    manifest = only(layered({"a.yaml": BASE + "instructions: long\n"}, eu={"a.md": "---\ntop_p: 1\n---\nBe brief.\n"}))
    assert (manifest.body["instructions"], manifest.body["top_p"]) == ("Be brief.", 1)


def test_one_address_twice_in_a_layer_is_refused(layered: Any) -> None:
    overlay = {"a.yaml": "name: x\n", "b.yaml": "reconciler: {key: a}\nname: y\n"}
    assert summaries(layered({"a.yaml": BASE}, eu=overlay)) == [
        "overlays/eu/b.yaml:1:1: error: assistant/a is twice in the layer overlays/eu; the first is "
        "overlays/eu/a.yaml:1:1 -> keep one of them"
    ]


def test_a_layer_that_cannot_be_read_is_told_and_its_address_is_not_kept(layered: Any) -> None:
    loaded = layered({"a.yaml": BASE}, eu={"a.yaml": "top_p: 1\ntop_p: 0\n"})
    assert [each.source.file for each in loaded.diagnostics] == ["overlays/eu/a.yaml"]
    assert not loaded.ok
    assert loaded.manifests == ()


def test_only_the_target_that_names_them_has_layers(read: Read, tmp_path: Path) -> None:
    settings = "targets:\n  local: {provider: local}\n  live: {provider: local, layers: [over]}\n"
    write(tmp_path, {"over/a.yaml": "name: live\n"})
    files = {"reconciler.yaml": settings, "a.yaml": BASE}
    assert [only(read(files, target)).body["name"] for target in ("local", "live")] == ["HR", "live"]
    assert read(files, "local").digest != read(files, "live").digest


def test_the_digest_is_that_of_what_is_merged(read: Read, tmp_path: Path) -> None:
    settings = "targets:\n  local: {provider: local, layers: [over]}\n"
    write(tmp_path, {"over/a.yaml": "name: HR\n"})
    same = read({"reconciler.yaml": settings, "a.yaml": BASE}).digest
    assert read({"reconciler.yaml": "owner: x\n", "a.yaml": BASE}).digest == same
    write(tmp_path, {"over/a.yaml": "name: PR\n"})
    assert read({"reconciler.yaml": settings, "a.yaml": BASE}).digest != same


# Layers that cannot be used


def test_a_layer_that_is_not_there_is_told_in_the_settings(read: Read, tmp_path: Path) -> None:
    (tmp_path / "overlays/eu").mkdir(parents=True)
    assert summaries(read({"reconciler.yaml": SETTINGS, "a.yaml": BASE})) == [
        "assistants.d/reconciler.yaml:2:50: error: the directory overlays/production does not exist -> create "
        "it, or remove it from `layers`; the path is relative to the root of the project"
    ]


def test_a_layer_among_the_manifests_is_refused_unless_it_is_hidden_from_them(read: Read, tmp_path: Path) -> None:
    settings = "targets:\n  local: {provider: local, layers: [assistants.d/%s]}\n"
    write(tmp_path / DIRECTORY, {"live/a.yaml": "name: live\n"})
    (problem,) = [each for each in summaries(read({"reconciler.yaml": settings % "live"})) if "layer" in each]
    assert "the layer assistants.d/live and assistants.d are nested" in problem
    (tmp_path / DIRECTORY / "live").rename(tmp_path / DIRECTORY / "_live")
    assert only(read({"reconciler.yaml": settings % "_live", "a.yaml": BASE})).body["name"] == "live"


def test_a_layer_that_leads_out_of_the_project_is_refused(read: Read, tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(tmp_path.parent)
    loaded = read({"reconciler.yaml": "targets:\n  local: {provider: local, layers: [out]}\n", "a.yaml": BASE})
    assert "the layer out points outside the project" in summaries(loaded)[0]


@pytest.mark.parametrize("layer", ["/etc", "..", "../x", "a/../../x", ".", "", "a//b", "a\\b"])
def test_the_settings_take_directories_inside_the_project_only(tmp_path: Path, layer: str) -> None:
    settings = {"targets": {"local": {"provider": "local", "layers": [layer]}}}
    write(tmp_path / DIRECTORY, {"reconciler.yaml": json.dumps(settings)})
    with pytest.raises(ConfigError, match="layers"):
        load_settings(tmp_path, [Path(DIRECTORY)])


# What is extended


def test_a_manifest_is_merged_over_what_it_extends(read: Read) -> None:
    manifest = only(
        read(
            {
                "_base/support.yaml": "reconciler: {protect: true}\nmodel: gpt-4o\ntemperature: 0.2\ntop_p: 1\n",
                "hr/bot.yaml": "reconciler: {extends: ../_base/support.yaml}\nname: HR\ntemperature: 1\ntop_p: null\n",
            }
        )
    )
    assert manifest.address.key == "hr/bot"
    assert manifest.body == {"model": "gpt-4o", "temperature": 1, "name": "HR"}
    assert manifest.protect
    assert str(manifest.source) == "assistants.d/hr/bot.yaml:1:1"
    assert place(manifest, "model") == "assistants.d/_base/support.yaml:2:8"
    assert place(manifest, "temperature") == "assistants.d/hr/bot.yaml:3:14"


def test_chains_are_followed_from_file_to_file_and_many_share_one(read: Read) -> None:
    files = {
        "_base/all.yaml": "model: gpt-4o\ntop_p: 0.1\n",
        "_base/more/support.md": "---\nreconciler: {extends: ../all.yaml}\ntop_p: 0.2\n---\nBe kind.\n",
        "a.yaml": "reconciler: {extends: _base/more/support.md}\nname: A\n",
        "b.yaml": "reconciler: {extends: _base/more/support.md}\nname: B\ninstructions: null\n",
    }
    loaded = read(files)
    assert loaded.diagnostics == ()
    assert [each.body for each in loaded.manifests] == [
        {"model": "gpt-4o", "top_p": 0.2, "instructions": "Be kind.", "name": "A"},
        {"model": "gpt-4o", "top_p": 0.2, "name": "B"},
    ]


def test_layers_lie_over_what_is_extended(layered: Any) -> None:
    files = {"_all.yaml": "model: x\ntop_p: 0.1\n", "a.yaml": "reconciler: {extends: _all.yaml}\nname: A\n"}
    assert only(layered(files, eu={"a.yaml": "top_p: 0.9\n"})).body == {"model": "x", "top_p": 0.9, "name": "A"}


EXTENDED: dict[str, tuple[dict[str, str], str]] = {
    "a circle": (
        {"_a.yaml": "reconciler: {extends: _b.yaml}\n", "_b.yaml": "reconciler: {extends: _a.yaml}\n"},
        "assistants.d/_b.yaml:1:23: error: extends forms a cycle, back to assistants.d/_a.yaml",
    ),
    "itself": ({"_a.yaml": "reconciler: {extends: _a.yaml}\n"}, "extends forms a cycle"),
    "a long chain": (
        {f"_{'a' * n}.yaml": f"reconciler: {{extends: _{'a' * (n + 1)}.yaml}}\n" for n in range(1, 12)},
        "extends chains more than 8 files",
    ),
    "a manifest": ({"a.yaml": "model: x\n"}, "assistants.d/a.yaml is a manifest itself and cannot be extended"),
    "no such file": ({"_b.yaml": "model: x\n"}, "extends _a.yaml cannot be read: No such file or directory -> did you"),
    "a list": ({"_a.yaml": "- 1\n"}, "assistants.d/_a.yaml cannot be extended: it must contain one mapping"),
    "two documents": ({"_a.yaml": "---\nmodel: x\n---\nmodel: y\n"}, "it must contain one mapping"),
    "what is not YAML": ({"_a.yaml": "model: [\n"}, "assistants.d/_a.yaml:2:1: error: not valid YAML"),
    "another format": ({"_a.txt": "model: x\n"}, "its name must end with .yaml, .yml, .json or .md"),
}


@pytest.mark.parametrize("case", EXTENDED)
def test_what_cannot_be_extended_is_told_once(read: Read, case: str) -> None:
    files, expected = EXTENDED[case]
    name = next((each for each in files if each.lstrip("_").startswith("a.")), "_a.yaml")
    name = "_a.yaml" if case == "no such file" else name
    loaded = read({**files, "z.yaml": f"reconciler: {{extends: {name}}}\nname: Z\n"})
    (problem,) = [each for each in summaries(loaded) if ": error: " in each]
    assert expected in problem
    assert all(each.address.key != "z" for each in loaded.manifests)


def test_nothing_outside_the_project_is_extended(read: Read, tmp_path: Path) -> None:
    outside = tmp_path.parent / "_outside.yaml"
    outside.write_text("model: x\n")
    loaded = read({"z.yaml": f"reconciler: {{extends: ../../{outside.name}}}\nname: Z\n"})
    assert "points outside the project" in summaries(loaded)[0]


# The law of merging

names = st.sampled_from(["a", "b", "c"])
leaves = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["x", "y"])
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
mappings = st.dictionaries(names, values, max_size=3)


def patched(target: Any, patch: Any) -> Any:
    """The algorithm of RFC 7396, word by word."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = patched(target.get(name), value)
    return target


def document(value: Any, file: str) -> ResolvedDocument:
    (found,), _ = read_yaml(json.dumps(value).encode(), file)
    return ResolvedDocument(found, None)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Any:
    if isinstance(value, dict | list) and value:
        for part, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(each, (*path, part))
    else:
        yield path, value


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        value = value[part]
    return value


@given(mappings, mappings)
def test_merging_is_that_of_the_rfc_and_every_leaf_has_the_place_it_stands_at(under: Any, over: Any) -> None:
    below, above = document(under, "below.json"), document(over, "above.json")
    result = merged(below, above, below).document
    assert result.value == patched(under, over)
    sources = {"below.json": below.document, "above.json": above.document}
    for path, value in paths(result.value):
        found = result.places.get(path)
        assert found is not None
        origin = sources[found.file]
        assert origin.places[path] == found
        if value != {}:  # what is left of a mapping when null took all of it away
            assert at(origin.value, path) == value


@given(mappings, mappings, mappings)
def test_what_is_merged_shares_nothing_that_a_second_merge_changes(one: Any, two: Any, three: Any) -> None:
    base = document(one, "one.json")
    first = merged(base, document(two, "two.json"), base)
    before = json.dumps(first.document.value)
    merged(first, document(three, "three.json"), first)
    assert json.dumps(base.document.value) == json.dumps(one)
    assert json.dumps(first.document.value) == before
