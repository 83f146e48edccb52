"""Objects that another one takes the place of: those that cannot be changed, and those whose time is over.

The new object is made first and used first; the old one is *superseded*, and goes last. Its deletion belongs to the
replacement: nobody has to allow it, but it waits until nothing live uses the object any more.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.desired import managed_units
from reconciler.core.model import LiveObject, Manifest
from reconciler.core.pairing import Index, Managed
from reconciler.core.semantics import Kind, canonical, meaning_of, same, units


def is_expired(kind: Kind, live: LiveObject) -> bool:
    """Whether the remote says that the object's time is over."""
    return kind.expired is not None and live.body.get(kind.expired[0]) == kind.expired[1]


def stands(kind: Kind, manifest: Manifest, live: LiveObject) -> bool:
    """Whether an object can be the manifest's: what cannot be changed is as it should be."""
    if manifest.renew and is_expired(kind, live):
        return False
    if not kind.fixed:
        return True
    present = units(kind, live.body)
    compared = (each for each in managed_units(kind, manifest).items() if not meaning_of(kind, each[0]).uncompared)
    return all(same(meaning_of(kind, unit), value, present.get(unit)) for unit, value in compared)


def claims(found: Index, key: str) -> list[Managed]:
    """The objects of ours that claim a key, oldest first."""
    first = found.ours.get(key)
    return [first, *found.twins.get(key, ())] if first else []


def standing(found: Index, manifests: Mapping[str, Manifest]) -> dict[str, Managed]:
    """For a kind whose objects cannot be changed, the object of each key that has one.

    It is told by its content: one of its own key, else one that lost its manifest (a renamed file is the same file).
    """
    result: dict[str, Managed] = {}
    for key, manifest in manifests.items():
        if own := next((each for each in claims(found, key) if stands(found.kind, manifest, each.live)), None):
            result[key] = own
    orphans: dict[str, list[Managed]] = {}
    for key in sorted(found.ours.keys() - manifests.keys()):
        for owned in claims(found, key):
            orphans.setdefault(_content(found.kind, owned), []).append(owned)
    for key in sorted(manifests.keys() - result.keys()):
        alike = orphans.get(_wanted(found.kind, manifests[key]))
        if alike:
            result[key] = alike.pop(0)
    return result


def _content(kind: Kind, owned: Managed) -> str:
    present = units(kind, owned.live.body)
    fields = (name for name, meaning in kind.fields.items() if not (meaning.uncompared or meaning.granular))
    return "\n".join(f"{name} {canonical(kind.fields[name], present.get((name,)))}" for name in sorted(fields))


def _wanted(kind: Kind, manifest: Manifest) -> str:
    body = manifest.body
    fields = (name for name, meaning in kind.fields.items() if not (meaning.uncompared or meaning.granular))
    return "\n".join(f"{name} {canonical(kind.fields[name], body.get(name))}" for name in sorted(fields))
