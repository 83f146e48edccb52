"""What may be installed with this: nothing with a published hole. The lock files are what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
EXTRAS = {"run": [], "dev": ["dev"], "release": ["release"]}
"""The extras that each lock file was made with."""
HOLES = {
    "azure-core": ("1.38.0", "CVE-2026-21226"),
    "azure-identity": ("1.16.1", "CVE-2024-35255"),
    "certifi": ("2024.7.4", "CVE-2024-39689"),
    "click": ("8.3.3", "CVE-2026-7246"),
    "cryptography": ("50.0.0", "CVE-2026-69247, CVE-2026-69249, GHSA-537c-gmf6-5ccf"),
    "deepdiff": ("8.6.2", "CVE-2025-58367, CVE-2026-33155"),
    "h11": ("0.16.0", "CVE-2025-43859"),
    "httpx": ("0.23.0", "CVE-2021-41945"),
    "idna": ("3.15", "CVE-2024-3651, CVE-2026-45409"),
    "jinja2": ("3.1.6", "CVE-2024-56201, CVE-2024-56326, CVE-2025-27516"),
    "protobuf": ("6.33.5", "CVE-2026-0994"),
    "pyjwt": ("2.13.0", "CVE-2026-32597, CVE-2026-48526"),
    "pyyaml": ("5.4", "CVE-2020-14343"),
    "requests": ("2.33.0", "CVE-2024-47081, CVE-2026-25645"),
    "urllib3": ("2.8.0", "PYSEC-2026-4175, PYSEC-2026-4176, PYSEC-2026-4177"),
    "werkzeug": ("3.1.9", "CVE-2025-66221, CVE-2026-21860, CVE-2026-27199, CVE-2026-102598"),
}
"""The version that closed the last hole published of a package, of those that are installed for a user."""


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def asked_for(*extras: str) -> list[Requirement]:
    found = project()
    return [Requirement(each) for part in (found["dependencies"], *(found["optional-dependencies"][e] for e in extras))
            for each in part]  # fmt: skip


def locked(file: Path) -> dict[str, Version]:
    pins = re.findall(r"^([a-z0-9._-]+)==(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: Version(version) for name, version in pins}


def test_no_lower_bound_admits_a_version_with_a_published_hole() -> None:
    bounded = {each.name: each for each in asked_for("azure", "fleet", "traces", "lock", "fast", "policies")}
    assert set(HOLES) <= set(bounded)
    for name, (closed, holes) in HOLES.items():
        lower = [Version(each.version) for each in bounded[name].specifier if each.operator == ">="]
        assert lower, f"{name} has no lower bound"
        assert max(lower) >= Version(closed), f"{name} before {closed}: {holes}"


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.stem)
def test_no_lock_file_has_a_version_with_a_published_hole(file: Path) -> None:
    for name, version in locked(file).items():
        closed, holes = HOLES.get(name, ("0", ""))
        assert version >= Version(closed), f"{name} {version}: {holes}"


@pytest.mark.parametrize("lock", EXTRAS)
def test_a_lock_file_has_what_pyproject_asks_for(lock: str) -> None:
    pins = locked(ROOT / "requirements" / f"{lock}.txt")
    for each in asked_for(*EXTRAS[lock]):
        assert each.name.lower() in pins, each
        assert each.specifier.contains(pins[each.name.lower()], prereleases=True), each


def test_dependabot_knows_every_lock_file() -> None:
    config = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))
    known = {(each["package-ecosystem"], each["directory"]) for each in config["updates"]}
    wanted = {("github-actions", "/"), ("pip", "/"), ("docker", "/deploy")}
    wanted |= {("pip", "/" + str(file.parent.relative_to(ROOT))) for file in LOCKS}
    theirs = {".venv", ".git", "node_modules"}
    locks = [file for file in ROOT.glob("*/**/package-lock.json") if not theirs.intersection(file.parts)]
    wanted |= {("npm", "/" + str(file.parent.relative_to(ROOT))) for file in locks}
    assert wanted <= known
    assert ("npm", "/tests/gateway") in known


IMAGE = re.compile(r"^\s*(?:-\s+)?image:\s*[\"']?([^\s\"'#]+)|^FROM\s+(\S+)", re.MULTILINE)


def test_no_image_is_named_by_a_tag() -> None:
    files = [*(ROOT / "deploy").iterdir(), *(ROOT / ".github" / "workflows").iterdir(), ROOT / "action.yml"]
    files += [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("**/Dockerfile*")]
    images = [(file.name, a or b) for file in files for a, b in IMAGE.findall(file.read_text(encoding="utf-8"))]
    assert {"kubernetes.yaml"} <= {name for name, _ in images}
    for name, image in images:
        assert "@sha256:" in image, f"{name}: {image}"


@pytest.mark.parametrize(
    ("image", "taken"),
    [
        ("python@sha256:" + "0f" * 32, True),
        ("registry.example:5000/team/python:3.11@sha256:" + "ab" * 32, True),
        ("python:3.11", False),
        ("python:3.11@sha256:abc", False),
        ("python:3.11@sha256:" + "0F" * 32, False),
        ("python:latest", False),
        ("", False),
    ],
)
def test_the_gitlab_component_takes_an_image_by_its_digest_only(image: str, taken: bool) -> None:
    template = (ROOT / "templates" / "reconciler" / "template.yml").read_text(encoding="utf-8")
    spec = next(yaml.safe_load_all(template.replace("$[[", "[[")))["spec"]["inputs"]["image"]
    assert "default" not in spec
    assert bool(re.search(spec["regex"], image)) is taken
