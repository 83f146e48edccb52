"""What the workflow files themselves promise: pins, permissions, no text of others in a script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gitops.runner import ROOT, WORKFLOWS, read

FILES = sorted(WORKFLOWS.glob("*.yml"))


def steps() -> Iterator[dict[str, Any]]:
    yield from read(ROOT / "action.yml")["runs"]["steps"]
    for file in FILES:
        for job in read(file)["jobs"].values():
            yield from job["steps"]


def test_every_action_of_others_is_pinned_to_a_commit_with_its_version() -> None:
    lines = [
        line for file in (*FILES, ROOT / "action.yml") for line in file.read_text().splitlines() if "uses:" in line
    ]
    used = [line.split("uses:")[1].strip() for line in lines if not line.strip().startswith("#")]
    assert len(used) > 10
    assert [
        each for each in used if each != "./" and not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+", each)
    ] == []


def test_nothing_is_interpolated_into_a_script() -> None:
    scripts = [step["run"] for step in steps() if "run" in step]
    assert len(scripts) > 4
    assert [each for each in scripts if "${{" in each] == []


def test_no_checkout_leaves_its_credential_behind() -> None:
    checkouts = [step for step in steps() if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) > 4
    assert [each for each in checkouts if each["with"].get("persist-credentials") is not False] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_workflow_has_no_right_but_those_that_a_job_names(file: Any) -> None:
    workflow = read(file)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert set(job["permissions"].values()) <= {"read", "write"}
        checks_out = any(step.get("uses", "").startswith("actions/checkout@") for step in job["steps"])
        assert job["permissions"].get("contents") == "read" or not checks_out


def test_applies_wait_for_each_other_and_none_is_dropped() -> None:
    concurrency = read(WORKFLOWS / "gitops.yml")["jobs"]["apply"]["concurrency"]
    assert concurrency == {"group": "reconciler-apply", "cancel-in-progress": False, "queue": "max"}
