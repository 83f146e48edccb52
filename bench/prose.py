"""Showing what changed in a 256,000-character prompt with 50 scattered edits, beside only counting words of both.

python -m bench.prose
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from reconciler.render.difference.prose_diff import diff_prose

SIZE, EDITS, ROUNDS = 256_000, 50, 5


def prompt(separator: str) -> str:
    """Sentences of made-up words."""
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnop", k=chance.randint(2, 9))) for _ in range(3000)]
    return separator.join(" ".join(chance.choices(words, k=10)).capitalize() + "." for _ in range(6000))[:SIZE]


def edited(text: str) -> str:
    """The text with a few words put in at random places."""
    for place in sorted(random.Random(2).sample(range(len(text)), EDITS), reverse=True):
        text = text[:place] + " some words more " + text[place:]
    return text


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest round."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print seconds and ratios; the goal is 0.3 s for each."""
    for name, separator in (("lines", "\n"), ("blank lines", "\n\n"), ("one line", " ")):
        before = prompt(separator)
        after = edited(before)
        ours = best(lambda one=before, other=after: diff_prose(one, other))
        floor = best(lambda one=before, other=after: len(one.split()) + len(other.split()))
        print(f"{name:12} {ours:.3f} s, counting words {floor:.4f} s, ratio {ours / floor:.1f}")


if __name__ == "__main__":
    main()
