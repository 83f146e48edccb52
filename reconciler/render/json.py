"""Plans and outcomes as JSON text, exact and complete; sensitive values are masked, and then it says so."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.document import document_text, outcomes_document, plan_document
from reconciler.core.model import Diagnostic, Outcome, Plan
from reconciler.render.mask import masked


def plan_json(plan: Plan) -> str:
    """A plan as `plan --format json` prints it. Where nothing is sensitive it is the saved plan, byte for byte."""
    shown = masked(plan)
    return document_text(plan_document(shown, masked=shown is not plan))


def outcomes_json(plan: Plan, outcomes: Sequence[Outcome], diagnostics: Sequence[Diagnostic] = ()) -> str:
    """What an apply did, as `apply --format json` prints it."""
    return document_text(outcomes_document(plan, outcomes, diagnostics))
