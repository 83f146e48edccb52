"""A project on disk, built from a mapping of file names to contents, and read as the commands read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.config.manifests.load import Loaded, load
from reconciler.config.schema.schemas import shipped
from reconciler.config.settings import load_settings
from reconciler.diagnostics import Diagnostic
from reconciler.operations.project.cache_location import open_validation_cache
from reconciler.operations.project.kinds import kinds_of
from reconciler.tree import Tree

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
    """Write the files below assistants.d and load them for a target: thoroughly, and then as fast as possible.

    All ways of loading have to find the same, so that every test of one is a test of all.
    """

    def read(files: Files, target: str | None = None, dirs: tuple[str, ...] = (DIRECTORY,)) -> Loaded:
        (tmp_path / DIRECTORY).mkdir(exist_ok=True)
        write(tmp_path / DIRECTORY, files)
        directories = [Path(each) for each in dirs]
        settings = load_settings(tmp_path, directories)
        chosen = settings.target(target)
        provider = shipped().provider(chosen.provider)

        def loaded(**lean: Any) -> Loaded:
            return load(
                tmp_path, directories, settings=settings, target=chosen, provider=provider, schemas=shipped(), **lean
            )

        found = loaded()
        kinds = {each.kind.name: each.kind for each in kinds_of(provider, shipped())}
        for _ in range(2):  # with nothing remembered, then with all of it
            state = {"XDG_STATE_HOME": str(tmp_path / "state")}
            memory = open_validation_cache(Tree(tmp_path, ".reconciler"), state, settings, chosen, shipped(), fewest=1)
            assert memory is not None
            assert whole(loaded(kinds=kinds, memory=memory)) == whole(found)
        return found

    return read


def whole(loaded: Loaded) -> Any:
    """All that was loaded, with what is read again when it is asked for."""
    manifests = [
        replace(each, body=dict(each.body), places={path: each.places[path] for path in each.places})
        for each in loaded.manifests
    ]
    return manifests, loaded.diagnostics, loaded.digest
