"""Writes a plan and its outcomes as JSON documents: `schemas/plan.schema.json` in code.

    plan -> plan_document -> text -> parse.plan_from_document -> the same plan

No-ops are counted and not listed; everything else comes back as it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final

from reconciler.core.decide import DEFAULT_POLICY, ConflictPolicy
from reconciler.core.plan import Plan
from reconciler.core.values.model import ABSENT, Action, Change, FieldChange, Json, Reason, Unit
from reconciler.diagnostics import Diagnostic, Severity, Source
from reconciler.formats.outcome import Outcome, Result

FORMAT_VERSION: Final = "2"


def summarise(plan: Plan) -> dict[str, int]:
    """How many changes there are of each sort; a blocked change counts as blocked and not under its action."""
    free = [change.action for change in plan.changes if change.blocked is None]
    counts = {action.value: free.count(action) for action in Action}
    return counts | {
        "blocked": len(plan.changes) - len(free),
        "drifted": sum(Reason.DRIFTED in change.reasons for change in plan.changes),
        "conflict": sum(Reason.CONFLICT in change.reasons for change in plan.changes),
        "unmanaged": plan.unmanaged,
    }


def plan_document(plan: Plan, *, masked: bool = False) -> dict[str, Json]:
    """The JSON document of a plan. `masked` says that values in it were replaced for display: it cannot be applied."""
    changes = [change for change in plan.changes if change.action is not Action.NOOP]
    document = _head(plan, "plan") | {
        "applyable": _is_applyable(plan, masked) and any(change.is_due for change in changes),
        **({} if plan.against is None else {"against": plan.against}),
        **_present(masked=masked or None, sealed=plan.sealed or None, rollback=plan.rollback or None),
        **_policy(plan.policy),
        "read": {kind: {"objects": c.objects, "requests": c.requests} for kind, c in sorted(plan.read.items())},
        "summary": summarise(plan),
        "changes": [_change(change) for change in changes],
        "blocked": _blocked(plan),
        "diagnostics": [_diagnostic(diagnostic) for diagnostic in plan.diagnostics],
    }
    return document | {"digest": digest_of(document)}


def _policy(policy: ConflictPolicy) -> dict[str, Json]:
    """What was decided about the changes of others, where it is not the usual."""
    resolve = {} if policy.resolve is None else {"resolve": str(policy.resolve)}
    return {} if policy == DEFAULT_POLICY else {"policy": {"on_drift": str(policy.on_drift), **resolve}}


def _is_applyable(plan: Plan, masked: bool) -> bool:
    return plan.complete and not masked and plan.against is None


def outcomes_document(
    plan: Plan, outcomes: Sequence[Outcome], diagnostics: Sequence[Diagnostic] = ()
) -> dict[str, Json]:
    """The JSON document of an apply: what happened to each change, and totals."""
    results = [outcome.result for outcome in outcomes]
    totals = {result.value: results.count(result) for result in Result}
    return _head(plan, "apply") | {
        "outcomes": [_outcome(outcome) for outcome in outcomes],
        "totals": totals | {"requests": sum(outcome.requests for outcome in outcomes)},
        "blocked": _blocked(plan),
        "diagnostics": [_diagnostic(diagnostic) for diagnostic in diagnostics],
    }


def diagnostics_document(diagnostics: Sequence[Diagnostic]) -> dict[str, Json]:
    """The JSON document of problems where there is no plan; `ok` where none of them stops a command."""
    return {
        "format_version": "1",
        "kind": "diagnostics",
        "ok": all(diagnostic.severity is not Severity.ERROR for diagnostic in diagnostics),
        "diagnostics": [_diagnostic(diagnostic) for diagnostic in diagnostics],
    }


def document_text(document: Mapping[str, Json]) -> str:
    """The document as ASCII text: whatever it quotes, no control character reaches a terminal or a log."""
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def digest_of(document: Mapping[str, Json]) -> str:
    """`sha256:…` over everything in a document but its digest."""
    rest = {name: value for name, value in document.items() if name != "digest"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _head(plan: Plan, kind: str) -> dict[str, Json]:
    target = plan.target
    where = {"name": target.name, "provider": target.provider, "url": target.url}
    return {
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "target": where if target.account is None else where | {"account": target.account},
        "owner": plan.owner,
        "config_digest": plan.config_digest,
        "complete": plan.complete,
    }


def _present(**values: Json) -> dict[str, Json]:
    """The values that say something: neither None nor empty text."""
    return {name: value for name, value in values.items() if value is not None and value != ""}


def _source(source: Source | None) -> dict[str, Json] | None:
    return source._asdict() if source else None


def _change(change: Change) -> dict[str, Json]:
    block = change.blocked
    return {
        "number": change.number,
        "address": str(change.address),
        "action": change.action.value,
        **({} if change.id is None else {"id": change.id}),
        "reasons": [str(reason) for reason in change.reasons],
        **_present(source=_source(change.source)),
        "fields": [_field(field) for field in change.fields],
        "units": [list(unit) for unit in change.units],
        **({} if change.patch is None else {"patch": change.patch}),
        **({"expects": _digests(change.expects)} if change.expects else {}),
        **({"seals": _digests(change.seals)} if change.seals else {}),
        **({"refs": [{"path": list(path), "address": str(at)} for path, at in change.refs]} if change.refs else {}),
        **({"needs": list(change.needs)} if change.needs else {}),
        **_present(removal=change.removal and str(change.removal), former_owner=change.former_owner),
        **({"replaces": list(change.replaces)} if change.replaces else {}),
        **({"same_name": "allow"} if change.same_name_allowed else {}),
        **({} if block is None else {"blocked": {"by": str(block.by), "hint": block.hint}}),
    }


def _digests(digests: Mapping[Unit, str]) -> list[Json]:
    """Digests by unit; the empty unit stands for the whole object."""
    return [{"unit": list(unit), "digest": digests[unit]} for unit in sorted(digests)]


def _field(field: FieldChange) -> dict[str, Json]:
    return {
        "path": list(field.path),
        **({} if field.before is ABSENT else {"before": field.before}),
        **({} if field.after is ABSENT else {"after": field.after}),
        "reason": str(field.reason),
        **_present(source=_source(field.source), sensitive=field.sensitive or None),
    }


def _blocked(plan: Plan) -> list[Json]:
    return [
        {"address": str(c.address), "action": c.action.value, "by": str(c.blocked.by), "hint": c.blocked.hint}
        for c in plan.changes
        if c.blocked is not None
    ]


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Json]:
    d = diagnostic
    head = {"severity": str(d.severity), "code": str(d.code), "summary": d.summary}
    return head | _present(detail=d.detail, hint=d.hint, source=_source(d.source), address=d.address)


def _outcome(outcome: Outcome) -> dict[str, Json]:
    return {
        "number": outcome.number,
        "address": str(outcome.address),
        "action": outcome.action.value,
        "outcome": outcome.result.value,
        **_present(id=outcome.id),
        "requests": outcome.requests,
        **_present(request_id=outcome.request_id, error=_diagnostic(outcome.error) if outcome.error else None),
        "findings": [_diagnostic(finding) for finding in outcome.findings],
    }
