"""Did the remote do what it was asked? Every answer to a write is compared with what was sent and what was there.

Without this, a gateway that overrides a field or a server that ignores one shows up as a difference that never ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.core.model import (
    ABSENT,
    Body,
    Json,
    Unit,
)
from reconciler.core.semantics import MARK_ENTRY, Kind, meaning_of, same, units
from reconciler.diagnostics import Code, Diagnostic, Severity

_OVERRIDDEN: Final = "a gateway may override it, or the remote ignores it: until then every plan shows it again"
_MEDDLED: Final = "somebody changed it at the same moment, or a gateway overrides it"


def verify(kind: Kind, address: str, sent: Body, prior: Body | None, answer: Body) -> tuple[Diagnostic, ...]:
    """Findings: units that were sent and not kept, and units that changed though nobody sent them.

    `prior` is the object before the write, None for a create (what a create leaves out is the remote's to fill in).
    """
    return tuple(_findings(kind, address, sent, prior, answer))


def _findings(kind: Kind, address: str, sent: Body, prior: Body | None, answer: Body) -> Iterator[Diagnostic]:
    wanted, found = units(kind, sent), units(kind, answer)
    granular = {name for name in sent if (meaning := kind.fields.get(name)) and meaning.granular}
    whole_maps = granular if kind.maps == "whole" else set()
    for unit, value in wanted.items():
        if not _uncompared(kind, unit) and not same(meaning_of(kind, unit), value, found.get(unit)):
            yield _not_kept(address, unit, found.get(unit, ABSENT))
    marked = kind.mark_field in whole_maps or _mark(kind, sent, ABSENT) is not ABSENT
    if marked and _mark(kind, sent) != _mark(kind, answer):
        yield _not_kept(address, (kind.mark_field, MARK_ENTRY), _mark(kind, answer))
    before = units(kind, prior) if prior is not None else {}
    for unit in {**before, **(found if prior is not None else {})}:
        known = unit[0] in kind.fields and not _uncompared(kind, unit)
        if not known or unit in wanted:
            continue
        if unit[0] in whole_maps and unit in before:
            if unit in found:
                yield _said(address, unit, Code.NOT_KEPT, "was taken away, but the remote kept it", _OVERRIDDEN)
        elif not same(meaning_of(kind, unit), before.get(unit), found.get(unit)):
            yield _said(address, unit, Code.CHANGED_UNASKED, "was not sent, but changed with this write", _MEDDLED)


def _uncompared(kind: Kind, unit: Unit) -> bool:
    return meaning_of(kind, unit).uncompared


def _mark(kind: Kind, body: Body, otherwise: Json = None) -> Json:
    carrier = body.get(kind.mark_field)
    return carrier.get(MARK_ENTRY, otherwise) if isinstance(carrier, dict) else otherwise


def _not_kept(address: str, unit: Unit, got: Json) -> Diagnostic:
    shown = "nothing" if got is ABSENT or got is None else "another value"
    return _said(address, unit, Code.NOT_KEPT, f"was sent, but the remote answered with {shown}", _OVERRIDDEN)


def _said(address: str, unit: Unit, code: Code, what: str, hint: str) -> Diagnostic:
    return Diagnostic(Severity.WARNING, code, f"{'.'.join(unit)} {what}", hint=hint, address=address)
