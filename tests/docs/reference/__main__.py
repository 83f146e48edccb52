"""The generated pages: `python -m tests.docs.reference` writes them, `--check` lists those that are outdated."""

from __future__ import annotations

import sys

from tests.docs.pages import ROOT
from tests.docs.reference import commands, indexes, kinds, remotes, settings


def generated() -> dict[str, str]:
    """Every generated file by its path below the root."""
    pages: dict[str, str] = {}
    for source in (kinds, commands, settings, remotes, indexes):
        pages |= source.pages()
    return pages


def outdated() -> list[str]:
    """The paths of pages that are missing, differ, or are no longer generated."""
    made = generated()
    left = {str(page.relative_to(ROOT)) for page in (ROOT / "docs/reference").rglob("*.md")} - set(made)
    return sorted({path for path, text in made.items() if _text(path) != text} | left)


def write() -> None:
    """Write what is outdated, and remove pages that are no longer generated."""
    made = generated()
    for path in outdated():
        file = ROOT / path
        if path not in made:
            file.unlink()
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(made[path], encoding="utf-8")


def _text(path: str) -> str | None:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.is_file() else None


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if found := outdated():
            sys.exit("\n".join(["run `python -m tests.docs.reference`; it would change:", *found]))
    else:
        write()
