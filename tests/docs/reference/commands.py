"""Every verb with its options, and the exit codes, from the command line itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from reconciler.cli.exits import Exit
from reconciler.cli.main import root
from reconciler.cli.verbs import VERBS
from tests.docs.reference.markdown import code, page, table

_ENVIRONMENT = "RECONCILER"
# What each exit code means to a script; the README has the same table.
_MEANING = {
    Exit.DONE: "success, or no changes",
    Exit.ERROR: "an expected error: invalid file, refused or failed request, wrong usage",
    Exit.CHANGES: "changes (`plan --detailed-exitcode`), drift (`drift`), or files to rewrite (`--check`)",
    Exit.STALE: "the saved plan is stale",
    Exit.BLOCKED: "at least one change is blocked: protected, guarded, same name, other owner, conflict, policy …",
    Exit.PARTLY: "partially applied",
    Exit.BUG: "a bug in reconciler",
    Exit.INTERRUPTED: "interrupted",
}


def pages() -> dict[str, str]:
    """The pages about the command line, by path."""
    context = click.Context(root, info_name="reconciler")
    verbs = [_verb(context, name) for name in VERBS]
    first = "`reconciler [OPTIONS] COMMAND`. The global options below can be given before or after the command."
    codes = table(("code", "name", "meaning"), ((code(int(each)), each.name.lower(), _MEANING[each]) for each in Exit))
    return {
        "docs/reference/commands.md": page("Commands", first, _options(root, ()), *verbs),
        "docs/reference/exit-codes.md": page(
            "Exit codes",
            "Scripts and CI jobs can rely on these codes. A command writes all its outputs before it exits.",
            codes,
        ),
    }


def _verb(context: click.Context, name: str) -> str:
    command = root.get_command(context, name)
    assert command is not None
    inner = click.Context(command, info_name=name, parent=context)
    usage = " ".join(command.collect_usage_pieces(inner))
    text = _paragraphs(inspect.cleandoc(command.help or ""))
    return "\n\n".join(
        part for part in (f"## {name}", f"`reconciler {name} {usage}`", text, _options(command, (name,))) if part
    )


def _paragraphs(text: str) -> str:
    return "\n\n".join(re.sub(r"\s+", " ", part) for part in text.split("\n\n"))


def _options(command: click.Command, path: tuple[str, ...]) -> str:
    rows = (_row(option, path) for option in command.params if isinstance(option, click.Option) and not option.hidden)
    return table(("option", "description", "environment"), rows)


def _row(option: click.Option, path: tuple[str, ...]) -> tuple[str, str, str]:
    names = ", ".join(code(name) for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f" {code(_value(option))}"
    more = [*(["can be repeated"] if option.multiple else []), *_default(option)]
    text = (option.help or "") + (f" ({'; '.join(more)})" if more else "")
    return f"{names}{value}", text, "" if option.name == "version" else code(variable(option, path))


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
