"""Saved plans: whole or not at all, private, and refused with a reason when they are not as saved."""

import json
import os
import stat
from pathlib import Path

import pytest

from reconciler.core.plan import Plan, TargetIdentity
from reconciler.core.values.model import Action, Address, Change, Reason
from reconciler.diagnostics import Code
from reconciler.engine.state import planfile
from reconciler.engine.state.planfile import PlanFileError
from reconciler.formats.plan_document import digest_of

PLAN = Plan(
    TargetIdentity("production", "portkey", "https://api.portkey.ai/v1"),
    "acme",
    "sha256:0",
    (
        Change(
            Address("assistant", "a"),
            Action.UPDATE,
            "asst_1",
            (Reason.EDITED,),
            units=(("name",),),
            patch={"name": "Größe \u202e\ud800"},
            expects={("name",): "sha256:1"},
        ),
    ),
    {},
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "plan.json"


def failure(path: Path) -> str:
    with pytest.raises(PlanFileError) as caught:
        planfile.load(path)
    diagnostic = caught.value.diagnostic
    assert diagnostic.code is Code.BAD_PLAN_FILE
    assert diagnostic.hint
    assert str(path) in diagnostic.summary
    return diagnostic.summary


def test_what_is_saved_is_loaded(path: Path) -> None:
    planfile.save(PLAN, path)
    assert planfile.load(path) == PLAN


def test_the_document_tells_the_no_ops(path: Path) -> None:
    same = Change(Address("assistant", "b"), Action.NOOP, "asst_2")
    planfile.save(Plan(PLAN.target, "acme", "", (*PLAN.changes, same), {}), path)
    plan, document = planfile.load_with_document(path)
    assert plan.changes == PLAN.changes
    assert document["summary"]["noop"] == 1


def test_only_the_owner_can_read_it(path: Path) -> None:
    path.write_text("old")
    path.chmod(0o644)
    planfile.save(PLAN, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: object, **at: object) -> None:
        raise OSError(28, "No space left on device")

    path.write_text("old")
    monkeypatch.setattr(os, broken, fail)
    with pytest.raises(PlanFileError, match="No space left on device"):
        planfile.save(PLAN, path)
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_the_file_is_on_the_disk_before_it_has_its_name(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (steps.append("fsync"), fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda *names, **at: (steps.append("replace"), replace(*names, **at)))
    planfile.save(PLAN, path)
    assert steps == ["fsync", "replace", "fsync"]


def test_what_is_no_regular_file_is_neither_written_nor_waited_for(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(PlanFileError, match="not a regular file"):
        planfile.save(PLAN, path)
    assert "not a regular file" in failure(path)


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PlanFileError, match="cannot be written: No such file or directory"):
        planfile.save(PLAN, tmp_path / "none" / "plan.json")


def test_missing_empty_binary_and_not_json(path: Path) -> None:
    assert "does not exist" in failure(path)
    path.write_bytes(b" \n")
    assert "is empty" in failure(path)
    path.write_bytes(b"\xff\xfe{}")
    assert "not UTF-8" in failure(path)
    path.write_text("model: gpt-4o")
    assert "is not a saved plan" in failure(path)
    path.write_text('{"format_version": "1",}')
    assert "is not JSON" in failure(path)


def test_every_prefix_is_refused_and_a_cut_is_called_one(path: Path) -> None:
    planfile.save(PLAN, path)
    text = path.read_text().rstrip()
    for length in range(1, len(text)):
        path.write_text(text[:length])
        assert "cut off" in failure(path), text[:length]


def test_an_edit_is_noticed(path: Path) -> None:
    planfile.save(PLAN, path)
    path.write_text(path.read_text().replace('"acme"', '"mallory"'))
    assert "edited or damaged" in failure(path)


@pytest.mark.parametrize("version", ["1", "3"])
def test_another_version_is_named_with_the_way_out(path: Path, version: str) -> None:
    planfile.save(PLAN, path)
    document = json.loads(path.read_text()) | {"format_version": version}
    path.write_text(json.dumps(document | {"digest": digest_of(document)}))
    assert f"it has format '{version}': this version reads '2'" in failure(path)


def test_a_key_that_stands_twice_is_refused(path: Path) -> None:
    planfile.save(PLAN, path)
    path.write_text(path.read_text().replace('"owner": "acme"', '"owner": "shown", "owner": "acme"'))
    assert "is twice" in failure(path)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
def test_deep_nesting_is_no_crash(path: Path, text: str) -> None:
    path.write_text(text)
    failure(path)
