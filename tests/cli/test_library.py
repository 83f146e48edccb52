"""The same as a library: three functions over frozen values, one tree of exceptions, and nothing printed."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import reconciler
from reconciler import (
    Action,
    ConfigError,
    Outcome,
    ReconcilerError,
    RemoteError,
    Result,
    StalePlan,
    apply,
    load,
    plan,
)
from tests.cli.test_startup import HEAVY
from tests.conftest import Project, Remote

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/examples/library/careful_apply.py"


def two(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\ninstructions: Be kind.\n")
    project.write("assistants.d/b.yaml", "name: b\nmodel: gpt-4o\n")


def test_load_plan_apply_and_nothing_is_left_to_do(
    project: Project, remote: Remote, capfd: pytest.CaptureFixture[str]
) -> None:
    two(project, remote)
    loaded = load(project.root)
    assert [str(each.address) for each in loaded.manifests] == ["assistant/a", "assistant/b"]
    assert loaded.target == "test"
    planned = plan(loaded)
    assert [change.action for change in planned.changes] == [Action.CREATE, Action.CREATE]
    assert remote.writes == []
    outcomes = apply(loaded, planned)
    assert [outcome.result for outcome in outcomes] == [Result.DONE, Result.DONE]
    assert {each["name"] for each in remote.objects()} == {"a", "b"}
    assert [outcome.result for outcome in apply(loaded, planned)] == [Result.ALREADY_APPLIED] * 2
    assert {change.action for change in plan(loaded).changes} == {Action.NOOP}
    assert project.run("plan", "--detailed-exitcode").code == 0
    assert "".join(capfd.readouterr()) == ""


def test_a_base_that_is_no_ref_raises_as_everything_does(project: Project, remote: Remote) -> None:
    two(project, remote)
    with load(project.root) as loaded, pytest.raises(ReconcilerError, match="'main' is not a commit, git:REF"):
        plan(loaded, base="main")


def test_values_are_frozen(project: Project, remote: Remote) -> None:
    two(project, remote)
    loaded = load(str(project.root))
    for value in (loaded, plan(loaded)):
        with pytest.raises(dataclasses.FrozenInstanceError):
            value.target = "other"  # type: ignore[misc]


def test_only_what_is_named_is_planned(project: Project, remote: Remote) -> None:
    two(project, remote)
    planned = plan(load(project.root), ["assistant/b"])
    assert [str(change.address) for change in planned.changes] == ["assistant/b"]


def test_a_plan_that_does_not_fit_any_more_sends_nothing(project: Project, remote: Remote) -> None:
    two(project, remote)
    loaded = load(project.root)
    planned = plan(loaded)
    project.write("assistants.d/b.yaml", "name: b\nmodel: gpt-4o-mini\n")
    with pytest.raises(StalePlan, match="the files have changed"):
        apply(loaded, planned)
    assert remote.writes == []


def test_what_goes_wrong_is_one_tree_with_places(project: Project, remote: Remote) -> None:
    two(project, remote)
    project.write("assistants.d/c.yaml", "temprature: 1\n")
    with pytest.raises(ConfigError) as refused:
        load(project.root)
    assert [(each.code, str(each.source)) for each in refused.value.diagnostics] == [
        ("RC0201", "assistants.d/c.yaml:1:1"),
        ("RC0203", "assistants.d/c.yaml:1:1"),
    ]
    project.remove("assistants.d/c.yaml")
    project.target("http://127.0.0.1:1")
    with pytest.raises(RemoteError) as unreachable:
        plan(load(project.root))
    assert "127.0.0.1" in str(unreachable.value)
    assert issubclass(ConfigError, ReconcilerError)
    assert issubclass(StalePlan, ReconcilerError)
    assert isinstance(unreachable.value, ReconcilerError)


def test_credentials_come_from_the_environment_that_is_given(project: Project, start: object) -> None:
    project.target("http://127.0.0.1:1", more="    credentials: {api_key: !env THE_KEY}\n")
    project.write("assistants.d/a.yaml", "model: gpt-4o\n")
    with pytest.raises(ConfigError, match="THE_KEY is not set"):
        plan(load(project.root, environment={"RECONCILER_ALLOWED_ENV": "THE_KEY"}))


def test_it_works_in_any_thread(project: Project, remote: Remote) -> None:
    two(project, remote)
    found: list[Outcome] = []

    def work() -> None:
        loaded = load(project.root)
        found.extend(apply(loaded, plan(loaded)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [outcome.result for outcome in found] == [Result.DONE, Result.DONE]


def test_importing_it_loads_nothing() -> None:
    code = "import sys, reconciler; print(*{name.partition('.')[0] for name in sys.modules})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(ran.stdout.split()) & {*HEAVY, "click"} == set()


def test_every_name_is_there_and_no_other() -> None:
    for name in reconciler.__all__:
        assert getattr(reconciler, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'appply'"):
        reconciler.appply  # type: ignore[attr-defined] # noqa: B018


def test_the_example(project: Project, remote: Remote) -> None:
    two(project, remote)

    def run() -> tuple[int, str]:
        command = [sys.executable, str(EXAMPLE), str(project.root)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env=project.environment)
        return ran.returncode, ran.stdout + ran.stderr

    assert run() == (2, "needs a person: create assistant/a\nneeds a person: create assistant/b\n")
    project.ok("apply", "--yes")
    assert run() == (0, "")
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\ninstructions: Be brief.\n")
    assert run() == (0, "done: update assistant/a\n")
    assert remote.named("a")["instructions"] == "Be brief."
    project.write("assistants.d/a.yaml", "name: a\nmodle: gpt-4o\n")
    code, told = run()
    assert code == 1
    assert "assistants.d/a.yaml:2:1: unknown field modle [RC0201]" in told
