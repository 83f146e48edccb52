"""Turns manifests into the bytes of files, and writes each file whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from reconciler.config.source.referenced_file import MAX_FILE_BYTES
from reconciler.config.syntax.document import BLOCK
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.config.syntax.markdown import split
from reconciler.config.syntax.yaml_emitter import document_text, json_text
from reconciler.config.syntax.yaml_scalars import Tagged
from reconciler.core.values.model import Address, Body, Json
from reconciler.tree import in_boundary, tree_of

LONGEST_LINE: Final = 200


@dataclass(frozen=True, slots=True)
class FileLayout:
    """How a directory writes manifests: their suffix, and whether long prose stays in them."""

    suffix: str = ".yaml"
    inline: bool = False


@dataclass(frozen=True, slots=True)
class NewManifest:
    """A manifest to be written: what it says, and its place below the directory of manifests, without suffix.

    `block` is its `reconciler:` block, if it needs one; `prose` names the field of its long text, if its kind has one.
    """

    address: Address
    stem: str
    body: Body
    block: Mapping[str, Json] = field(default_factory=dict)
    prose: str | None = None


def new_files(manifest: NewManifest, habit: FileLayout) -> dict[str, bytes]:
    """The files of a manifest, by their path below the directory: the manifest, first, and its prose, if apart."""
    text = manifest.body.get(manifest.prose or "")
    value: dict[str, Any] = {**({BLOCK: dict(manifest.block)} if manifest.block else {}), **manifest.body}
    path = manifest.stem + habit.suffix
    if habit.suffix == ".json":
        return {path: f"{json_text(value)}\n".encode()}
    if habit.suffix == ".md":
        prose = value.pop(str(manifest.prose)) if isinstance(text, str) and fits_markdown(text) else None
        below = "" if prose is None else f"\n{prose}\n"
        return {path: f"---\n{document_text(value)}---\n{below}".encode()}
    apart = {}
    if isinstance(text, str) and not habit.inline and is_long(text) and fits_file(text):
        prompt = prompt_path(manifest.stem)
        up = "../" * manifest.stem.count("/")
        value[str(manifest.prose)] = Tagged("!file", up + prompt)
        apart = {prompt: text.encode()}
    return {path: document_text(value).encode()} | apart


def prompt_path(stem: str) -> str:
    """Where the prose of a manifest goes, below the directory."""
    return f"prompts/{stem}.md"


def is_long(text: str) -> bool:
    """Whether a text is better read in a file of its own."""
    return "\n" in text or len(text) > LONGEST_LINE


def fits_file(text: str) -> bool:
    """Whether `!file` gives a text back exactly, and its file is not taken for a manifest itself."""
    if not text or "\r" in text or text.startswith("\ufeff") or not _is_storable(text):
        return False
    try:
        return split(text, "") is None
    except UnreadableFile:
        return False


def fits_markdown(text: str) -> bool:
    """Whether a text can stand below front matter."""
    return bool(text.strip()) and "\r" not in text and _is_storable(text)


def real_directory(root: Path, directory: str | Path) -> Path:
    """Where new manifests go, which need not be there yet. Raises NotBelow where links lead there inside the root."""
    tree, path = tree_of(root, directory)
    if in_boundary(root, directory) is not None:
        tree.names(path)
    return path


def create_file(root: Path, path: str, content: bytes) -> None:
    """Write a file that does not exist yet, inside the root through no link. Raises OSError, also where it does."""
    if in_boundary(root, path) is None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    tree, file = tree_of(root, path)
    if os.path.lexists(file):
        raise FileExistsError(f"{path} exists already")
    tree.make(file.parent)
    tree.replace(file, content)


def _is_storable(text: str) -> bool:
    try:
        return "\0" not in text and len(text.encode()) <= MAX_FILE_BYTES
    except UnicodeEncodeError:
        return False
