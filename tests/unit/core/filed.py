"""A kind whose objects cannot be changed, one that holds them in a managed map, and one that refers to that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.core.matching.index import Observation, mark_of
from reconciler.core.plan import Plan, Scope, make_plan
from reconciler.core.references import placeholder
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import Address, Body, Change, Json, LiveObject, Manifest
from reconciler.core.values.semantics import Kind, Meaning
from reconciler.formats.dialect import compile_schema
from tests.unit.core.build import OWNER, TARGET, manifest
from tests.unit.core.linked import BOT

_LABELS = {"type": "object", "additionalProperties": {"type": "string"}, "default": {}, "x-map": "granular"}
_ENTRY = Meaning(
    properties={
        "paper": Meaning(ref="paper"),
        "tags": Meaning(entries=Meaning(), default={}),
        "cut": Meaning(default="auto", immutable=True),
        "key": Meaning(uncompared=True, read_only=True),
        "state": Meaning(default="ready", read_only=True),
    },
    closed=True,
)
PAPER = Kind(
    "paper",
    {
        "text": Meaning(immutable=True),
        "title": Meaning(immutable=True),
        "source": Meaning(uncompared=True),
        "mark": Meaning(granular=True),
    },
    "mark",
    immutable=True,
)
SHELF = Kind(
    "store",
    {
        **compile_schema(
            {
                "type": "object",
                "properties": {
                    "title": {"type": "string"},
                    "status": {"type": "string", "readOnly": True},
                    "labels": _LABELS,
                },
            }
        ),
        "papers": Meaning(granular=True, managed_entries=True, entries=_ENTRY),
        "papers of others": Meaning(default=[], read_only=True),
    },
    "labels",
    expired=("status", "expired"),
)


def paper(key: str, text: str = "", **block: Any) -> Manifest:
    """A paper of its own text."""
    return manifest(key, {"text": text or key, "title": f"{key}.txt", "source": f"/{key}"}, PAPER, **block)


def on_paper(id: str, key: str, text: str = "", created: float = 1, nonce: str = "", owner: str = OWNER) -> LiveObject:
    """A live paper with a mark."""
    mark = f"1 {owner} {key} {nonce or id.replace('-', '')} - -"
    body = {"id": id, "text": text or key, "title": f"{key}.txt", "mark": {"reconciler": mark}}
    return LiveObject("paper", id, body, created)


def entry(id: str, key: str, **more: Json) -> tuple[str, Body]:
    """An entry of a managed map as it is live, with its key."""
    return key, {"paper": id, "state": "ready", **more}


def shelf(key: str, papers: Mapping[str, Body] | None = None, body: Body | None = None, **block: Any) -> Manifest:
    """A shelf; `papers` has what is said of each paper, by its key."""
    wanted: Body = {"title": key, **(body or {})}
    refs = {}
    if papers is not None:
        wanted["papers"] = {
            each: {"paper": placeholder(Address("paper", each)), **said} for each, said in papers.items()
        }
        refs = {("papers", each, "paper"): Address("paper", each) for each in papers}
    return replace(manifest(key, wanted, SHELF, refs=refs), **block)


def on_shelf(id: str, key: str, entries: Iterable[tuple[str, Body]] | None = None, **body: Json) -> LiveObject:
    """A live shelf that is ours and manages its title and papers."""
    from reconciler.core.values.marks import codes

    units = "".join(sorted(codes([("title",), ("papers",)])))
    held = {} if entries is None else {"papers": dict(entries)}
    mark = f"1 {OWNER} {key} {id.replace('-', '')} - {units}"
    return LiveObject("store", id, {"id": id, "title": key, **held, **body, "labels": {"reconciler": mark}}, 1)


def filed(
    files: Iterable[Manifest] = (),
    papers: Iterable[LiveObject] = (),
    shelves: Iterable[LiveObject] = (),
    bots: Iterable[LiveObject] = (),
    **scope: Any,
) -> Plan:
    """The plan of the three kinds; this machine uploaded the papers, unless `made_here` says which."""
    papers = tuple(papers)
    scope.setdefault("made_here", {mark.nonce for each in papers if isinstance(mark := mark_of(PAPER, each), Mark)})
    observed = [
        Observation(PAPER, papers, 1),
        Observation(SHELF, tuple(shelves), 1),
        Observation(BOT, tuple(bots), 1),
    ]
    return make_plan(TARGET, Scope(OWNER, **scope), "sha256:0", files, observed)


def due(plan: Plan) -> list[str]:
    """What a plan does, in its order."""
    return [
        f"{change.action} {change.address} {change.id or ''}".strip()
        for change in plan.changes
        if change.is_due and change.action != "noop"
    ]


def of(plan: Plan, address: str, action: str | None = None) -> Change:
    """The only change of an address (of an action)."""
    found = [c for c in plan.changes if str(c.address) == address and (action is None or c.action == action)]
    (change,) = found
    return change
