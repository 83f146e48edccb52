"""Applies each mutant to a copy of the core and its tests, and fails where one survives.

The copy holds the core, its tests and the schemas, and nothing else of the project.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import agreed
import capabilities
import checked
import linked
import neighbours
import one_base
import one_plan
import one_unit
import other_plans
import paired
import refused
import replaced
import sharded
from mutant import Mutant

MUTANTS = [
    mutant
    for module in (
        *(one_unit, one_base, one_plan, other_plans, linked, neighbours, replaced, agreed, sharded, capabilities),
        *(paired, refused, checked),
    )
    for mutant in module.MUTANTS
]
LONGEST = 900
"""Seconds after which a mutant that runs in circles counts as noticed."""
ROOT = Path(__file__).parents[2]
COPIED = (
    *("reconciler/__init__.py", "reconciler/diagnostics.py", "reconciler/core", "reconciler/formats"),
    *("reconciler/commands/__init__.py", "reconciler/commands/against.py", "reconciler/commands/shards.py"),
    *("reconciler/drivers/__init__.py", "reconciler/drivers/retry.py", "reconciler/drivers/filename_marks.py"),
    *("schemas", "tests/__init__.py", "tests/strategies.py", "tests/unit/__init__.py"),
    *("reconciler/commands/rollback.py", "reconciler/engine/__init__.py", "reconciler/engine/compact.py"),
    *("tests/unit/core", "tests/unit/commands", "tests/unit/formats"),
    *("tests/unit/engine/__init__.py", "tests/unit/engine/test_compact.py"),
    *(
        "tests/unit/drivers/__init__.py",
        "tests/unit/drivers/test_retry.py",
        "tests/unit/drivers/test_filename_marks.py",
    ),
)
TESTS = "tests/unit"
UNSHRUNK = """
from hypothesis import Phase, settings

settings.register_profile("mutants", deadline=None, phases=[Phase.explicit, Phase.generate])
settings.load_profile("mutants")
"""
"""One example that fails is enough here, however large."""


def copy_tree(into: Path) -> None:
    """The part of the project that the core's tests need."""
    for name in COPIED:
        source, target = ROOT / name, into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    (into / "pytest.ini").write_text("[pytest]\npythonpath = .\n", encoding="utf-8")
    (into / "conftest.py").write_text(UNSHRUNK, encoding="utf-8")


def failing(tree: Path, names: list[str]) -> bool:
    """Whether the named tests fail there. Raises RuntimeError where they cannot even be run."""
    files = [f"{TESTS}/{folder}/test_{name}.py" for folder, _, name in (each.rpartition("/") for each in names)]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *files]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tree)}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # start-up is most of the time
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return True
    if done.returncode not in (0, 1):
        raise RuntimeError(f"pytest ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 1


def misplaced(mutant: Mutant) -> str | None:
    """Why a mutant is about nothing: its text has to be in its file exactly once."""
    count = (ROOT / "reconciler" / f"{mutant.file}.py").read_text(encoding="utf-8").count(mutant.text)
    return None if count == 1 else f"its text is there {count} times"


def verdict(mutant: Mutant) -> str:
    """`killed`, or what is wrong."""
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory)
        copy_tree(tree)
        path = tree / "reconciler" / f"{mutant.file}.py"
        source = path.read_text(encoding="utf-8")
        path.write_text(source.replace(mutant.text, mutant.replacement), encoding="utf-8")
        try:
            return "killed" if failing(tree, mutant.tests.split()) else "SURVIVED"
        except RuntimeError as error:
            return f"cannot be run: {error}"


def main() -> int:
    """Print a table; 1 where a mutant survives or does not apply. Those that do not apply are told before any test."""
    if stale := [f"{mutant.file}  {mutant.breaks}: {fault}" for mutant in MUTANTS if (fault := misplaced(mutant))]:
        print(*stale, sep="\n")
        return 1
    with tempfile.TemporaryDirectory() as directory:
        copy_tree(Path(directory))
        if failing(Path(directory), sorted({name for mutant in MUTANTS for name in mutant.tests.split()})):
            print("the tests fail without any mutant")
            return 1
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(verdict, MUTANTS))
    for mutant, found in zip(MUTANTS, verdicts, strict=True):
        print(f"{mutant.file:12}  {mutant.breaks:52}  {found}")
    killed = verdicts.count("killed")
    print(f"{len(MUTANTS)} mutants, {killed} killed")
    return 0 if killed == len(MUTANTS) else 1


if __name__ == "__main__":
    sys.exit(main())
