"""Compiles a kind's schema to what its values mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.core.values.model import ABSENT
from reconciler.core.values.semantics import FREE, ListMeaning, Meaning, canonical


def compile_schema(schema: Mapping[str, Any]) -> Mapping[str, Meaning]:
    """The meaning of every top-level field of a kind's schema.

    Raises ValueError where two branches of the schema describe one property differently.
    """
    return _Compiler(schema).compile(schema).properties


class _Compiler:
    """Folds `$ref`, `allOf`, `anyOf` and `if` branches into one `Meaning` for each place."""

    _BRANCHES = ("allOf", "anyOf", "oneOf")

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def compile(self, schema: Mapping[str, Any]) -> Meaning:
        branches = list(self._branches(schema))
        merged = {word: branch[word] for branch in reversed(branches) for word in branch}
        properties: dict[str, Meaning] = {}
        for branch in branches:
            for name, sub in branch.get("properties", {}).items():
                if isinstance(sub, dict) and "not" not in sub:
                    self._add(properties, name, self.compile(sub))
        extra, item = merged.get("additionalProperties"), merged.get("items")
        entries = self.compile(extra) if isinstance(extra, dict) else None
        items = self.compile(item) if isinstance(item, dict) else None
        parts = [part for part in (*properties.values(), entries, items) if part is not None]
        return Meaning(
            properties=properties,
            entries=entries,
            items=items,
            list_meaning=ListMeaning(merged.get("x-list", "ordered")),
            keys=tuple(tuple(pointer.split("/")[1:]) for pointer in merged.get("x-key", ())),
            granular=merged.get("x-map") == "granular",
            closed=any(branch.get("additionalProperties") is False for branch in branches),
            default=next((b["default"] for b in branches if "default" in b and "const" not in b), None),
            shown_as={canonical(FREE, b["const"]): b["default"] for b in branches if "const" in b and "default" in b},
            on_remove=merged.get("x-on-remove", ABSENT),
            uncompared=bool(merged.get("readOnly") or merged.get("writeOnly")),
            read_only=bool(merged.get("readOnly")),
            immutable=bool(merged.get("x-immutable")),
            sensitive=bool(merged.get("x-sensitive")) or any(part.sensitive for part in parts),
            ref=merged.get("x-ref"),
        )

    def _branches(self, schema: Mapping[str, Any] | bool) -> Iterator[Mapping[str, Any]]:
        if isinstance(schema, bool):
            return
        yield schema
        ref = schema.get("$ref")
        if isinstance(ref, str) and ref.startswith("#/"):
            target: Any = self._root
            for step in ref[2:].split("/"):
                target = target[step]
            yield from self._branches(target)
        for word in self._BRANCHES:
            for branch in schema.get(word, ()):
                yield from self._branches(branch)
        for word in ("then", "else"):
            if word in schema:
                yield from self._branches(schema[word])

    def _add(self, properties: dict[str, Meaning], name: str, meaning: Meaning) -> None:
        known = properties.get(name)
        if known is None or known == FREE:
            properties[name] = meaning
        elif meaning not in (FREE, known):
            raise ValueError(f"two branches of the schema give {name!r} different meanings")
