"""Makes one manifest for each file to upload, with the digest of its content. Globs are expanded.

    source: handbook/*.md   ->   file/hr/handbook/leave.md, file/hr/handbook/travel.md, …

The address of a file that has no manifest of its own comes from its path.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

from reconciler.config.checks.secret_detection import keys_in_file
from reconciler.config.errors import error
from reconciler.config.message_text import cut
from reconciler.config.source.file_source import FileSource
from reconciler.config.source.globs import fixed_part, is_pattern
from reconciler.config.source.referenced_file import named_file
from reconciler.config.syntax.document import BLOCK
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.core.values.model import Address, Json, Manifest
from reconciler.diagnostics import Code, Diagnostic, Source
from reconciler.drivers.filename_marks import MAX_NAME, content_of
from reconciler.drivers.provider import UploadStyle

_NO_KEY_LETTER: Final = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_KEY: Final = 128
_LOOKED_AT: Final = 16 * 1024 * 1024
"""So much of a file is looked through for keys."""
_UNFIT_NAME: Final = re.compile(r'["\\\x00-\x1f\x7f\ud800-\udfff]|%(?:22|0[AD])', re.IGNORECASE)
"""What does not come through a form as it was sent: servers differ on what they make of it."""


class Uploads:
    """The uploaded files of one kind; `labels` has what manifests say that is kept on each membership instead.

    `style` says how the kind is uploaded, `most_labels` how many each membership can keep. `manifests` and `labels` are
    by address. Texts shaped like keys are refused, unless they are allowed here or by the manifest that names the file.
    """

    def __init__(
        self, project: FileSource, kind: str, style: UploadStyle, most_labels: float, secret_like_allowed: bool = False
    ) -> None:
        self.kind = kind
        self.most_labels = most_labels
        self.manifests: dict[Address, Manifest] = {}
        self.labels: dict[Address, Mapping[str, Json]] = {}
        self.problems: list[Diagnostic] = []
        self._allowed = secret_like_allowed
        self._project = project
        self._style = style
        self._by_path: dict[str, Address] = {}

    @property
    def labels_field(self) -> str:
        """The field of a manifest, and of a membership, that has the labels."""
        return self._style.labels

    def add(self, manifest: Manifest) -> None:
        """Take a manifest of the kind: one resource for each file that its source names."""
        style, source = self._style, manifest.body[self._style.source]
        place = manifest.place((style.source,))
        self.problems += self._unfit(manifest)
        paths = list(self.paths(source, place))
        if is_pattern(source) and style.name in manifest.body:
            summary = f"{style.name} names one file, but {cut(source)} can match many"
            self._refuse(Code.NOT_FOR_FILES, summary, manifest.place((style.name,)), "write a manifest for that file")
            return
        for path in paths:
            address = Address(self.kind, self._key(path)) if is_pattern(source) else manifest.address
            self._make(address, path, manifest.body, manifest.source, place, _allows(manifest))

    def of_path(self, path: str, place: Source, by: Manifest) -> Address:
        """The address of a file that a manifest names by its path; it gets a manifest of its own where it has none."""
        if (known := self._by_path.get(os.path.normpath(path))) is not None:
            return known
        address = Address(self.kind, self._key(path))
        self._make(address, path, {}, place, place, _allows(by))
        return address

    def paths(self, text: str, place: Source) -> Iterator[str]:
        """The files that a source names, in the order of their paths; problems are noted."""
        manifest = os.path.abspath(os.path.join(self._project.root, place.file))
        try:
            if not is_pattern(text):
                named_file(self._project, self._style.source, text, place, manifest)
                yield os.path.normpath(os.path.join(os.path.dirname(manifest), text))
                return
            pattern = os.path.normpath(os.path.join(os.path.dirname(manifest), text))
            if os.path.isabs(text) or not self._is_inside(fixed_part(pattern)):
                summary = f"{self._style.source} {cut(text)} points outside the project"
                self._refuse(Code.FILE_REFUSED, summary, place, "use files of the project, relative to the manifest")
                return
            found = self._project.matching(pattern)
            for path in found:
                named_file(
                    self._project, self._style.source, os.path.relpath(path, os.path.dirname(manifest)), place, manifest
                )
            yield from found
        except UnreadableFile as refused:
            self.problems.append(refused.diagnostic)
            return
        if not found:
            hint = "a pattern is relative to the manifest; * matches anything in a name, ** any directories"
            self._refuse(Code.NO_SUCH_FILES, f"no file matches {cut(text)}", place, hint)

    def _is_inside(self, directory: str) -> bool:
        root = os.path.abspath(self._project.root)
        bases = [root, *(os.path.abspath(os.path.join(root, each)) for each in self._project.directories)]
        return any(directory == base or directory.startswith(base + os.sep) for base in bases)

    def _make(
        self, address: Address, path: str, body: Mapping[str, Json], source: Source, place: Source, allowed: bool
    ) -> None:
        style, shown = self._style, self._project.name(path)
        name = body.get(style.name, os.path.basename(path))
        try:
            real = self._project.followed(path)
            sha256, size = self._project.measured(real, style.max_bytes)
            beginning = self._project.read(real, min(_LOOKED_AT, style.max_bytes))
        except (UnreadableFile, OSError, ValueError) as wrong:
            reason = wrong.diagnostic.summary if isinstance(wrong, UnreadableFile) else str(wrong)
            self._refuse(Code.UNREADABLE, f"{shown} cannot be read: {reason}", place)
            return
        if size > style.max_bytes:
            limit = f"at most {style.max_bytes // 1024 // 1024} MiB can be uploaded"
            self._refuse(Code.TOO_LARGE_UPLOAD, f"{shown} is larger: {limit}", place, "split it")
        elif not size:
            self._refuse(
                Code.EMPTY_UPLOAD, f"{shown} is empty", place, "an empty file cannot be used: write or remove it"
            )
        elif unfit := _UNFIT_NAME.search(name):
            summary = f"the name {cut(name)} contains {unfit.group()!a}, which some servers change"
            self._refuse(Code.NOT_FOR_FILES, summary, place, f"rename it, or give it another `{style.name}`")
        elif len(name.encode()) > MAX_NAME:
            hint = f"give it a shorter `{style.name}`"
            self._refuse(Code.NOT_FOR_FILES, f"the name of {shown} is longer than {MAX_NAME} bytes", place, hint)
        elif first := self.manifests.get(address):
            summary = f"{address} is declared twice; the first is {first.body[style.source]}, this one is {shown}"
            hint = "give one of them a manifest with its own key"
            self._refuse(Code.DUPLICATE_ADDRESS, summary, place, hint)
        else:
            fields = {**style.fields, **{field: value for field, value in body.items() if field != style.labels}}
            fields |= {
                style.source: shown,
                style.name: name,
                style.digest: sha256,
                style.content: content_of(sha256, size),
            }
            self.manifests[address] = Manifest(address, fields, source, {(style.content,): Source(shown, 1, 1)})
            self.labels[address] = body.get(style.labels) or {}
            self._by_path.setdefault(os.path.normpath(path), address)
            self.problems += keys_in_file(beginning, shown, allowed=allowed or self._allowed)

    def _key(self, path: str) -> str:
        """A key that a path makes: below the directory of manifests it is in, else below the root."""
        bases = [os.path.abspath(os.path.join(self._project.root, each)) for each in self._project.directories]
        inside = [base for base in bases if path.startswith(base + os.sep)]
        relative = os.path.relpath(path, max(inside, key=len) if inside else self._project.root)
        parts = (_as_part(part) for part in relative.split(os.sep) if part != "..")
        return "/".join(parts)[-_MAX_KEY:].lstrip("/._-")

    def _unfit(self, manifest: Manifest) -> Iterator[Diagnostic]:
        """Errors for options that other resources have and files do not."""
        unsupported = {
            "id": manifest.id,
            "protect": manifest.protect,
            "on_remove": manifest.on_remove,
            "ignore": manifest.ignore,
            "initial": manifest.initial,
            "moved_from": manifest.moved_from,
            "on_expired": manifest.renew,
        }
        for word, value in unsupported.items():
            if value:
                place = manifest.place(("reconciler", word))
                summary = (
                    f"`{word}` cannot be used for a {self.kind}: it is identified by its content and cannot change"
                )
                yield error(Code.NOT_FOR_FILES, summary, place, hint="remove it")

    def _refuse(self, code: Code, summary: str, place: Source, hint: str = "") -> None:
        self.problems.append(error(code, summary, place, hint=hint))


def _allows(manifest: Manifest) -> bool:
    """Whether a manifest says that what is shaped like a key is none."""
    return (BLOCK, "secret_like") in manifest.places


def _as_part(name: str) -> str:
    """A name as part of a key. A digest stands for letters without an ASCII form: `7c1b05.md`."""
    folded = unicodedata.normalize("NFKD", name)
    stem, _, suffix = folded.rpartition(".") if "." in folded[1:] else (folded, "", "")
    plain, ending = _as_word(stem), _as_word(suffix)
    if any(not letter.isascii() and unicodedata.category(letter)[0] in "LNS" for letter in folded):
        digest = hashlib.sha256(unicodedata.normalize("NFC", name).encode(errors="surrogateescape")).hexdigest()
        plain = "-".join(filter(None, (plain, digest[:6])))
    return (plain or "x") + (f".{ending}" if ending else "")


def _as_word(text: str) -> str:
    return _NO_KEY_LETTER.sub("-", text.encode("ascii", "ignore").decode()).lstrip("._-")
