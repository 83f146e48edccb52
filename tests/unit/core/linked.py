"""Two kinds that refer to each other's objects, and short ways to write what does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from reconciler.core.last_applied import NO_BASE, BaseSource
from reconciler.core.matching.index import Observation
from reconciler.core.plan import Plan, Scope
from reconciler.core.references import placeholder
from reconciler.core.values.model import Address, Body, Change, Json, LiveObject, Manifest, Path
from reconciler.core.values.semantics import Kind
from reconciler.formats.dialect import compile_schema
from tests.unit.core.build import OWNER, made_plan, manifest

_LABELS = {"type": "object", "additionalProperties": {"type": "string"}, "default": {}, "x-map": "granular"}


def _one(kind: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "default": None, "x-on-remove": None, "x-ref": kind}


def _some(kind: str) -> dict[str, Any]:
    return {
        "type": "array",
        "x-list": "set",
        "default": [],
        "x-on-remove": [],
        "items": {"type": "string", "x-ref": kind},
    }


STORE = Kind(
    "store",
    compile_schema({"type": "object", "properties": {"title": {"type": "string"}, "labels": _LABELS}}),
    "labels",
)
BOT = Kind(
    "bot",
    compile_schema(
        {
            "type": "object",
            "properties": {
                "text": {"type": "string"},
                "store": _one("store"),
                "stores": _some("store"),
                "search": {"type": "object", "default": {}, "properties": {"ids": _some("store")}},
                "named": {
                    "type": "object",
                    "default": {},
                    "additionalProperties": {"type": "string", "x-ref": "store"},
                },
                "next": _one("bot"),
                "labels": _LABELS,
            },
        }
    ),
    "labels",
)


def at(text: str) -> Address:
    """An address from its text."""
    return Address.parse(text)


def store(key: str, **block: Any) -> Manifest:
    """A store of its own content."""
    return manifest(key, {"title": key}, STORE, **block)


def bot(key: str, body: Body | None = None, refs: Mapping[Path, str] | None = None, **block: Any) -> Manifest:
    """A bot of its own content that refers to addresses in some places, as files say it before any id is known."""
    wanted: Body = {"text": key, **(body or {})}
    for path, address in (refs or {}).items():
        _stand_in(wanted, path, placeholder(at(address)))
    return manifest(key, wanted, BOT, refs={path: at(address) for path, address in (refs or {}).items()}, **block)


def _stand_in(container: Json, path: Path, value: str) -> None:
    for step, following in pairwise(path):
        container = container.setdefault(step, [] if isinstance(following, int) else {})
    if isinstance(container, list):
        container.append(value)
    else:
        container[path[-1]] = value


def planned(
    files: Iterable[Manifest] = (),
    stores: Iterable[LiveObject] = (),
    bots: Iterable[LiveObject] = (),
    base: BaseSource = NO_BASE,
    **scope: Any,
) -> Plan:
    """The plan of both kinds; stores come before the bots that refer to them."""
    observed = [Observation(STORE, tuple(stores), 1), Observation(BOT, tuple(bots), 1)]
    return made_plan(Scope(OWNER, **scope), list(files), observed, base)


def change_of(found: Plan, address: str) -> Change:
    """The only change of an address."""
    [change] = [change for change in found.changes if change.address == at(address)]
    return change


def blocker(found: Plan, address: str) -> str | None:
    """What blocks the only change of an address."""
    block = change_of(found, address).blocked
    return None if block is None else block.by.value


def order(found: Plan) -> list[str]:
    """What a plan does, in its order."""
    return [f"{change.action.value} {change.address}" for change in found.changes]


def pointing(key: str, address: str, **block: Any) -> Manifest:
    """A bot that refers to one other object."""
    return bot(key, refs={("store" if address.startswith("store/") else "next",): address}, **block)
