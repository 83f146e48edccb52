"""The command line: global options, one lazily loaded module for each verb, and what an exception becomes.

`--help` and `--version` load no verb: these live in `reconciler.cli.commands.VERB` as `command`, and import what
they need when they run.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NoReturn

import click

from reconciler import __version__
from reconciler.cli.exits import Exit
from reconciler.cli.options.completers import complete_targets
from reconciler.cli.standard_streams import keep_streams
from reconciler.cli.verbs import GROUPS, VERBS, examples, matching_verbs

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from reconciler.operations.invalid_argument import InvalidArgument

_OTHER_VERBS: Final = {
    **dict.fromkeys(("diff", "preview", "status"), "plan"),
    **dict.fromkeys(("sync", "up", "deploy", "push", "update"), "apply"),
    **dict.fromkeys(("check", "lint", "test"), "validate"),
    **dict.fromkeys(("import", "refresh", "export"), "pull"),
    "format": "fmt",
    **dict.fromkeys(("new", "create", "bootstrap"), "init"),
    **dict.fromkeys(("server", "start"), "serve"),
    **dict.fromkeys(("help", "describe"), "explain"),
    **dict.fromkeys(("login", "auth", "ping"), "doctor"),
}
"""A verb of another tool → the one here."""
_OTHER_OPTIONS: Final = {
    **dict.fromkeys(("--auto-approve", "-y"), "Did you mean '--yes'?"),
    "--dry-run": "`reconciler plan` shows what apply would change.",
    "--json": "Did you mean '--format json'?",
    "-o": "Did you mean '--out', or '--format'?",
    "-t": "Did you mean '--target'?",
    "-f": "Did you mean '--dir'?",
}
"""An option of another tool → what to do here."""
_NO_VERB: Final = {
    **dict.fromkeys(
        ("destroy", "delete", "rm", "remove"),
        "Remove the manifest, then run `apply`: with `prune: owned` in the settings, it deletes the live object.",
    ),
    "rollback": "`apply --rollback-out FILE` writes a plan that undoes the apply; `apply FILE` runs it.",
    "version": "Use the option --version.",
}
"""A verb of another tool that has none here → what to do instead."""
_EXAMPLES: Final = ("init", "plan", "apply")


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the global options wherever they stand: people write `plan --target production`."""
        return super().parse_args(ctx, _global_first(args, self.params))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order of their groups."""
        return list(VERBS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs in their groups, each with its summary."""
        width = max(map(len, VERBS))
        for title, group in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), each.summary) for name, each in group.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The verbs that begin like this, and the options: as click does it, which would import every verb."""
        from click.shell_completion import CompletionItem

        verbs = [CompletionItem(name, help=each.get_short_help_str()) for name, each in matching_verbs(incomplete)]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command; None for a word that is no verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"reconciler.cli.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that the arguments begin with. Raises UsageError, with the verb that was probably meant."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from reconciler.config.message_text import closest

            near = _OTHER_VERBS.get(args[0]) or closest(args[0], VERBS)
            hint = _NO_VERB.get(args[0]) or (f"Did you mean {near!r}?" if near else "")
            ctx.fail(f"No such command {args[0]!r}. {hint}".rstrip())
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb. An expected failure is reported in the formats that `--format` names."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.exceptions.Abort, click.ClickException):
            raise
        except Exception as problem:
            from reconciler.cli.expected_errors import report_failure
            from reconciler.cli.options.global_options import REMEMBERED_FORMATS
            from reconciler.operations.invalid_argument import InvalidArgument

            if isinstance(problem, InvalidArgument):
                raise self._usage_error(ctx, problem) from None
            if (
                ctx.obj is None
                or (status := report_failure(problem, ctx.obj, ctx.meta.get(REMEMBERED_FORMATS, ()))) is None
            ):
                raise
            return status

    def _usage_error(self, ctx: click.Context, problem: InvalidArgument) -> click.UsageError:
        """What an operation refuses of the options of the verb that ran, as click tells it."""
        name = ctx.invoked_subcommand or ""
        command = self.get_command(ctx, name)
        here = click.Context(command, ctx, name) if command else ctx
        return click.BadParameter(problem.diagnostic.summary, here, param_hint=problem.argument)


def _global_first(args: list[str], options: Sequence[click.Parameter]) -> list[str]:
    """The arguments with the global options and their values in front; after `--` everything stays."""
    flags = {name: bool(getattr(option, "is_flag", False)) for option in options for name in option.opts}
    for name in ("--version", "--help", "-h"):
        flags.pop(name, None)
    first: list[str] = []
    rest: list[str] = []
    left = iter(args)
    for argument in left:
        if argument == "--":
            rest += [argument, *left]
        elif argument.partition("=")[0] in flags:
            takes_next = not flags[argument.partition("=")[0]] and "=" not in argument
            first += [argument, *([value] if takes_next and (value := next(left, None)) is not None else [])]
        else:
            rest.append(argument)
    return first + rest


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, epilog=examples(_EXAMPLES))
@click.version_option(__version__, prog_name="reconciler")
@click.option("-C", "directory", type=click.Path(), help="Run in this directory.")
@click.option("--dir", "dirs", multiple=True, type=click.Path(), help="Directory of manifests; default: assistants.d.")
@click.option(
    "--target",
    metavar="TARGET",
    help="Target to use; default: default_target in the settings.",
    shell_complete=complete_targets,
)
@click.option("-v", "--verbose", is_flag=True, help="Print details on stderr.")
@click.option("-q", "--quiet", is_flag=True, help="Print only results and errors.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="When to colour the output."
)
@click.option("--allow-secret-like", is_flag=True, help="Warn instead of failing on values that look like API keys.")
@click.pass_context
def root(
    ctx: click.Context,
    directory: str | None,
    dirs: tuple[str, ...],
    target: str | None,
    verbose: bool,
    quiet: bool,
    color: str,
    allow_secret_like: bool,
) -> None:
    """Assistants as code: plan and apply AI assistants from files.

    The YAML files in assistants.d/ describe the assistants. `plan` shows field by field what differs from the live
    objects. `apply` sends only the changed fields.

    Options can stand before or after the command. Every option can be set as RECONCILER_*.
    """
    from reconciler.cli.options.global_options import Options, project_places
    from reconciler.tree import NotBelow, real_directory_of

    options = Options(*project_places(directory, dirs), target, allow_secret_like, verbose, quiet, color)
    try:
        real_directory_of(options.directory)
    except NotBelow as wrong:
        raise click.ClickException(f"-C: {wrong.strerror}") from None
    ctx.obj = options


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line with these arguments (default: the process's) and exit with its code."""
    keep_streams()
    _leave_no_core()
    try:
        code = root.main(arguments, standalone_mode=False, auto_envvar_prefix="RECONCILER")
        status = int(code) if isinstance(code, int) else Exit.DONE
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        status = Exit.INTERRUPTED
    except click.exceptions.Exit as leaving:
        status = leaving.exit_code
    except click.ClickException as problem:
        (_suggested(problem) if isinstance(problem, click.NoSuchOption) else problem).show()
        status = Exit.ERROR
    except Exception:
        click.echo(_bug_report(), err=True)
        status = Exit.BUG
    sys.exit(int(status))


def _leave_no_core() -> None:
    """Have a crash write nothing of this process's memory to disk, nor one of git or a worker: there are keys in it."""
    with suppress(ImportError, ValueError, OSError):  # Windows writes none
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _suggested(problem: click.NoSuchOption) -> click.UsageError:
    """The same error with the option that was probably meant; global options can stand after the verb as well."""
    from reconciler.config.message_text import closest

    parameters = [*root.params, *(problem.ctx.command.params if problem.ctx else ())]
    known = [name for each in parameters for name in each.opts if name.startswith("--")]
    near = closest(problem.option_name, known)
    hint = _OTHER_OPTIONS.get(problem.option_name) or (f"Did you mean '{near}'?" if near else "")
    return click.UsageError(f"No such option '{problem.option_name}'. {hint}".rstrip(), problem.ctx)


def _bug_report() -> str:
    import platform
    import traceback

    where = f"reconciler {__version__}, Python {platform.python_version()}, {platform.platform()}"
    trace = traceback.format_exc(limit=-8)
    return f"{trace}\nThis is a bug in reconciler ({where}).\nPlease report it with the lines above."
