"""The one exception that carries what to tell."""

from reconciler.diagnostics import Code, Diagnostic, ReconcilerError, Severity


def test_it_says_all_of_its_problems_and_keeps_the_first_at_hand() -> None:
    found = [Diagnostic(Severity.ERROR, Code.STALE_PLAN, said) for said in ("one", "two")]
    problem = ReconcilerError(found)
    assert str(problem) == "one; two"
    assert problem.diagnostics == tuple(found)
    assert problem.diagnostic == found[0]
