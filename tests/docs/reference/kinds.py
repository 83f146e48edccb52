"""One page for each schema of a kind: every field, as `explain` prints it."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.config.schema import descriptions
from reconciler.config.schema.schema_fields import SchemaField, schema_root
from reconciler.config.schema.schemas import Schemas, shipped
from reconciler.config.syntax.yaml_emitter import entry_lines
from reconciler.core.values.model import ABSENT
from tests.docs.reference.markdown import code, page, table

_DEEPEST = 8


def pages() -> dict[str, str]:
    """The page of every kind that a provider has, by path."""
    schemas = shipped()
    return {f"docs/reference/kinds/{slug(name)}.md": _page(schemas, name, used) for name, used in _used(schemas)}


def slug(schema: str) -> str:
    """The name of a schema's page: `openai-agents/agent.schema.json` is `openai-agents-agent`."""
    return schema.removesuffix(".schema.json").replace("/", "-")


def title(schema: str, kind: str) -> str:
    """The kind with its API family: `agent (openai-agents)`."""
    family, is_family, _ = schema.partition("/")
    return f"{kind} ({family})" if is_family else kind


def titles() -> dict[str, str]:
    """The title of every page of a kind, by path."""
    schemas = shipped()
    return {f"docs/reference/kinds/{slug(name)}.md": title(name, used[0][1]) for name, used in _used(schemas)}


def _used(schemas: Schemas) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Every schema of a kind, with (provider, kind) of those that have it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for provider in schemas.provider_names():
        for kind, spec in schemas.provider(provider).kinds.items():
            found.setdefault(spec.schema, []).append((provider, kind))
    yield from sorted(found.items())


def _page(schemas: Schemas, name: str, used: list[tuple[str, str]]) -> str:
    place = schema_root(schemas.schema(name))
    kind = used[0][1]
    providers = ", ".join(code(provider) for provider, _ in used)
    fields = [each for each in place.fields.values() if each.says("readOnly") is not True]
    read_only = [each for each in place.fields.values() if each.says("readOnly") is True]
    return page(
        f"Kind: {title(name, kind)}",
        str(place.words.get("description", "")),
        f"Providers: {providers}. A manifest can also have a [`reconciler:` block](../manifest.md).",
        *(_field(each) for each in fields),
        "## Read-only fields",
        table(
            ("field", "description"),
            ((code(_name(each)), str(each.words.get("description", ""))) for each in read_only),
        ),
    )


def _field(place: SchemaField) -> str:
    rows = [("type", descriptions.type_words(place)), ("limits", "; ".join(map(_safe, descriptions.limits(place))))]
    if place.default is not ABSENT:
        rows.append(("default", f"{code(descriptions.inline_value(place.default))}: returned if not set, never sent"))
    if not place.refused:
        rows += [("compared", descriptions.comparison(place)), ("when removed", descriptions.removal(place))]
    rows.append(("also", "; ".join(descriptions.notes(place))))
    example = descriptions.example(place)
    shown = "" if example is ABSENT else "```yaml\n" + "\n".join(entry_lines(place.path[-1], example)) + "\n```"
    below = table(("field", "type", "description"), (_row(each) for each in _below(place)))
    text = str(place.words.get("description", ""))
    return "\n\n".join(
        part
        for part in (
            f"## {_name(place)}",
            text,
            "\n".join(f"- {label}: {text}" for label, text in rows if text),
            shown,
            below,
        )
        if part
    )


def _below(place: SchemaField) -> Iterator[SchemaField]:
    """Every place below one, depth first; recursive schemas only a few levels deep."""
    if len(place.path) > _DEEPEST:
        return
    for each in (place.item or place).fields.values():
        yield each
        yield from _below(each)


def _row(place: SchemaField) -> tuple[str, str, str]:
    more = "; ".join([*map(_safe, descriptions.limits(place)), *descriptions.notes(place)])
    text = str(place.words.get("description", ""))
    return code(_name(place)), descriptions.type_words(place), f"{text} {f'({more})' if more else ''}"


def _name(place: SchemaField) -> str:
    return ".".join(place.path)


def _safe(limit: str) -> str:
    """A limit; a pattern is code."""
    word, is_pattern, pattern = limit.partition("matches ")
    return f"{word}matches {code(pattern)}" if is_pattern else limit
