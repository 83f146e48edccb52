"""What is remembered of accepted files changes nothing: not when it is damaged, foreign, or about other bytes."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.manifests import validation_cache as module
from reconciler.config.manifests.load import Loaded, load
from reconciler.config.manifests.validation_cache import ValidationCache
from reconciler.config.schema.schemas import shipped
from reconciler.config.settings import load_settings
from reconciler.operations.project.kinds import kinds_of
from reconciler.tree import Tree
from tests.strategies import law
from tests.unit.config.conftest import whole, write

FILES = {
    "a.yaml": "name: a\nmodel: gpt-4o\ninstructions: !file _texts/a.txt\nmetadata: {team: t}\n",
    "b.md": "---\nmodel: gpt-4o\nreconciler: {protect: true, targets: [local]}\n---\nDo this.\n",
    "c.yaml": "model: gpt-4o\nreconciler: {ignore: [temperature], initial: [tools]}\ntools: [{type: file_search}]\n",
    "_texts/a.txt": "A prompt.\n",
}


class Machine:
    """A project, and a user who loads it again and again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        write(root / "assistants.d", FILES)
        self.records = root / "cache" / "local.records"

    def load(self, context: bytes = b"", state: str = "state") -> Loaded:
        settings = load_settings(self.root, [Path("assistants.d")])
        target = settings.target()
        provider = shipped().provider(target.provider)
        kinds = {each.kind.name: each.kind for each in kinds_of(provider, shipped())}
        memory = ValidationCache(Tree(self.root, "cache"), target.name, self.root / state, lambda: context, fewest=1)
        found = load(
            self.root,
            [Path("assistants.d")],
            settings=settings,
            target=target,
            provider=provider,
            kinds=kinds,
            memory=memory,
        )
        return found


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every document that was checked by its schema."""
    from reconciler.config.manifests import compact_loader

    found: list[Any] = []
    check = compact_loader.read_manifest
    monkeypatch.setattr(compact_loader, "read_manifest", lambda *given: found.append(given[1]) or check(*given))
    return found


def test_what_was_accepted_is_not_checked_again(machine: Machine, judged: list[Any]) -> None:
    first = whole(machine.load())
    assert sorted(judged) == ["a", "b", "c"]
    judged.clear()
    assert whole(machine.load()) == first
    assert judged == []


@pytest.mark.parametrize(
    ("file", "text", "checked"),
    [("a.yaml", "model: gpt-4o\n", ["a"]), ("_texts/a.txt", "Another.\n", ["a"]), ("d.yaml", "model: m\n", ["d"])],
)
def test_only_what_changed_is_checked(
    machine: Machine, judged: list[Any], file: str, text: str, checked: list[str]
) -> None:
    machine.load()
    judged.clear()
    write(machine.root / "assistants.d", {file: text})
    machine.load()
    assert judged == checked


def test_a_text_that_becomes_too_long_is_found(machine: Machine) -> None:
    machine.load()
    write(machine.root / "assistants.d", {"_texts/a.txt": "x" * 256_001})
    assert [str(each.code) for each in machine.load().diagnostics] == ["RC0204"]


def test_a_file_in_another_place_is_another_one(machine: Machine) -> None:
    machine.load()
    (machine.root / "assistants.d/c.yaml").rename(machine.root / "assistants.d/d.yaml")
    assert [each.address.key for each in machine.load().manifests] == ["a", "b", "d"]


@pytest.mark.parametrize("other", [{"context": b"other"}, {"state": "elsewhere"}])
def test_what_others_wrote_is_not_looked_at(machine: Machine, judged: list[Any], other: dict[str, Any]) -> None:
    first = whole(machine.load())
    judged.clear()
    assert whole(machine.load(**other)) == first
    assert len(judged) == 3


@law
@given(st.data())
def test_no_damage_changes_a_result(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    machine = Machine(tmp_path_factory.mktemp("machine"))
    first = whole(machine.load())
    content = bytearray(machine.records.read_bytes())
    match data.draw(st.sampled_from(["flip", "cut", "grow", "other", "swap"])):
        case "flip":
            content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        case "cut":
            del content[data.draw(st.integers(0, len(content) - 1)) :]
        case "grow":
            content += data.draw(st.binary(min_size=1, max_size=40))
        case "other":
            content = bytearray(data.draw(st.binary(max_size=200)))
        case "swap":
            rest = list(content[52:])
            random.Random(data.draw(st.integers())).shuffle(rest)
            content[52:] = bytes(rest)
    machine.records.write_bytes(content)
    assert whole(machine.load()) == first
    assert whole(machine.load()) == first


def test_a_pipe_in_its_place_is_not_waited_for(machine: Machine) -> None:
    import os

    first = whole(machine.load())
    machine.records.unlink()
    os.mkfifo(machine.records)
    assert whole(machine.load()) == first


def test_what_was_not_asked_for_is_forgotten(machine: Machine) -> None:
    machine.load()
    full = machine.records.stat().st_size
    for name in ("a.yaml", "b.md", "c.yaml"):
        (machine.root / "assistants.d" / name).unlink()
    write(machine.root / "assistants.d", {"e.yaml": "model: m\n"})
    machine.load()
    assert machine.records.stat().st_size < full


@pytest.mark.parametrize(("files", "remembered"), [(module.FEWEST - 1, False), (module.FEWEST, True)])
def test_few_files_are_not_worth_it(machine: Machine, files: int, remembered: bool) -> None:
    memory = ValidationCache(Tree(machine.root, "cache"), "local", machine.root / "state", lambda: b"")
    for number in range(files):
        key = number.to_bytes(module.KEY_BYTES)
        assert memory.get(key) is None
        memory.put(key, b"[]")
    memory.close()
    assert machine.records.exists() == remembered


def test_where_nothing_can_be_written_nothing_is_remembered_and_nothing_said(machine: Machine) -> None:
    first = whole(machine.load())
    machine.records.unlink()
    machine.records.mkdir()
    assert whole(machine.load()) == whole(machine.load()) == first


def test_a_file_that_changes_while_it_is_read_is_told(machine: Machine) -> None:
    from reconciler.config.errors import ConfigError

    first = machine.load().manifests[0]
    write(machine.root / "assistants.d", {"a.yaml": "model: other\n"})
    with pytest.raises(ConfigError, match="has changed while it was being read") as told:
        dict(first.body)
    assert str(told.value.diagnostics[0].code) == "RC0118"
