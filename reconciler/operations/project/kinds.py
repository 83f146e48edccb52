"""The kinds of a provider as the core knows them: its schemas and its data, compiled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reconciler.config.checks.mark_length import max_mark
from reconciler.config.schema.schemas import Schemas
from reconciler.core.values.marks import MAX_LENGTH, Signing
from reconciler.core.values.semantics import Kind, ListMeaning, Meaning
from reconciler.drivers.provider import MembersStyle, Provider, ProviderKind
from reconciler.engine.members import unmanaged_members_field
from reconciler.engine.snapshot import KindOnTarget
from reconciler.engine.state.filename_mark_driver import MARK
from reconciler.engine.state.lockfile import NAME as LOCK_FILE
from reconciler.formats.dialect import compile_schema


def kinds_of(
    provider: Provider, schemas: Schemas, signing: Callable[[], Signing | None] = lambda: None, *, beside: bool = False
) -> tuple[KindOnTarget, ...]:
    """The kinds of a provider as the core knows them, in the order of its data file.

    `signing` gives what their marks are signed with. With marks `beside` the manifests, objects carry theirs in a field
    of the lock file's name (see `engine.lockfile`).
    """
    kinds = (_kind(name, spec, schemas, beside) for name, spec in provider.kinds.items())
    return tuple(
        KindOnTarget(kind, provider.kinds[kind.name].created_field, provider.kinds[kind.name].members, signing)
        for kind in kinds
    )


def _kind(name: str, spec: ProviderKind, schemas: Schemas, beside: bool) -> Kind:
    schema = schemas.schema(spec.schema)
    fields = {**compile_schema(schema)}
    own = schema["properties"].get(spec.mark_field or "", {}).get("maxProperties")
    if spec.upload is not None:
        ours = {spec.upload.content: Meaning(immutable=True), spec.upload.digest: Meaning(uncompared=True)}
        fields |= {**ours, MARK: Meaning(granular=True)}
        fields.pop(spec.upload.labels, None)
        return Kind(name, fields, MARK, immutable=True)
    for field, style in spec.members.items():
        fields[field] = _map_of(fields[field].items or Meaning(), style)
        fields[unmanaged_members_field(field)] = Meaning(list_meaning=ListMeaning.SET, default=[], read_only=True)
    return Kind(
        name,
        {**fields, LOCK_FILE: Meaning(granular=True)} if beside else fields,
        LOCK_FILE if beside or spec.mark_field is None else spec.mark_field,
        spec.name_field,
        spec.update.nested,
        spec.coupled,
        max_mark=MAX_LENGTH if beside else max_mark(schema, spec.mark_field),
        max_entries=None if own is None else own + 1,  # the mark is one more than the user's own
        marked_beside=beside,
        maps=spec.update.maps,
        absent=spec.update.absent,
        archives=spec.delete.archive is not None,
        expired=spec.expired,
    )


def _map_of(entry: Meaning, style: MembersStyle) -> Meaning:
    """A collection is a map from keys to what is in it; in a manifest its list is shorthand for that."""
    fixed = {*style.sent} - {style.id_field, *style.modifiable}
    parts = {name: replace(part, immutable=name in fixed) for name, part in entry.properties.items()}
    # Shown by the remote alone, and compared: an entry is as wanted once the remote is done with it.
    parts[style.status_field] = Meaning(default=style.done, read_only=True)
    return Meaning(granular=True, managed_entries=True, entries=replace(entry, properties=parts))
