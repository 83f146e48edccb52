"""What real shells offer on Tab, and that nothing broken ever prints into a half-typed line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from reconciler.cli.main import root
from reconciler.cli.options.completers import complete_addresses, complete_fields, complete_targets
from tests.conftest import Project

SETTINGS = "targets:\n  staging: {provider: local}\n  stage-two: {provider: local}\n"


def ran(project: Project, command: list[str], **more: str) -> list[str]:
    """What a shell's script prints, with `reconciler` on its path, and nothing on stderr."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{project.environment['PATH']}"
    environment = {**project.environment, **more, "PATH": path}
    done = subprocess.run(command, cwd=project.root, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return sorted(filter(None, done.stdout.splitlines()))


def bash(project: Project, words: str) -> list[str]:
    script = f"""
        eval "$(reconciler completion bash)"
        COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _reconciler_completion reconciler
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return ran(project, ["bash", "--norc", "-c", script])


def zsh(project: Project, words: str) -> list[str]:
    script = f"""
        compdef() {{ }}
        compadd() {{ shift $(( ${{@[(i)-a]}} )); print -l ${{(P)1}} }}
        _describe() {{ print -l ${{${{(P)3}}%%:*}} }}
        eval "$(reconciler completion zsh)"
        words=({words}); CURRENT=$#words
        _reconciler_completion
    """
    return ran(project, ["zsh", "-f", "-c", script])


def fish(project: Project, words: str) -> list[str]:
    line = words.replace('""', "")
    script = f"reconciler completion fish | source; complete -C '{line}'"
    return [word.split("\t")[0] for word in ran(project, ["fish", "--no-config", "-c", script])]


SHELLS = [
    pytest.param(each, id=each.__name__, marks=pytest.mark.skipif(not shutil.which(each.__name__), reason="not here"))
    for each in (bash, zsh, fish)
]
Shell = Callable[[Project, str], list[str]]


@pytest.mark.parametrize("shell", SHELLS)
def test_verbs(project: Project, shell: Shell) -> None:
    assert shell(project, "reconciler ex") == ["explain"]
    assert {"plan", "apply", "doctor"} <= set(shell(project, 'reconciler ""'))


@pytest.mark.parametrize("incomplete", ["", "p", "fle", "x", "-", "--ver"])
def test_of_verbs_is_offered_what_click_would_offer_after_importing_them(incomplete: str) -> None:
    context = click.Context(root, info_name="reconciler")
    ours, clicks = root.shell_complete(context, incomplete), click.Group.shell_complete(root, context, incomplete)
    assert [(each.value, each.type, each.help) for each in ours] == [
        (each.value, each.type, each.help) for each in clicks
    ]


@pytest.mark.parametrize("shell", SHELLS)
def test_kinds_and_fields(project: Project, shell: Shell) -> None:
    assert "assistant" in shell(project, "reconciler explain assi")
    assert shell(project, "reconciler explain assistant.te") == ["assistant.temperature"]
    assert shell(project, "reconciler explain assistant.tools.f") == [
        "assistant.tools.file_search",
        "assistant.tools.function",
    ]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_broken_project_is_silence(project: Project, shell: Shell) -> None:
    project.write("assistants.d/reconciler.yaml", "targets: [\n")
    assert shell(project, "reconciler explain assi") == []


@pytest.mark.parametrize("shell", SHELLS)
def test_targets(project: Project, shell: Shell) -> None:
    project.write("assistants.d/reconciler.yaml", SETTINGS)
    assert shell(project, "reconciler --target stag") == ["stage-two", "staging"]
    assert shell(project, "reconciler plan --target stagi") == ["staging"]


@pytest.mark.parametrize("verb", ["plan", "apply", "drift", "adopt", "release"])
@pytest.mark.parametrize("shell", SHELLS)
def test_addresses(project: Project, shell: Shell, verb: str) -> None:
    project.write("assistants.d/support/a.yaml", "model: b\n")
    project.write("assistants.d/hr.yaml", "model: b\n")
    assert shell(project, f"reconciler {verb} assistant/s") == ["assistant/support/a"]


def offered(project: Project, offer: Callable[..., list[str]], incomplete: str, *options: str) -> list[str]:
    with root.make_context("reconciler", ["-C", str(project.root), *options], resilient_parsing=True) as context:
        return offer(context, click.Argument(["x"]), incomplete)


def test_targets_are_those_of_the_settings(project: Project) -> None:
    project.write("assistants.d/reconciler.yaml", SETTINGS)
    assert offered(project, complete_targets, "") == ["local", "stage-two", "staging"]
    assert offered(project, complete_targets, "stagi") == ["staging"]


def test_addresses_are_those_of_the_files_or_what_these_say_themselves(project: Project) -> None:
    project.write("assistants.d/x/a.yaml", "model: b\n")
    project.write("assistants.d/x/b.md", "---\nmodel: b\n---\nThe reconciler: none.\n")
    project.write("assistants.d/prompts/text.md", "Only text.\n")
    project.write("assistants.d/c.yaml", "reconciler: {key: x/c}\nmodel: b\n---\nreconciler: {key: d, kind: other}\n")
    assert offered(project, complete_addresses, "") == ["assistant/x/a", "assistant/x/b", "assistant/x/c", "other/d"]
    assert offered(project, complete_addresses, "assistant/x/b") == ["assistant/x/b"]
    project.write("elsewhere/e.yaml", "model: b\n")
    assert offered(project, complete_addresses, "", "--dir", "elsewhere") == ["assistant/e"]


def test_a_file_that_cannot_be_read_does_not_hide_the_others(project: Project) -> None:
    project.write("assistants.d/a.yaml", "model: b\n")
    project.write("assistants.d/broken.yaml", "reconciler: {key: [\n")
    (project.root / "assistants.d/latin.md").write_bytes(b"\xe9")
    assert offered(project, complete_addresses, "") == ["assistant/a"]


@pytest.mark.parametrize("offer", [complete_addresses, complete_fields, complete_targets])
def test_nothing_is_offered_and_nothing_raised_where_nothing_can_be_read(
    project: Project, offer: Callable[..., list[str]]
) -> None:
    project.write("assistants.d/reconciler.yaml", "owner: [\n")
    assert offered(project, offer, "assistant.x") == []
    assert offered(project, offer, "assistant/x", "-C", "/nowhere/at/all") == []
