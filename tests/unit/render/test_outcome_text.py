"""The text of an apply."""

from collections.abc import Callable

from reconciler.core.values.model import Action, Address
from reconciler.diagnostics import Code, Diagnostic, Severity
from reconciler.formats.outcome import Outcome, Result
from reconciler.render.terminal import outcome_text


def address(key: str) -> Address:
    return Address("assistant", key)


def test_one_of_each_result(golden: Callable[[str, str], None]) -> None:
    refused = Diagnostic(
        Severity.ERROR,
        Code.REJECTED,
        "400 \x1b[31mbad model",
        "a model of this account",
        "see `explain assistant.model`",
    )
    lost = Diagnostic(Severity.ERROR, Code.UNRESOLVED_CREATE, "the answer was lost", hint="run plan in 30 seconds")
    kept = Diagnostic(Severity.WARNING, Code.NOT_KEPT, "temperature was sent as 0.7 and is 1", address="assistant/a")
    done = [
        Outcome(address("a"), Action.UPDATE, Result.DONE, "asst_1", 1, "req_1", findings=(kept,)),
        Outcome(address("b"), Action.CREATE, Result.FAILED, None, 3, "req_2", refused),
        Outcome(address("c"), Action.CREATE, Result.UNKNOWN, None, 2, None, lost),
        Outcome(address("d"), Action.DELETE, Result.SKIPPED, "asst_4"),
        Outcome(address("e"), Action.UPDATE, Result.ALREADY_APPLIED, "asst_5"),
        Outcome(address("f"), Action.NOOP, Result.DONE, "asst_6"),
    ]
    golden("outcomes.txt", outcome_text.render(done))


def test_nothing_done() -> None:
    assert outcome_text.render([]) == "0 done. 0 requests.\n"
