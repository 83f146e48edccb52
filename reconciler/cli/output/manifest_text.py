"""A manifest as it is sent, with the place that each value came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.config.syntax.document import BLOCK
from reconciler.config.syntax.document_builder import copied
from reconciler.config.syntax.yaml_emitter import block_scalar, double_quoted, fits_block, key_text, scalar
from reconciler.config.syntax.yaml_scalars import Tagged
from reconciler.core.values.model import Address, Body, Json, Manifest, Path
from reconciler.core.values.semantics import Kind
from reconciler.render.escape import escaped, visible
from reconciler.render.view.location import location_of
from reconciler.render.view.mask import SENSITIVE


def document_lines(manifest: Manifest, kind: Kind) -> Iterator[str]:
    """A manifest as a YAML document that the loader reads the same, with a place behind every value."""
    yield f"# {visible(str(manifest.address))}"
    # A kind or key that nobody wrote comes from the place of the document.
    options = _YamlWriter(lambda path: str(location_of(manifest.places.get((BLOCK, path[0])) or manifest.source)))
    yield f"{BLOCK}:"
    yield from options.mapping(_options(manifest), (), 2)
    body = _shown(_with_tags(dict(manifest.body), manifest.refs), kind)
    yield from _YamlWriter(lambda path: str(location_of(manifest.place(path)))).mapping(body, (), 0)


def record(manifest: Manifest, kind: Kind) -> dict[str, Json]:
    """A manifest as JSON: its body as it is sent, and the place of every value."""
    body = _shown(dict(manifest.body), kind)
    refs = [{"path": list(path), "address": str(address)} for path, address in manifest.refs.items()]
    places = {path: place for path, place in manifest.places.items() if _has(body, path)}
    return {
        "address": str(manifest.address),
        "reconciler": _options(manifest),
        "body": body,
        "places": [
            {"path": list(path), "file": place.file, "line": place.line, "column": place.column}
            for path, place in places.items()
            if path
        ],
        **({"refs": refs} if refs else {}),
    }


def _shown(body: Body, kind: Kind) -> Body:
    """The body without what is sensitive."""
    return {name: SENSITIVE if _is_sensitive(kind, name) else value for name, value in body.items()}


def _is_sensitive(kind: Kind, name: str) -> bool:
    meaning = kind.fields.get(name)
    return meaning is not None and meaning.sensitive


def _has(body: Json, path: Path) -> bool:
    """Whether a path leads to a value; what was replaced, removed or masked has places as well."""
    for part in path:
        if isinstance(body, str):
            return False
        try:
            body = body[part]
        except (LookupError, TypeError):
            return False
    return True


def _options(manifest: Manifest) -> dict[str, Json]:
    """What the `reconciler:` block says, as far as it says more than nothing."""
    options: dict[str, Any] = {
        "id": manifest.id,
        "protect": manifest.protect,
        "on_remove": str(manifest.on_remove) if manifest.on_remove else None,
        "ignore": sorted(manifest.ignore),
        "initial": sorted(manifest.initial),
        "moved_from": manifest.moved_from,
        "same_name": "allow" if manifest.same_name_allowed else None,
    }
    kind, key = manifest.address
    return {"kind": kind, "key": key, **{name: value for name, value in options.items() if value}}


def _with_tags(body: Body, refs: Mapping[Path, Address]) -> Body:
    """The body with `!ref` where it refers to other resources."""
    found: Any = copied(body)
    for path, address in refs.items():
        around = found
        for part in path[:-1]:
            around = around[part]
        around[path[-1]] = Tagged("!ref", str(address))
    return dict(found)


@dataclass(frozen=True, slots=True)
class _YamlWriter:
    """YAML in block style with a comment behind each leaf; safe to show."""

    place: Callable[[Path], str]

    def mapping(self, value: Mapping[str, Json], path: Path, indent: int) -> Iterator[str]:
        """The entries of a mapping, one below the other."""
        for name, each in value.items():
            yield from self._entry(f"{' ' * indent}{_safe(key_text(name), name)}:", each, (*path, name), indent)

    def _entry(self, start: str, value: Json, path: Path, indent: int) -> Iterator[str]:
        if isinstance(value, dict) and value:
            yield start
            yield from self.mapping(value, path, indent + 2)
        elif isinstance(value, list) and value:
            yield start
            for index, each in enumerate(value):
                yield from self._entry(f"{' ' * (indent + 2)}-", each, (*path, index), indent + 2)
        else:
            yield from self._leaf(start, value, self.place(path), indent + 2)

    def _leaf(self, start: str, value: Json, place: str, indent: int) -> Iterator[str]:
        if isinstance(value, str) and fits_block(value) and all(visible(each) == each for each in value.split("\n")):
            laid = block_scalar(value, indent)
            yield f"{start} {laid.head}  # {place}"
            yield from laid.body
        else:
            text = scalar(value) if not isinstance(value, dict | list) else "{}" if isinstance(value, dict) else "[]"
            yield f"{start} {_safe(text, value)}  # {place}"


def _safe(text: str, value: Json) -> str:
    """The text of a leaf or key, with what is unseen and what logs obey as escapes in double quotes."""
    return text if escaped(text) == text or not isinstance(value, str) else escaped(double_quoted(value))
