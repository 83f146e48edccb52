"""What a sealed plan says of policies that are not kept: that there are some, and nothing of what they quote."""

from __future__ import annotations

import json
from dataclasses import replace

from reconciler.core.plan import Plan
from reconciler.core.values.model import Block, Blocker
from reconciler.diagnostics import Code, Diagnostic, Severity
from reconciler.formats.plan_document import document_text, plan_document
from reconciler.formats.policy_input import refused
from reconciler.formats.redact import redact
from tests.unit.core.build import ASSISTANT, SOURCE, manifest, plan, the_change

TELLTALE = "Nightingale"
UNSAID = "a policy is violated: `reconciler plan` shows which"
VERDICT = Diagnostic(
    Severity.ERROR,
    Code.POLICY,
    f"no-names: instructions say {TELLTALE}",
    f"expected no {TELLTALE}",
    f"take {TELLTALE} out",
    SOURCE,
    "assistant/k",
)


def judged(*said: Diagnostic) -> Plan:
    """A sealed plan of one change to which policies said something."""
    open_plan = plan([manifest("k", {"model": "m"})])
    changes = tuple(refused(change, said) for change in open_plan.changes)
    return redact(replace(open_plan, changes=changes, diagnostics=said), {"assistant": ASSISTANT})


def test_a_policy_that_is_not_kept_blocks_and_quotes_nothing() -> None:
    found = judged(VERDICT)
    assert the_change(found).blocked == Block(Blocker.POLICY, UNSAID)
    assert TELLTALE not in document_text(plan_document(found))


def test_where_and_how_much_it_matters_is_still_said() -> None:
    warning = replace(VERDICT, severity=Severity.WARNING)
    said = Diagnostic(Severity.WARNING, Code.POLICY, UNSAID, source=SOURCE, address="assistant/k")
    assert judged(warning).diagnostics == (said,)
    assert the_change(judged(warning)).blocked is None


def test_what_is_said_and_blocked_for_other_reasons_stays() -> None:
    copied = Diagnostic(Severity.WARNING, Code.COPY, "o2 is a copy of o1", hint="look")
    assert judged(copied).diagnostics == (copied,)
    open_plan = plan([manifest("k", {"model": "m"}, id="none")])
    found = redact(open_plan, {"assistant": ASSISTANT})
    assert the_change(found).blocked == the_change(open_plan).blocked
    assert json.loads(document_text(plan_document(found)))["blocked"][0]["by"] == "no-such-id"
