"""One page for each diagnostic code, and on it what the tool really prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.diagnostics import Code
from tests.conftest import Project
from tests.docs.pages import ROOT, Block, steps

CODES = ROOT / "docs/codes"
PAGES = sorted(CODES.glob("RC*.md"))
SECTIONS = ["What it means", "Example", "What to do"]
# Codes that no project and no server of ours can bring about, or only with an extra missing or a store at hand.
UNSEEN = {Code.DEPRECATED_FIELD, Code.FILE_CHANGED, Code.INEXPRESSIBLE, Code.TOO_MUCH_WORK}
UNSEEN |= {Code.MISSING_EXTRA, Code.OVERTAKEN, Code.RETRIES_EXHAUSTED, Code.UPLOAD_CHANGED, Code.LOCK_NOT_HELD}


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert {page.stem for page in PAGES} == set(Code), "write docs/codes/RCnnnn.md for a new code, see any other"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_the_three_sections_and_shows_its_code_printed(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.match(rf"# {page.stem}: .+\n", text)
    assert re.findall("^## (.*)$", text, re.MULTILINE) == SECTIONS
    run = [step for step in steps(page) if isinstance(step, Block) and step.language == "console" and not step.reason]
    if Code(page.stem) not in UNSEEN:
        assert page.stem in "".join(block.text for block in run), "the example has to print the code"


def test_explain_shows_a_page_without_what_it_says_to_its_test(project: Project) -> None:
    shown = project.ok("explain", "RC0302").out
    assert shown.startswith("# RC0302: No such target\n\n## What it means\n")
    assert "<!--" not in shown
