"""A project on disk, built from a mapping of file names to contents, and read as the commands read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from reconciler.config.load import Loaded, load, load_settings
from reconciler.config.schemas import shipped
from reconciler.core.model import Diagnostic

DIRECTORY = "assistants.d"
Files = Mapping[str, str | bytes]
Read = Callable[..., Loaded]


def told(diagnostic: Diagnostic) -> str:
    """A diagnostic on one line: place, what, expected, what to do."""
    parts = [f"{diagnostic.source or '-'}: {diagnostic.severity}: {diagnostic.summary}"]
    parts += [f"({diagnostic.detail})"] if diagnostic.detail else []
    parts += [f"-> {diagnostic.hint}"] if diagnostic.hint else []
    return " ".join(parts)


def write(root: Path, files: Files) -> None:
    """Write files below the root, with their directories."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write the files below assistants.d and load them for a target."""

    def read(files: Files, target: str | None = None, dirs: tuple[str, ...] = (DIRECTORY,)) -> Loaded:
        (tmp_path / DIRECTORY).mkdir(exist_ok=True)
        write(tmp_path / DIRECTORY, files)
        directories = [Path(each) for each in dirs]
        settings = load_settings(tmp_path, directories)
        chosen = settings.target(target)
        provider = shipped().provider(chosen.provider)
        return load(tmp_path, directories, settings=settings, target=chosen, provider=provider, schemas=shipped())

    return read
