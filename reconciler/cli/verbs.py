"""The verbs in groups, each with its summary and examples: help lists them without importing a verb."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeVar

import click


class Verb(NamedTuple):
    """The summary, which help also shows in the list of verbs, and what to type, without `reconciler`."""

    summary: str
    examples: tuple[str, ...]


GROUPS: Final = {
    "Start": {
        "init": Verb("Create settings and a first manifest.", ("init", "--target openai-assistants init --ci github")),
        "pull": Verb("Import unmanaged live objects into manifests.", ("pull", "pull 'Support*' --yes")),
        "convert": Verb("Rewrite manifests for the API of another provider.", ("convert --to openai-agents --diff",)),
        "explain": Verb(
            "Describe a kind, a field or a message code.", ("explain assistant.temperature", "explain RC0201")
        ),
    },
    "Daily": {
        "validate": Verb(
            "Check all manifests for all their targets, offline.",
            ("validate", "validate --format sarif=problems.sarif"),
        ),
        "plan": Verb(
            "Show field by field what differs from the target.",
            ("plan", "plan assistant/helpdesk", "plan --out plan.json --format html=plan.html"),
        ),
        "apply": Verb(
            "Send the changed fields to the target.", ("apply", "apply plan.json --yes --report report.json")
        ),
        "drift": Verb("Report live objects that differ from the files.", ("drift", "--target production drift")),
        "render": Verb("Print manifests as they are sent, offline.", ("render assistant/helpdesk",)),
        "show": Verb("Show a saved plan.", ("show plan.json", "show plan.json --format html=plan.html")),
        "fmt": Verb("Format manifests and settings.", ("fmt", "fmt --check --diff assistants.d/support")),
        "graph": Verb("Draw the references between manifests, offline.", ("graph --format svg > graph.svg",)),
    },
    "Ownership": {
        "adopt": Verb("Start managing one live object.", ("adopt assistant/helpdesk asst_123",)),
        "release": Verb("Stop managing one live object, without deleting it.", ("release assistant/helpdesk",)),
        "takeover": Verb(
            "Transfer ownership of live objects to this project.", ("takeover --from other-team assistant/helpdesk",)
        ),
    },
    "CI": {
        "comment": Verb(
            "Post a plan to a pull request, or drift as an issue.",
            ("comment --provider github --file plan.md", "comment --provider gitlab --file drift.md --drift"),
        ),
        "report": Verb("Merge the reports of a sharded apply.", ("report merge report-*.json --out report.json",)),
    },
    "Servers": {
        "run": Verb(
            "Reconcile continuously, until stopped.", ("run --interval 60", "--target production run --listen :8080")
        ),
        "fleet": Verb(
            "Reconcile with many workers and a PostgreSQL queue.",
            ("fleet init", "fleet submit", "fleet worker --processes 4"),
        ),
        "serve": Verb("Serve the embedded API for trials and tests.", ("serve --port 8000",)),
    },
    "Tools": {
        "doctor": Verb(
            "Check settings, files, credentials, network and API.", ("doctor", "--target production doctor")
        ),
        "providers": Verb("List what each provider supports.", ("providers", "providers portkey --format json")),
        "schema": Verb("Print the JSON Schema of a kind, for editors.", ("schema assistant > assistant.schema.json",)),
        "unlock": Verb("Remove the target lock of a run that died.", ("--target production unlock",)),
        "completion": Verb("Print the completion script of a shell.", ('eval "$(reconciler completion bash)"',)),
    },
}
"""In the order of first use, and inside a group of how often it is used."""

VERBS: Final = {name: verb for group in GROUPS.values() for name, verb in group.items()}

Command = TypeVar("Command", bound=click.Command)


def verb(command: Command) -> Command:
    """The command of a verb: its help begins with the summary, goes on with its docstring and ends with examples."""
    about = VERBS[str(command.name)]
    more = inspect.cleandoc(command.help or "")
    command.help = f"{about.summary}\n\n{more}".rstrip()
    command.epilog = examples(about.examples)
    return command


def examples(lines: tuple[str, ...]) -> str:
    """The end of a help text; a line that is more than a call of the tool comes as it is."""
    calls = [line if "reconciler" in line else f"reconciler {line}" for line in lines]
    return "\n".join(["\b", "Examples:" if len(lines) > 1 else "Example:", *(f"  {call}" for call in calls)])


def matching_verbs(beginning: str = "") -> Iterator[tuple[str, click.Command]]:
    """The verbs that begin like this, as commands with a help text that do nothing."""
    return (
        (name, click.Command(name, help=each.summary)) for name, each in VERBS.items() if name.startswith(beginning)
    )
