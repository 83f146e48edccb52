"""The provider that docs/guides/add-a-provider.md makes, out of that page and nothing else."""

from __future__ import annotations

import re
import tempfile
from functools import cache
from pathlib import Path

GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/add-a-provider.md"
_FILE = re.compile(r"^`([^`]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@cache
def project() -> Path:
    """A directory with every file that the page has the reader write."""
    root = Path(tempfile.mkdtemp(prefix="add-a-provider-"))
    write(root)
    return root


def write(root: Path) -> None:
    """Write every file of the page below `root`."""
    for name, text in _FILE.findall(GUIDE.read_text("utf-8")):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
