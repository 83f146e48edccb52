"""Chooses paths and keys for imported manifests: like the existing files, without clashes."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Final

from reconciler.config.edit.write_manifests import FileLayout, is_long, prompt_path
from reconciler.config.message_text import LONGEST_SLUG, slug
from reconciler.config.source.file_source import SUFFIXES
from reconciler.core.values.model import MAX_KEY, Manifest

# Names that Windows gives to devices, whatever their suffix, and that of the settings.
_DEVICES: Final = {"con", "prn", "aux", "nul"} | {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}
RESERVED: Final = frozenset(_DEVICES | {"reconciler"})
_NOT_KEY: Final = re.compile(r"[^A-Za-z0-9_-]+")


def prevailing_layout(manifests: Iterable[Manifest], prose_fields: Mapping[str, str | None]) -> FileLayout:
    """How most manifests are written; with none, YAML with long prose in files of its own."""
    suffixes: Counter[str] = Counter()
    inline: Counter[bool] = Counter()
    files = set()
    for manifest in manifests:
        file, field = manifest.source.file, prose_fields.get(manifest.address.kind)
        if file not in files:
            files.add(file)
            suffixes[PurePosixPath(file).suffix] += 1
        text = manifest.body.get(field or "")
        if isinstance(text, str) and is_long(text) and not file.endswith((".md", ".json")):
            inline[manifest.place((str(field),)).file == file] += 1
    ranked = sorted(SUFFIXES, key=lambda suffix: -suffixes[suffix])
    return FileLayout(ranked[0], inline[True] > inline[False])


class FreeNames:
    """Keys and places below a directory that are free; each is given once, whatever the case of its letters."""

    def __init__(self, directory: str, keys: Iterable[str], suffix: str) -> None:
        self._suffix = suffix
        self._keys = {key.casefold() for key in keys}
        self._files = {path.casefold() for path in _files_below(directory)}
        self._numbers: Counter[str] = Counter()

    def new(self, name: str | None, id: str, kind: str) -> str:
        """A key for an object, and the place of its file, from its name, or else from its id."""
        wish = slug(name or "") or _NOT_KEY.sub("-", id)[:LONGEST_SLUG].strip("-_") or kind
        if wish.casefold() in RESERVED:
            wish = f"{wish}-{kind}"
        return self._first_free(wish, with_key=True)

    def for_key(self, key: str, kind: str) -> tuple[str, str]:
        """For an object that has a key already: the key, unless a manifest has it, and the place of its file."""
        parts = key.split("/")
        usable = not any(part.split(".")[0].casefold() in RESERVED or part.endswith(SUFFIXES) for part in parts)
        stem = key if usable else f"{slug(key)}-{kind}"
        if key.casefold() in self._keys:
            stem = self._first_free(stem, with_key=True)
            return stem, stem
        self._keys.add(key.casefold())
        return key, self._first_free(stem, with_key=False)

    def _first_free(self, wish: str, *, with_key: bool) -> str:
        stem = wish
        while not self._is_free(stem, with_key):
            # Counted on from the last one: a thousand objects may have one name.
            self._numbers[wish] += 1
            stem = f"{wish[: MAX_KEY - 8]}-{self._numbers[wish] + 1}"
        self._files |= {(stem + self._suffix).casefold(), prompt_path(stem).casefold()}
        self._keys.add(stem.casefold())
        return stem

    def _is_free(self, stem: str, with_key: bool) -> bool:
        # A file of the same name and another suffix would have the same key.
        taken = {(stem + suffix).casefold() for suffix in SUFFIXES} | {prompt_path(stem).casefold()}
        return not (taken & self._files or (with_key and stem.casefold() in self._keys))


def _files_below(directory: str) -> Iterable[str]:
    for folder, folders, files in os.walk(directory):
        relative = os.path.relpath(folder, directory).replace(os.sep, "/")
        for name in (*files, *folders):
            yield name if relative == "." else f"{relative}/{name}"
