"""`reconciler completion`: what makes a shell complete the command line."""

from __future__ import annotations

import click

from reconciler.cli.verbs import verb


@verb
@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Completes verbs, options, targets, addresses and fields. Bash (4.4 or newer) and zsh, in .bashrc or .zshrc: `eval
    "$(reconciler completion bash)"`. Fish, in config.fish: `reconciler completion fish | source`.
    """
    from click.shell_completion import get_completion_class

    root = click.get_current_context().find_root().command
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(root, {}, "reconciler", "_RECONCILER_COMPLETE").source())
    return 0
