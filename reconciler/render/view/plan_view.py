"""A plan as every renderer shows it: masked, escaped, summarised, with diffs.

All texts in a view are safe for a terminal and a log (see `visible`); a renderer adds the quoting of its own format, no
more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from reconciler.core.plan import Plan
from reconciler.core.values.model import Action, Address, Block, Change, Reason, Removal
from reconciler.diagnostics import Source
from reconciler.formats.plan_document import summarise
from reconciler.render.difference.prose_diff import MAX_LINES
from reconciler.render.escape import visible
from reconciler.render.view import labels
from reconciler.render.view.diagnostic_view import DiagnosticView, diagnostic_view
from reconciler.render.view.field_view import FieldView, ViewContext, field_view, has_long_text
from reconciler.render.view.location import ELSEWHERE, Checkout, Location, location_in, location_of
from reconciler.render.view.mask import masked

SETTINGS_FILE: Final = "assistants.d/reconciler.yaml"

_FROM_OUTSIDE: Final = (Reason.DRIFTED, Reason.CONFLICT, Reason.GONE)
_ALL_LINES: Final = 20_000
_FEW_LINES: Final = 8

_MOST_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class BlockView:
    """Why a change is refused: `by` as the plan says it, `words` for people, and what to do."""

    by: str
    words: str
    hint: str


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One resource's difference. `id` is complete, `short_id` fits a line; `is_drift`: it was changed by hand."""

    address: str
    action: str
    marker: str
    id: str
    short_id: str
    place: Location | None
    note: str
    fields: tuple[FieldView, ...] = ()
    blocked: BlockView | None = None
    is_drift: bool = False

    @property
    def kinds_of_change(self) -> tuple[str, ...]:
        """What the fields mean to a reviewer, each kind once."""
        return tuple(dict.fromkeys(field.kind_of_change for field in self.fields))


@dataclass(frozen=True, slots=True)
class PlanView:
    """A whole plan, without its no-ops; those are `unchanged`. `home` stands in for what has no place in a file."""

    target: str
    provider: str
    host: str
    owner: str
    managed: int
    summary: Mapping[str, int]
    changes: tuple[ChangeView, ...]
    diagnostics: tuple[DiagnosticView, ...]
    complete: bool
    home: Location
    against: str | None = None
    sealed: bool = False
    rollback: bool = False

    @property
    def unchanged(self) -> int:
        """How many resources already are as the files say."""
        return self.summary[Action.NOOP]


def plan_view(
    plan: Plan, unchanged: int | None = None, *, checkout: Checkout = ELSEWHERE, settings: str = SETTINGS_FILE
) -> PlanView:
    """The view of a plan. A saved plan holds no no-ops: give their number (`summary.noop` of its document).

    `checkout` says where its files are for a forge; `settings` is the file that stands for what has no place.
    """
    counts = summarise(plan)  # of the whole plan, as its JSON has it: what is folded below is deleted all the same
    plan, replaced = _folded(masked(plan))
    addresses = {change.number: change.address for change in plan.changes}
    frame = ViewContext(plan.sealed, checkout, _room(plan), plan.owner)
    return PlanView(
        target=visible(plan.target.name),
        provider=visible(plan.target.provider),
        host=visible(_host(plan.target.url)),
        owner=visible(plan.owner),
        managed=max(sum(count.objects for count in plan.read.values()) - plan.unmanaged, 0),
        summary=counts if unchanged is None else counts | {Action.NOOP.value: unchanged},
        changes=tuple(
            _change(change, frame, replaced.get(change.address, ()), addresses)
            for change in plan.changes
            if change.action is not Action.NOOP
        ),
        diagnostics=tuple(diagnostic_view(diagnostic, checkout) for diagnostic in plan.diagnostics),
        complete=plan.complete,
        home=location_in(Source(settings, 1, 1), checkout),
        against=None if plan.against is None else visible(plan.against),
        sealed=plan.sealed,
        rollback=plan.rollback,
    )


def _folded(plan: Plan) -> tuple[Plan, Mapping[Address, list[str]]]:
    """The plan with each replacement as one change, because it was one edit; and the ids that each one replaces."""
    made = {c.address for c in plan.changes if c.action is Action.CREATE and c.is_due}
    replaced: dict[Address, list[str]] = {}
    rest: list[Change] = []
    for change in plan.changes:
        if change.removal is Removal.REPLACED and change.is_due and change.address in made:
            replaced.setdefault(change.address, []).append(change.id or "")
        else:
            rest.append(change)
    return replace(plan, changes=tuple(rest)), replaced


def _room(plan: Plan) -> int:
    """Lines for each long text: as many as one may have, fewer where there are hundreds of them."""
    texts = sum(has_long_text(field) for change in plan.changes for field in change.fields)
    return min(MAX_LINES, max(_FEW_LINES, _ALL_LINES // max(texts, 1)))


def _host(url: str) -> str:
    """The host of a URL, never its user or password; the URL itself where it has no host (an embedded server)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.netloc.rpartition("@")[2] or url


def _change(
    change: Change, frame: ViewContext, replaced: Sequence[str], addresses: Mapping[int, Address]
) -> ChangeView:
    block = change.blocked
    reasons = dict(labels.CHANGE_REASONS)
    if change.former_owner == frame.owner:
        reasons[Reason.TAKEOVER] = labels.SIGNED
    known = dict.fromkeys(reasons[reason] for reason in change.reasons if reason in reasons)
    odd = dict.fromkeys(visible(reason) for reason in change.reasons if reason not in set(Reason))
    id = change.id or ""
    return ChangeView(
        address=visible(str(change.address)),
        action=change.action.value,
        marker=labels.MARKERS[change.action] if block is None else labels.BLOCKED_MARKER,
        id=visible(id),
        short_id=_short(id),
        place=location_of(change.source, frame.checkout),
        note=", ".join(
            (
                *known,
                *odd,
                *(f"takes the place of {_short(each)}" for each in replaced if each),
                *_after(change, addresses),
            )
        ),
        fields=tuple(field_view(field, change, frame) for field in change.fields),
        blocked=_block(block) if block else None,
        is_drift=any(reason in _FROM_OUTSIDE for reason in (*change.reasons, *(f.reason for f in change.fields))),
    )


def _short(id: str) -> str:
    return visible(id if len(id) <= 16 else f"{id[:8]}…{id[-3:]}")


def _after(change: Change, addresses: Mapping[int, Address]) -> list[str]:
    """What comes first: the resources whose ids it takes, and the changes it waits for."""
    needs = (addresses[number] for number in change.needs if number in addresses)
    first = sorted({*(address for _, address in change.refs), *needs} - {change.address})
    more = [f"and {len(first) - _MOST_NAMED} more"] if len(first) > _MOST_NAMED else []
    return [f"after {visible(str(address))}" for address in first[:_MOST_NAMED]] + more


def _block(block: Block) -> BlockView:
    by = visible(block.by)
    return BlockView(by, labels.BLOCKERS.get(block.by, by), visible(block.hint))
