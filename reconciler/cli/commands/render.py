"""`reconciler render`: the manifests as they are sent, and where each value came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from reconciler.cli.options.completers import complete_addresses
from reconciler.cli.options.global_options import Options
from reconciler.cli.output.destinations import print_diagnostics
from reconciler.cli.verbs import verb

if TYPE_CHECKING:
    from reconciler.core.values.model import Manifest


@verb
@click.command("render")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...", shell_complete=complete_addresses)
@click.option("--format", "form", type=click.Choice(["yaml", "json"]), default="yaml", help="Output format.")
@click.pass_obj
def command(options: Options, addresses: tuple[str, ...], form: str) -> int:
    """Layers, tags and templates are resolved. A comment gives the origin of each value. Sensitive values are
    masked.
    """
    from reconciler.cli.output.manifest_text import document_lines, record
    from reconciler.operations.project.project_target import ProjectTarget
    from reconciler.render.json import json_text

    target = ProjectTarget(options)
    loaded = target.load()
    print_diagnostics(options, loaded.diagnostics)
    kinds = {each.kind.name: each.kind for each in target.kinds}
    chosen = _chosen(loaded.manifests, addresses)
    if form == "json":
        click.echo(json_text([record(each, kinds[each.address.kind]) for each in chosen]), nl=False)
        return 0
    for manifest in chosen:
        click.echo("\n".join(["---", *document_lines(manifest, kinds[manifest.address.kind])]))
    return 0


def _chosen(manifests: Sequence[Manifest], addresses: Sequence[str]) -> Sequence[Manifest]:
    """The manifests of these addresses, or all. Raises ConfigError where one has none."""
    from reconciler.operations.project.address_lookup import addresses_of_manifests

    wanted = set(addresses_of_manifests(addresses, manifests))
    return [manifest for manifest in manifests if manifest.address in wanted] if wanted else manifests
