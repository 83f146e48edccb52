"""Every verb with its options, and the exit codes, from the command line itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from reconciler.cli.main import root
from reconciler.cli.verbs import VERBS
from reconciler.exits import Exit
from tests.docs.reference.markdown import code, page, table

_ENVIRONMENT = "RECONCILER"
# What each exit code says to a script; the README has the same table.
_SAID = {
    Exit.DONE: "done, or nothing to do",
    Exit.ERROR: "an expected error: bad file, refused, unreachable, usage",
    Exit.CHANGES: "changes (`plan --detailed-exitcode`), drift (`drift`), or something to do (`--check`)",
    Exit.STALE: "the saved plan is stale",
    Exit.BLOCKED: "something is blocked: protected, guarded, same name, foreign owner, conflict, policy, in use …",
    Exit.PARTLY: "partly applied",
    Exit.BUG: "a bug",
    Exit.INTERRUPTED: "interrupted",
}


def pages() -> dict[str, str]:
    """The pages about the command line, by path."""
    context = click.Context(root, info_name="reconciler")
    verbs = [_verb(context, name) for name in VERBS]
    first = "`reconciler [OPTIONS] COMMAND`. The options below can stand before or after the command."
    codes = table(("code", "name", "says"), ((code(int(each)), each.name.lower(), _SAID[each]) for each in Exit))
    return {
        "docs/reference/commands.md": page("Commands", first, _options(root, ()), *verbs),
        "docs/reference/exit-codes.md": page(
            "Exit codes", "A contract with scripts and CI jobs. All outputs are written before a command exits.", codes
        ),
    }


def _verb(context: click.Context, name: str) -> str:
    command = root.get_command(context, name)
    assert command is not None
    inner = click.Context(command, info_name=name, parent=context)
    usage = " ".join(command.collect_usage_pieces(inner))
    said = _paragraphs(inspect.cleandoc(command.help or ""))
    return "\n\n".join(
        part for part in (f"## {name}", f"`reconciler {name} {usage}`", said, _options(command, (name,))) if part
    )


def _paragraphs(text: str) -> str:
    return "\n\n".join(re.sub(r"\s+", " ", part) for part in text.split("\n\n"))


def _options(command: click.Command, path: tuple[str, ...]) -> str:
    rows = (_row(option, path) for option in command.params if isinstance(option, click.Option) and not option.hidden)
    return table(("option", "says", "environment"), rows)


def _row(option: click.Option, path: tuple[str, ...]) -> tuple[str, str, str]:
    names = ", ".join(code(name) for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f" {code(_value(option))}"
    more = [*(["can be repeated"] if option.multiple else []), *_default(option)]
    said = (option.help or "") + (f" ({'; '.join(more)})" if more else "")
    return f"{names}{value}", said, "" if option.name == "version" else code(variable(option, path))


def _value(option: click.Option) -> str:
    context = click.Context(click.Command("any"))
    value = option.make_metavar(context).replace("|", "/")  # a bar ends a cell
    return value[1:-1] if value.startswith("[") else value


def _default(option: click.Option) -> Iterator[str]:
    plain = isinstance(option.default, str | int) and not isinstance(option.default, bool)
    if plain and not option.is_flag and "default" not in (option.help or ""):
        yield f"default {code(option.default)}"


def variable(option: click.Option, path: tuple[str, ...]) -> str:
    """The environment variable that sets an option."""
    words = (_ENVIRONMENT, *path, option.name or "")
    return "_".join(words).upper().replace("-", "_")
