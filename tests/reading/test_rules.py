"""Each rule of parallel_read, taken away: the simulator has to notice."""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest

from reconciler.drivers.paging import parallel_read, traversal
from reconciler.drivers.paging.parallel_read import ParallelRead
from tests.reading.play import play

MANY = 20_000
RULES = {
    "two walks have met only when their frontiers have strictly crossed": (
        parallel_read,
        "low < high",
        "low <= high",
    ),
    "an object that both ends have seen proves nothing": (
        parallel_read,
        "low < high",
        "{e.id for e in walk.boundaries} & self._newest._passed",
    ),
    "the walk from the newest has to go back in time before anything can cross it": (
        parallel_read,
        "walk.live and self._newest.moves and",
        "walk.live and",
    ),
    "an empty page after a cursor is not the end": (
        traversal,
        "return cursor is None and not page.more",
        "return not page.more",
    ),
    "an unknown cursor is stepped over": (
        traversal,
        "            self._step_back()\n",
        "            self.exhausted = True\n",
    ),
    "a walk ends only at what a later one has seen, not at what was remembered": (
        parallel_read,
        "walk.frontier > later.first",
        "walk.frontier > (later.start.created if later.start else later.first)",
    ),
    "a walk ends only at a later one that is alive": (
        parallel_read,
        "    if not walk.live or not later.live:\n        return False\n",
        "    if later.start is not None and later.start.id not in walk.met:\n"
        "        return walk.live and walk.frontier > later.start.created\n",
    ),
    "reading towards the newest is bounded": (
        parallel_read,
        "if walk.exhausted or self._crossed(walk):",
        "if walk.exhausted:",
    ),
    "doubles are dropped": (parallel_read, "if entry.id not in self._seen]", "if entry.id]"),
    "creation times go one way, or the read is serial": (
        parallel_read,
        "return known == sorted(known, reverse=order is Order.NEWEST_FIRST)",
        "return True",
    ),
    "who began with the oldest has seen nothing younger than anybody else": (
        parallel_read,
        "return oldest.broken or (oldest.first is not None and low is not None and low < oldest.first)",
        "return oldest.broken",
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_without_it_the_simulator_finds_a_failure(rule: str) -> None:
    module, text, replacement = RULES[rule]
    assert play(range(MANY), without(module, text, replacement), until_first=True).failures


def test_with_all_of_them_it_finds_none() -> None:
    assert not play(range(500), without(traversal, "return cursor is None", "return cursor is None")).failures
    assert not play(range(500), without(parallel_read, "return oldest.broken", "return oldest.broken")).failures


def without(module: ModuleType, text: str, replacement: str) -> type[ParallelRead]:
    """`ParallelRead` with a piece of its source, or of that of `Walk`, replaced."""
    source = inspect.getsource(module)
    assert source.count(text) == 1, f"{text!r} is to be found once in {module.__name__}"
    changed = ModuleType(module.__name__)
    exec(compile(source.replace(text, replacement), module.__name__, "exec"), changed.__dict__)
    if module is parallel_read:
        return changed.ParallelRead  # type: ignore[no-any-return]
    user = ModuleType(parallel_read.__name__)
    exec(compile(inspect.getsource(parallel_read), parallel_read.__name__, "exec"), user.__dict__)
    user.__dict__["Traversal"] = changed.Traversal
    return user.ParallelRead  # type: ignore[no-any-return]
