"""Applies each mutant to a copy of the core and its tests, and fails where one survives.

The copy holds the core, its tests and the schemas, and nothing else of the project.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import NoReturn

import agreed
import capabilities
import checked
import deepdiff  # noqa: F401 - warm for the forks
import hypothesis  # noqa: F401
import jsonschema  # noqa: F401
import linked
import neighbours
import one_base
import one_plan
import one_unit
import other_plans
import paired
import pytest
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
    *("reconciler/operations/__init__.py", "reconciler/operations/planning/__init__.py"),
    *("reconciler/operations/planning/compare_files.py", "reconciler/operations/planning/shards.py"),
    *("reconciler/operations/applying/__init__.py", "reconciler/operations/applying/rollback.py"),
    *("reconciler/drivers/__init__.py", "reconciler/drivers/filename_marks.py"),
    *("reconciler/drivers/transport/__init__.py", "reconciler/drivers/transport/retry.py"),
    *("reconciler/engine/__init__.py", "reconciler/engine/compact.py"),
    *("schemas", "tests/__init__.py", "tests/strategies.py", "tests/unit/__init__.py"),
    *("tests/unit/core", "tests/unit/operations", "tests/unit/formats"),
    *("tests/unit/engine/__init__.py", "tests/unit/engine/test_compact.py"),
    *("tests/unit/drivers/__init__.py", "tests/unit/drivers/test_retry.py"),
    "tests/unit/drivers/test_filename_marks.py",
)
TESTS = "tests/unit"
CONFTEST = """
from hypothesis import Phase, is_hypothesis_test, settings

settings.register_profile("mutants", deadline=None, phases=[Phase.explicit, Phase.generate])
settings.load_profile("mutants")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: is_hypothesis_test(item.obj))
"""
"""One example that fails is enough here, however large. Tests with one example come before those with many."""


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
    (into / "conftest.py").write_text(CONFTEST, encoding="utf-8")


def failing(tree: Path, names: list[str], *, keep_bytecode: bool = False) -> bool:
    """Whether the named tests fail there. Raises RuntimeError where they cannot even be run.

    They run in a fork of this process, which has imported what they need: a new interpreter would spend most of its
    time on imports.
    """
    files = [f"{TESTS}/{folder}/test_{name}.py" for folder, _, name in (each.rpartition("/") for each in names)]
    with tempfile.TemporaryFile() as printed:
        if not (child := os.fork()):
            _run_tests(tree, files, printed.fileno(), keep_bytecode)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
            return True
        if (code := os.waitstatus_to_exitcode(status)) not in (0, 1):
            printed.seek(0)
            raise RuntimeError(f"pytest ended with {code}:\n{printed.read()[-4000:].decode(errors='replace')}")
        return code == 1


def _run_tests(tree: Path, files: list[str], output: int, keep_bytecode: bool) -> NoReturn:
    """In the fork: pytest in that tree, as a new interpreter would run it there."""
    code: int = 70
    try:
        signal.alarm(LONGEST)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(tree)
        sys.path[:] = [str(tree), *(each for each in sys.path if not Path(each).is_relative_to(ROOT / "tests"))]
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        sys.dont_write_bytecode = not keep_bytecode
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *files])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def misplaced(mutant: Mutant) -> str | None:
    """Why a mutant is about nothing: its text has to be in its file exactly once."""
    count = (ROOT / "reconciler" / f"{mutant.file}.py").read_text(encoding="utf-8").count(mutant.text)
    return None if count == 1 else f"its text is there {count} times"


def verdict(tree: Path, mutant: Mutant) -> str:
    """`killed`, or what is wrong. The tree is as it was afterwards."""
    path = tree / "reconciler" / f"{mutant.file}.py"
    source, was = path.read_text(encoding="utf-8"), path.stat().st_mtime
    path.write_text(source.replace(mutant.text, mutant.replacement), encoding="utf-8")
    os.utime(path, (was + 10, was + 10))  # bytecode of the right version is not taken for that of the mutant
    try:
        return "killed" if failing(tree, mutant.tests.split()) else "SURVIVED"
    except RuntimeError as error:
        return f"cannot be run: {error}"
    finally:
        path.write_text(source, encoding="utf-8")
        os.utime(path, (was, was))


def verdicts(mutants: list[Mutant]) -> Iterator[str]:
    """One for each. Each core has a tree of its own, warm from a first run. Raises RuntimeError where that fails."""
    with tempfile.TemporaryDirectory() as directory:
        trees = [Path(directory) / str(number) for number in range(os.cpu_count() or 1)]
        copy_tree(trees[0])
        context = multiprocessing.get_context("fork")
        names = sorted({name for mutant in mutants for name in mutant.tests.split()})
        with ProcessPoolExecutor(len(trees), context) as pool:
            if any(pool.map(_fails_unchanged, repeat(trees[0]), names)):
                raise RuntimeError("the tests fail without any mutant")
        for tree in trees[1:]:
            shutil.copytree(trees[0], tree)
        free = context.Queue()
        for tree in trees:
            free.put(tree)
        with ProcessPoolExecutor(len(trees), context, _take_tree, (free,)) as pool:
            yield from pool.map(_verdict, mutants)


_tree: list[Path] = []
"""The tree of this process."""


def _fails_unchanged(tree: Path, name: str) -> bool:
    return failing(tree, [name], keep_bytecode=True)


def _take_tree(free: multiprocessing.Queue[Path]) -> None:
    _tree.append(free.get())


def _verdict(mutant: Mutant) -> str:
    return verdict(_tree[0], mutant)


def main() -> int:
    """Print a table; 1 where a mutant survives or does not apply. Those that do not apply are told before any test."""
    if stale := [f"{mutant.file}  {mutant.breaks}: {fault}" for mutant in MUTANTS if (fault := misplaced(mutant))]:
        print(*stale, sep="\n")
        return 1
    killed = 0
    for mutant, found in zip(MUTANTS, verdicts(MUTANTS), strict=True):
        print(f"{mutant.file:12}  {mutant.breaks:52}  {found}", flush=True)
        killed += found == "killed"
    print(f"{len(MUTANTS)} mutants, {killed} killed")
    return 0 if killed == len(MUTANTS) else 1


if __name__ == "__main__":
    sys.exit(main())
