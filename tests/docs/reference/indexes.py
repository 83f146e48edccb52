"""Pages that list pages: codes, decisions, and the site's navigation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import ROOT
from tests.docs.reference.kinds import pages as kind_pages
from tests.docs.reference.markdown import page, table

_RANGES = {
    "RC01": "Files and YAML",
    "RC02": "Manifests",
    "RC03": "Settings, targets, credentials",
    "RC04": "Plan",
    "RC05": "The target",
    "RC06": "Apply",
    "RC07": "Fleets on many machines",
}


def pages() -> dict[str, str]:
    """The lists, by path."""
    return {
        "docs/codes/index.md": page("Diagnostic codes", _CODES, *_codes()),
        "docs/decisions/index.md": page("Decisions", _DECISIONS, table(("", "decision"), _decisions())),
        "mkdocs.yml": _navigation(),
    }


_CODES = "Every problem has a code that never changes its meaning. It stands in the first line of the message."
_DECISIONS = "Why things are as they are: one page each, with context, decision and consequences."


def title(file: Path) -> str:
    """What the first heading of a page says."""
    found = re.search(r"^# (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{file} has no title"
    return found[1]


def _codes() -> Iterator[str]:
    files = sorted((ROOT / "docs/codes").glob("RC*.md"))
    for begin in sorted({file.stem[:4] for file in files}):
        rows = (
            (f"[{file.stem}]({file.name})", title(file).partition(": ")[2]) for file in files if file.stem[:4] == begin
        )
        yield f"## {_RANGES[begin]}\n\n{table(('code', 'what it means'), rows)}"


def _decisions() -> Iterator[tuple[str, str]]:
    for file in sorted((ROOT / "docs/decisions").glob("0*.md")):
        number, _, said = title(file).partition(" — ")
        yield f"[{number}]({file.name})", said


def _navigation() -> str:
    """`mkdocs.yml`, in which guides and kinds that it does not name yet are added at the end of their lists."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    guides = [str(file.relative_to(ROOT / "docs")) for file in sorted((ROOT / "docs/guides").glob("*.md"))]
    kinds = [path.removeprefix("docs/") for path in sorted(kind_pages())]
    for folder, files in (("guides/", guides), ("reference/kinds/", kinds)):
        for file in files:
            if f" {file}\n" not in text:
                last = [match.end() for match in re.finditer(rf"^.*- .*{folder}.*\n", text, re.MULTILINE)][-1]
                text = f"{text[:last]}      - {file}\n{text[last:]}"
    return text
