"""Renders plans and outcomes as JSON, complete except for masked sensitive values."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from reconciler.core.plan import Plan
from reconciler.core.values.model import Json
from reconciler.diagnostics import Diagnostic
from reconciler.formats.outcome import Outcome
from reconciler.formats.plan_document import diagnostics_document, document_text, outcomes_document, plan_document
from reconciler.render.view.mask import masked

_LOG_COMMAND: Final = re.compile(r"##(?=\w*\[)")


def plan_json(plan: Plan) -> str:
    """A plan as `plan --format json` prints it. Where nothing is sensitive it is the saved plan."""
    shown = masked(plan)
    return without_commands(document_text(plan_document(shown, masked=shown is not plan)))


def outcomes_json(plan: Plan, outcomes: Sequence[Outcome], diagnostics: Sequence[Diagnostic] = ()) -> str:
    """What an apply did, as `apply --format json` prints it."""
    return without_commands(document_text(outcomes_document(plan, outcomes, diagnostics)))


def diagnostics_json(found: Sequence[Diagnostic]) -> str:
    """Problems alone, as `validate --format json` prints them, and every command that cannot go on."""
    return without_commands(document_text(diagnostics_document(found)))


def json_text(value: Json) -> str:
    """A value of another format made of JSON: ASCII, indented, ending with a line break."""
    return without_commands(json.dumps(value, indent=2, allow_nan=False) + "\n")


def without_commands(text: str) -> str:
    """The same JSON with no `##[`, which a runner obeys wherever it stands in a line. A `#` stands only in strings."""
    return _LOG_COMMAND.sub(r"\\u0023#", text)
