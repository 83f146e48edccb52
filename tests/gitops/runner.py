"""A GitHub runner as far as our workflows need one: runs the `run:` scripts of the very files.

Expressions are evaluated, outputs and job summaries are files, `::stop-commands::` is obeyed. Not run: `actions/*` (a
checkout is a clone, an upload goes to the fake), and the action's installation, which needs the network.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from tests.gitops.fakes import GitHub

ROOT: Final = Path(__file__).resolve().parents[2]
WORKFLOWS: Final = ROOT / ".github" / "workflows"
_EXPRESSION: Final = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_TOKENS: Final = re.compile(r"\s*(?:(?P<text>'[^']*')|(?P<operator>==|!=|&&|\|\||[()])|(?P<name>[\w.\[\]-]+))")
_COMMAND: Final = re.compile(r"::([a-z0-9-]+)(?: [^:]*)?::(.*)")


def read(file: Path) -> dict[str, Any]:
    """A workflow or action. YAML 1.1 reads `on:` as true."""
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


@dataclass
class Event:
    """What started a run: its name and payload, the repository's secrets, the inputs of a dispatch."""

    name: str
    payload: Mapping[str, Any]
    ref_name: str = "main"
    secrets: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_fork(self) -> bool:
        pull = self.payload.get("pull_request")
        return bool(pull) and pull["head"]["repo"]["full_name"] != "acme/fleet"


@dataclass
class JobRun:
    """What a job left behind. `obeyed` are the commands that the runner took from the output."""

    code: int = 0
    log: str = ""
    summary: str = ""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    obeyed: list[str] = field(default_factory=list)
    environment: list[Mapping[str, str]] = field(default_factory=list)


class Runner:
    """Runs workflows of the repository `acme/fleet`, whose bare repository is `remote`."""

    def __init__(self, directory: Path, remote: Path, github: GitHub, api: str, token: str) -> None:
        self.directory = directory
        self.remote = remote
        self.github = github
        self.api = api
        self.token = token
        self.python = sys.executable
        self.runs = 0

    def run(self, workflow: str, event: Event) -> dict[str, JobRun]:
        """Every job whose condition holds."""
        jobs = read(WORKFLOWS / workflow)["jobs"]
        return {name: self._job(job, event) for name, job in jobs.items() if self._wanted(job, self._contexts(event))}

    def _wanted(self, job: Mapping[str, Any], contexts: Mapping[str, Any]) -> bool:
        return bool(evaluate(job.get("if", "always()"), contexts))

    def _contexts(self, event: Event) -> dict[str, Any]:
        github = {
            "event_name": event.name,
            "event": {**event.payload, "repository": {"default_branch": "main"}},
            "ref_name": event.ref_name,
            "repository": "acme/fleet",
            "token": self.token,
        }
        secrets = {} if event.is_fork else dict(event.secrets)  # as GitHub does
        return {"github": github, "secrets": secrets, "vars": {}, "inputs": dict(event.inputs), "steps": {}}

    def _job(self, job: Mapping[str, Any], event: Event) -> JobRun:
        self.runs += 1
        place = self.directory / f"run{self.runs}"
        workspace = place / "workspace"
        (place / "temp").mkdir(parents=True)
        workspace.mkdir()
        (place / "event.json").write_text(json.dumps(event.payload), encoding="utf-8")
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.api,
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_EVENT_NAME": event.name,
            "GITHUB_EVENT_PATH": str(place / "event.json"),
            "GITHUB_REPOSITORY": "acme/fleet",
            "GITHUB_BASE_REF": "main" if event.name == "pull_request" else "",
            "RUNNER_TEMP": str(place / "temp"),
            "GITHUB_STEP_SUMMARY": str(place / "summary"),
        }
        run = JobRun()
        contexts = self._contexts(event)
        for step in job["steps"]:
            self._step(step, run, contexts, environment, workspace, event)
        run.obeyed = obeyed(run.log)
        run.outputs = {id: each["outputs"] for id, each in contexts["steps"].items()}
        if (place / "summary").exists():
            run.summary = (place / "summary").read_text(encoding="utf-8")
        return run

    def _step(
        self,
        step: Mapping[str, Any],
        run: JobRun,
        contexts: dict[str, Any],
        environment: Mapping[str, str],
        workspace: Path,
        event: Event,
    ) -> None:
        condition = str(step.get("if", ""))
        if (run.code and "always()" not in condition) or not evaluate(condition or "always()", contexts):
            return
        values = {name: fill(str(value), contexts) for name, value in step.get("env", {}).items()}
        given = {name: fill(str(value), contexts) for name, value in step.get("with", {}).items()}
        uses = step.get("uses", "")
        outputs: dict[str, str] = {}
        if uses == "./":
            outputs = self._action(given, run, contexts, {**environment, **values}, workspace, event)
        elif uses.startswith("actions/checkout@"):
            self._checkout(workspace, event)
        elif uses.startswith("actions/setup-python@") or step.get("id") == "install":
            outputs = {"python": self.python, "python-path": self.python}
        elif uses.startswith("actions/upload-artifact@"):
            self.github.upload(given["name"], {Path(given["path"]).name: Path(given["path"]).read_bytes()})
        else:
            outputs = self._script(step["run"], run, {**environment, **values}, workspace)
        if "id" in step:
            contexts["steps"][step["id"]] = {"outputs": outputs}

    def _action(
        self,
        given: Mapping[str, str],
        run: JobRun,
        contexts: Mapping[str, Any],
        environment: Mapping[str, str],
        workspace: Path,
        event: Event,
    ) -> dict[str, str]:
        action = read(ROOT / "action.yml")
        defaults = {name: fill(str(spec.get("default", "")), contexts) for name, spec in action["inputs"].items()}
        assert set(given) <= set(defaults)
        inside = {"github": contexts["github"], "inputs": {**defaults, **given}, "steps": {}}
        for step in action["runs"]["steps"]:
            self._step(step, run, inside, environment, workspace, event)
        return {name: fill(spec["value"], inside) for name, spec in action["outputs"].items()}

    def _script(self, script: str, run: JobRun, environment: Mapping[str, str], workspace: Path) -> dict[str, str]:
        run.environment.append(environment)
        output = Path(environment["RUNNER_TEMP"]) / f"output{len(run.environment)}"
        output.touch()
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=workspace,
            env={**environment, "GITHUB_OUTPUT": str(output)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        run.log += ran.stdout
        run.code = run.code or ran.returncode
        return dict(line.split("=", 1) for line in output.read_text(encoding="utf-8").splitlines())

    def _checkout(self, workspace: Path, event: Event) -> None:
        git(workspace, "clone", "--quiet", str(self.remote), ".")
        if event.name == "pull_request":
            branch = event.payload["pull_request"]["head"]["ref"]
            git(workspace, "merge", "--quiet", "--no-ff", "-m", "merge", f"origin/{branch}")


def git(directory: Path, *arguments: str) -> str:
    """Run git as somebody."""
    who = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for role in ("AUTHOR", "COMMITTER"):
        who |= {f"GIT_{role}_NAME": "Somebody", f"GIT_{role}_EMAIL": "somebody@acme.example"}
    command = ["git", "-c", "init.defaultBranch=main", *arguments]
    ran = subprocess.run(command, cwd=directory, env={**os.environ, **who}, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def obeyed(log: str) -> list[str]:
    """The workflow commands that a runner takes from a log: none while they are stopped, until the token comes."""
    found: list[str] = []
    token = None
    for line in log.splitlines():
        command = _COMMAND.match(line.strip())
        if command and token is not None and command[1] == token:
            token = None
        elif command and token is None:
            found.append(command[1])
            token = command[2] if command[1] == "stop-commands" else None
    assert token is None, "commands are still stopped at the end"
    return found


def fill(text: str, contexts: Mapping[str, Any]) -> str:
    """A text with its `${{ … }}` replaced."""

    def value(match: re.Match[str]) -> str:
        found = evaluate(match[1], contexts)
        return str(found).lower() if isinstance(found, bool) else str(found)

    return _EXPRESSION.sub(value, text)


def evaluate(expression: str, contexts: Mapping[str, Any]) -> Any:
    """The value of an expression; what is not there is an empty text."""
    source = []
    names: list[Any] = []
    rest = expression.replace("always()", "'true'").strip()
    while rest:
        match = _TOKENS.match(rest)
        assert match, f"not understood: {rest}"
        rest = rest[match.end() :].strip()
        if operator := match["operator"]:
            source.append({"&&": "and", "||": "or"}.get(operator, operator))
        else:
            source.append(f"names[{len(names)}]")
            names.append(match["text"][1:-1] if match["text"] else _look_up(match["name"], contexts))
    return eval(" ".join(source), {"names": names})


def _look_up(name: str, contexts: Mapping[str, Any]) -> Any:
    if name in ("true", "false"):
        return name == "true"
    here: Any = contexts
    for part in name.split("."):
        here = here.get(part) if isinstance(here, Mapping) else None
    return "" if here is None else here
