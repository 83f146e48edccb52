"""Every shell block of README, tutorial, guides and code pages, run in order in a real shell, with what it prints.

`RECONCILER_REGENERATE=1` writes what was printed into the pages instead of comparing.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.docs.output import ANY, Normal, agrees, renewed
from tests.docs.pages import ROOT, Block, commands, pages, steps
from tests.docs.shell import Performed, perform

REGENERATE = os.environ.get("RECONCILER_REGENERATE") == "1"
BLOCKS = {page: [step for step in steps(page) if isinstance(step, Block) and step.has_shell] for page in pages()}
RUN = [page for page, blocks in BLOCKS.items() if any(block.reason is None for block in blocks)]
# Blocks that no test runs here, by page. One more needs a reason on its page (`<!-- not-run: … -->`) and a number here.
NOT_RUN = {
    "CONTRIBUTING.md": 2,
    "README.md": 2,
    "docs/guides/gitops-elsewhere.md": 2,
    "docs/guides/gitops-gitlab.md": 1,
    "docs/reliability.md": 1,
    "docs/tutorial.md": 1,
    "docs/scale.md": 2,
}


@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_does_and_prints_what_it_shows(page: Path, tmp_path: Path) -> None:
    performed = perform(steps(page), tmp_path)
    normal = Normal(tmp_path)
    printed = [normal(each.output) for each in performed]
    for each, output in zip(performed, printed, strict=True):
        assert each.code == each.expected, (
            f"{each.step.place}: exit {each.code}, not {each.expected}\n$ {each.command.text}\n{output}"
        )
    if REGENERATE:
        _rewrite(page, performed, printed)
        return
    for each, output in zip(performed, printed, strict=True):
        if isinstance(each.step, Block) and each.step.language == "console":
            assert agrees(each.command.shown, output), (
                f"{each.step.place}: shows\n{each.command.shown}\nbut this was printed\n{output}\n"
                "RECONCILER_REGENERATE=1 .venv/bin/python -m pytest tests/docs writes it into the page"
            )


def _rewrite(page: Path, performed: Sequence[Performed], printed: Sequence[str]) -> None:
    """The page with what was printed; texts that stand for it already stay."""
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    for block in reversed([block for block in BLOCKS[page] if block.language == "console" and block.reason is None]):
        ran = [(each, out) for each, out in zip(performed, printed, strict=True) if each.step == block]
        begin, end = block.lines
        indent = lines[begin][: len(lines[begin]) - len(lines[begin].lstrip())]
        new = [line for each, out in ran for line in _shown(each, out)]
        lines[begin:end] = [f"{indent}{line}".rstrip() + "\n" for line in new]
    page.write_text("".join(lines), encoding="utf-8")


def _shown(each: Performed, output: str) -> list[str]:
    first, *rest = each.command.text.split("\n")
    return [f"$ {first}", *(f"> {line}" for line in rest), *renewed(each.command.shown, output).splitlines()]


def test_what_is_not_run_is_counted_and_says_why() -> None:
    skipped = [block for blocks in BLOCKS.values() for block in blocks if block.reason is not None]
    assert [block.place for block in skipped if len(block.reason or "") < 15] == []
    found = Counter(str(block.page.relative_to(ROOT)) for block in skipped)
    listed = "\n".join(f"{block.place}: {block.reason}" for block in skipped)
    assert dict(found) == NOT_RUN, f"not run, with the reasons their pages give:\n{listed}"


def test_a_text_stands_for_what_was_printed() -> None:
    assert agrees("a\n…\nd\n", "a\nb\nc\nd\n")
    assert agrees(f"{ANY}\n", "")
    assert not agrees("a\n…\nd\n", "a\nb\n")
    assert not agrees("a.c\n", "abc\n")
    assert renewed("a\n…\nd\n", "A\nb\nc\nD\n") == "A\n…\nD\n"
    assert renewed("…\nd\n", "A\nb\nD\n") == "…\nD\n"
    assert renewed("a\nb\n", "A\nb\nD\n") == "A\nb\nD\n"


def test_every_console_block_begins_with_a_command() -> None:
    for blocks in BLOCKS.values():
        for block in blocks:
            assert block.language != "console" or block.reason is not None or commands(block)
