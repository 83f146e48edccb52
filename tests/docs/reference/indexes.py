"""Pages that list pages: codes, decisions, and the site's navigation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import ROOT
from tests.docs.reference.kinds import titles as kind_titles
from tests.docs.reference.markdown import page, table

_RANGES = {
    "RC01": "Files and YAML",
    "RC02": "Manifests",
    "RC03": "Settings, targets, credentials",
    "RC04": "Planning",
    "RC05": "Requests",
    "RC06": "Applying",
    "RC07": "Workers",
}


def pages() -> dict[str, str]:
    """The lists, by path."""
    return {
        "docs/codes/index.md": page("Diagnostic codes", _CODES, *_codes()),
        "docs/decisions/index.md": page("Decisions", _DECISIONS, table(("", "decision"), _decisions())),
        "mkdocs.yml": _navigation(),
    }


_CODES = "Every diagnostic has a code whose meaning never changes. It is in the first line of the message."
_DECISIONS = "Architecture decision records: context, decision and consequences."


def title(file: Path) -> str:
    """The first heading of a page."""
    found = re.search(r"^# (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{file} has no title"
    return found[1]


def _codes() -> Iterator[str]:
    files = sorted((ROOT / "docs/codes").glob("RC*.md"))
    for begin in sorted({file.stem[:4] for file in files}):
        rows = (
            (f"[{file.stem}]({file.name})", title(file).partition(": ")[2]) for file in files if file.stem[:4] == begin
        )
        yield f"## {_RANGES[begin]}\n\n{table(('code', 'meaning'), rows)}"


def _decisions() -> Iterator[tuple[str, str]]:
    for file in sorted((ROOT / "docs/decisions").glob("0*.md")):
        number, _, name = title(file).partition(" — ")
        yield f"[{number}]({file.name})", name


def _navigation() -> str:
    """`mkdocs.yml`, in which guides and kinds that it does not name yet are added at the end of their lists."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    guides = {str(file.relative_to(ROOT / "docs")): "" for file in sorted((ROOT / "docs/guides").glob("*.md"))}
    kinds = {path.removeprefix("docs/"): f"{title}: " for path, title in sorted(kind_titles().items())}
    for folder, files in (("guides/", guides), ("reference/kinds/", kinds)):
        for file, shown in files.items():
            if f" {file}\n" not in text:
                last = list(re.finditer(rf"^( *)- .*{folder}.*\n", text, re.MULTILINE))[-1]
                text = f"{text[: last.end()]}{last[1]}- {shown}{file}\n{text[last.end() :]}"
    return text
