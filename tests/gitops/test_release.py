"""How a release and the audit are made: pinned actions, locked tools, no stored token, no more rights than used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = {path.name: yaml.safe_load(path.read_text()) for path in (ROOT / ".github" / "workflows").iterdir()}
RELEASE = WORKFLOWS["release.yml"]["jobs"]


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in WORKFLOWS[name]["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_action_is_pinned_to_a_commit_and_nothing_is_allowed_that_no_job_asks_for(name: str) -> None:
    used = [step["uses"] for step in steps(name) if "uses" in step and step["uses"] != "./"]
    assert [each for each in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", each)] == []
    assert WORKFLOWS[name]["permissions"] == {}


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_whatever_is_installed_there_is_locked_with_hashes(name: str) -> None:
    installs = [line for step in steps(name) for line in step.get("run", "").splitlines() if " install " in line]
    assert installs
    assert all("--require-hashes -r requirements/" in line for line in installs)
    for lock in set(re.findall(r"-r (requirements/\S+)", "\n".join(installs))):
        pins = re.findall(r"^[a-z0-9.-]+==\S+ \\\n    --hash=sha256:", (ROOT / lock).read_text(), re.MULTILINE)
        assert len(pins) > 10


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_an_audit_that_could_not_look_something_up_fails(name: str) -> None:
    [audit] = [step["run"] for step in steps(name) if "pip-audit" in step.get("run", "")]
    assert "--strict" in audit
    assert "-r requirements/run.txt" in audit


def test_a_release_is_published_with_its_provenance_and_a_bill_of_materials_and_without_a_token() -> None:
    assert "secrets." not in (ROOT / ".github" / "workflows" / "release.yml").read_text()
    [publish] = [step for step in RELEASE["publish"]["steps"] if "pypi-publish" in step["uses"]]
    assert publish["with"] == {"attestations": True}
    assert RELEASE["publish"]["permissions"] == {"id-token": "write"}
    assert any("attest-build-provenance" in step.get("uses", "") for step in RELEASE["announce"]["steps"])
    [bill] = [step["run"] for step in RELEASE["build"]["steps"] if "cyclonedx-py" in step.get("run", "")]
    assert "requirements/run.txt" in bill


def test_what_can_publish_runs_nothing_of_the_repository() -> None:
    for job in ("publish", "announce"):
        assert not any("checkout" in step.get("uses", "") for step in RELEASE[job]["steps"])
