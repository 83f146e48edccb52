"""The verbs, and the words with which the help of each begins: a list of verbs is shown without importing one."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Final, TypeVar

import click

VERBS: Final = {
    "init": "Write a first manifest and settings; on a terminal, ask for what no option says.",
    "validate": (
        "Check every manifest against every target it is for: all problems at once, no network, no credentials."
    ),
    "render": "Print manifests as they are sent to the target: layers, tags and templates resolved. Offline.",
    "plan": "Show what differs between the files and the target, field by field. Sends no write.",
    "apply": "Send the changes that `plan` shows: only the fields that differ, and nothing else.",
    "drift": "Tell whether the live objects we manage still look like the files; exit 2 when one does not.",
    "comment": "Write a plan as a comment on a pull request, or drift as an issue; the same one every time.",
    "pull": (
        "Write a manifest for every live object that nobody manages, and start managing it: its mark, and nothing else."
    ),
    "show": "Show a plan that `plan --out` saved.",
    "graph": "Draw the references among the manifests of the target, offline: Mermaid, DOT or SVG, on stdout.",
    "adopt": "Put the mark of manifest ADDRESS on the live object ID.",
    "release": (
        "Take our mark off the live object of ADDRESS. Nothing else of it is changed; remove its manifest as well."
    ),
    "takeover": (
        "Put our name in the place of OWNER on the live objects of ADDRESSES; without any, of all manifests here."
    ),
    "explain": (
        "Say what KIND or a field of it is: type, limits, default, how it is compared, "
        "what removing it does, an example."
    ),
    "fmt": (
        "Put manifests, what they extend (`_*.yaml`) and settings into the canonical layout; without PATHS, "
        "all of them."
    ),
    "convert": "Rewrite manifests of assistants for an API of agents, comments kept.",
    "doctor": (
        "Check the target step by step: settings, files, credentials, network, API, marks, clock; "
        "exit 1 when one fails."
    ),
    "providers": (
        "Show what each PROVIDER can do: how objects are changed, removed and listed, and what metadata allows."
    ),
    "schema": "Print the JSON Schema of a manifest of KIND: what editors complete and check against.",
    "serve": "Serve the embedded API on loopback, for trying things out and for tests. Ctrl-C ends it.",
    "run": (
        "Keep the target of --target, or all of them, as the files say, until stopped. Writes one JSON line an event."
    ),
    "fleet": "Reconcile with many workers: `submit` puts the work into PostgreSQL, in chunks, and workers do it.",
    "report": "Work with the reports that `apply --report` writes.",
    "unlock": "Name the holder of the target's lock, and take the lock away after confirmation.",
    "completion": "Print the script that completes verbs, options, targets, addresses and fields in SHELL.",
}
"""In the order of a day's work. Where verbs are listed, the first sentence is shown."""

Command = TypeVar("Command", bound=click.Command)


def verb(command: Command) -> Command:
    """The command of a verb; its docstring goes on where the table ends, and need not be there."""
    more = inspect.cleandoc(command.help or "")
    command.help = f"{VERBS[str(command.name)]}\n\n{more}".rstrip()
    return command


def matching_verbs(beginning: str = "") -> Iterator[tuple[str, click.Command]]:
    """The verbs that begin like this, as commands that know their words and can do nothing."""
    return ((name, click.Command(name, help=words)) for name, words in VERBS.items() if name.startswith(beginning))
