"""The package is `assistants-as-code`, the command is `reconciler`: the package of that name is somebody else's."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from reconciler.config.errors import install_hint
from tests.unit.test_dependencies import project

ROOT = Path(__file__).resolve().parents[2]
NAME = project()["name"]
EXTRAS = project()["optional-dependencies"]
OLD = re.compile(
    r"""
      \breconciler \s* (?: \[ (?:EXTRAS) [\],] | (?:==|~=|>=|<=|!=|===) \s* \d )
    | \b(?:pip[\d.]*|pipx|uv|poetry|pdm|rye|conda) \s+ (?:(?:tool|pip) \s+)?
        (?:install|add|run(?<!uv\ run)|inject|download|wheel|upgrade|uninstall) \s+ OPTIONS reconciler \b (?![./:@-])
    | \buvx \s+ OPTIONS reconciler \b
    | --(?:from|spec|with) [=\s] ['"]? reconciler \b (?![./:@-])
    | \b(?:version|metadata|distribution|requires|files) \( ['"] reconciler ['"]
    | pypi (?:\.org)? / [\w/-]* reconciler \b
    """.replace("EXTRAS", "|".join((*EXTRAS, "fast"))).replace("OPTIONS", r"""(?: -\S+ \s+ )* ['"]?"""),
    re.VERBOSE,
)


BARE = re.compile(r"reconciler(?![.\w-]|/\w)")


def old_forms(text: str) -> list[str]:
    """Where a text installs the wrong package. Looked for around the bare name alone: modules are named often."""
    around = (text[max(found.start() - 80, 0) : found.end() + 20] for found in BARE.finditer(text))
    return [found[0] for each in around if (found := OLD.search(each))]


def files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize(
    ("line", "old"),
    [
        ("pip install {}", True),
        ("pip install --upgrade '{}[fleet]'", True),
        ("pip3 install {}==0.1.0", True),
        ("the image has {}[fleet,lock]", True),
        ("uvx {} plan", True),
        ("uvx --from {} plan", True),
        ("uv tool install {}", True),
        ("uv add {}", True),
        ("pipx run {} plan", True),
        ("pipx install {}", True),
        ('version("{}")', True),
        ("https://pypi.org/project/{}/", True),
        ("python -m build; {} --version", False),
        ("uv run {} plan", False),
        ("pip install assistants-as-code && {} plan", False),
        ("uvx --from assistants-as-code {} plan", False),
        ("pipx run --spec assistants-as-code {} plan", False),
        ("pip install git+https://git.example/OWNER/{}@COMMIT", False),
        ("reports[{}]", False),
    ],
)
def test_the_old_form_is_recognised(line: str, old: bool) -> None:
    assert bool(old_forms(line.format("reconciler"))) is old


def test_nothing_in_the_repository_installs_the_package_of_somebody_else() -> None:
    found = [f"{file.relative_to(ROOT)}: {form}" for file in files() for form in old_forms(text(file))]
    assert found == []


def test_every_extra_that_is_named_exists() -> None:
    named = {
        (str(file.relative_to(ROOT)), extra)
        for file in files()
        for extras in re.findall(rf"{NAME}\[([\w,-]+)\]", text(file))
        for extra in extras.split(",")
    }
    assert {(file, extra) for file, extra in named if extra not in EXTRAS} == set()
    assert named


def test_hints_name_this_package() -> None:
    assert install_hint("fleet") == f"pip install '{NAME}[fleet]'"
