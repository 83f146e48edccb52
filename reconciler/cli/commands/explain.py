"""`reconciler explain`: what a field is, from the schema."""

from __future__ import annotations

import re
from typing import Final

import click

from reconciler.cli.options.completers import complete_fields
from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb

_CODE: Final = re.compile(r"RC\d{4}", re.IGNORECASE)


@verb
@click.command("explain")
@click.argument("what", required=False, metavar="[KIND[.FIELD...] | CODE]", shell_complete=complete_fields)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Output format.")
@click.pass_obj
def command(options: Options, what: str | None, form: str) -> int:
    """Without an argument, it lists the kinds of the target. With KIND or a field, it shows type, limits, default, how
    the field is compared, what removing it does, and an example: `assistant.tools.function.name` is the name of the
    function of any tool, `assistant.reconciler` is the block of this tool. With CODE (RC0201), it shows what a message
    means and how to fix it. Sends no request.
    """
    from reconciler.operations.reference.code_pages import code_page

    if what is not None and _CODE.fullmatch(what):
        if (page := code_page(what.upper())) is None:
            raise click.BadParameter(f"no message of this version has the code {what.upper()}", param_hint="CODE")
        click.echo(page)
        return 0

    import json

    from reconciler.cli.output.explain_text import description_text
    from reconciler.operations.project.project_target import ProjectTarget
    from reconciler.operations.reference.fields import describe_field, describe_kinds

    target = ProjectTarget(options)
    description = describe_kinds(target) if what is None else describe_field(target, *what.split("."))
    click.echo(
        json.dumps(description, indent=2, ensure_ascii=False) if form == "json" else description_text(description),
        nl=form == "json",
    )
    return 0
