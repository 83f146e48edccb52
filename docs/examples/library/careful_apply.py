"""Apply a project if only prompts changed; otherwise leave it to a person.

python careful_apply.py DIRECTORY [TARGET]
"""

from __future__ import annotations

import sys

from reconciler import Action, Plan, ReconcilerError, Result, apply, load, plan

HARMLESS = {"instructions", "description"}


def is_harmless(planned: Plan) -> bool:
    """Whether every change is an update of harmless fields."""
    due = [change for change in planned.changes if change.is_due or change.blocked]
    return all(
        change.blocked is None
        and change.action is Action.UPDATE
        and {field.path[0] for field in change.fields} <= HARMLESS
        for change in due
    )


def main(directory: str, target: str | None = None) -> int:
    """Plan, check and apply. Return 1 after a failure, and 2 if a person must review the changes."""
    try:
        with load(directory, target=target) as project:
            planned = plan(project)
            if not is_harmless(planned):
                for change in planned.changes:
                    print(f"needs a person: {change.action} {change.address}")
                return 2
            outcomes = apply(project, planned)
    except ReconcilerError as problem:
        for each in problem.diagnostics:
            print(f"{each.source or directory}: {each.summary} [{each.code}]", file=sys.stderr)
        return 1
    for outcome in outcomes:
        print(f"{outcome.result}: {outcome.action} {outcome.address}")
    return 0 if all(outcome.result in (Result.DONE, Result.ALREADY_APPLIED) for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
