"""`reconciler render`: the manifests as they are sent, and where each value came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.completers import complete_addresses
from reconciler.cli.options import Options
from reconciler.cli.output import say
from reconciler.cli.verbs import verb

if TYPE_CHECKING:
    from reconciler.core.values.model import Address, Body, Json, Manifest, Path
    from reconciler.core.values.semantics import Kind


@verb
@click.command("render")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...", shell_complete=complete_addresses)
@click.option(
    "--format", "form", type=click.Choice(["yaml", "json"]), default="yaml", help="yaml, unless it says json."
)
@click.pass_obj
def command(options: Options, addresses: tuple[str, ...], form: str) -> int:
    """Every value has the place it came from in a comment; sensitive ones are masked."""
    from reconciler.operations.project.session import Session
    from reconciler.render.json import json_text

    session = Session(options)
    loaded = session.load()
    say(options, loaded.diagnostics)
    kinds = {each.kind.name: each.kind for each in session.kinds}
    chosen = _chosen(loaded.manifests, addresses)
    if form == "json":
        click.echo(json_text([_record(each, kinds[each.address.kind]) for each in chosen]), nl=False)
        return 0
    for manifest in chosen:
        click.echo("\n".join(["---", *document_lines(manifest, kinds[manifest.address.kind])]))
    return 0


def _chosen(manifests: Sequence[Manifest], addresses: Sequence[str]) -> Sequence[Manifest]:
    """The manifests of these addresses, or all. Raises ConfigError where one has none."""
    from reconciler.operations.project.address_lookup import known_addresses

    wanted = set(known_addresses(addresses, manifests))
    return [manifest for manifest in manifests if manifest.address in wanted] if wanted else manifests


def document_lines(manifest: Manifest, kind: Kind) -> Iterator[str]:
    """A manifest as a YAML document that the loader reads the same, with a place behind every value."""
    from reconciler.config.syntax.document import BLOCK
    from reconciler.render.escape import visible
    from reconciler.render.view.location import place_of

    yield f"# {visible(str(manifest.address))}"
    # A kind or key that nobody wrote comes from the place of the document.
    options = _Lines(lambda path: str(place_of(manifest.places.get((BLOCK, path[0])) or manifest.source)))
    yield f"{BLOCK}:"
    yield from options.mapping(_options(manifest), (), 2)
    body = _shown(_with_tags(dict(manifest.body), manifest.refs), kind)
    yield from _Lines(lambda path: str(place_of(manifest.place(path)))).mapping(body, (), 0)


def _record(manifest: Manifest, kind: Kind) -> dict[str, Json]:
    body = _shown(dict(manifest.body), kind)
    refs = [{"path": list(path), "address": str(address)} for path, address in manifest.refs.items()]
    places = {path: place for path, place in manifest.places.items() if _has(body, path)}
    return {
        "address": str(manifest.address),
        "reconciler": _options(manifest),
        "body": body,
        "places": [
            {"path": list(path), "file": place.file, "line": place.line, "column": place.column}
            for path, place in places.items()
            if path
        ],
        **({"refs": refs} if refs else {}),
    }


def _shown(body: Body, kind: Kind) -> Body:
    """The body without what is sensitive."""
    from reconciler.render.view.mask import SENSITIVE

    return {name: SENSITIVE if _is_sensitive(kind, name) else value for name, value in body.items()}


def _is_sensitive(kind: Kind, name: str) -> bool:
    meaning = kind.fields.get(name)
    return meaning is not None and meaning.sensitive


def _has(body: Json, path: Path) -> bool:
    """Whether a path leads to a value; what was replaced, removed or masked has places as well."""
    for part in path:
        if isinstance(body, str):
            return False
        try:
            body = body[part]
        except (LookupError, TypeError):
            return False
    return True


def _options(manifest: Manifest) -> dict[str, Json]:
    """What the `reconciler:` block says, as far as it says more than nothing."""
    said: dict[str, Any] = {
        "id": manifest.id,
        "protect": manifest.protect,
        "on_remove": str(manifest.on_remove) if manifest.on_remove else None,
        "ignore": sorted(manifest.ignore),
        "initial": sorted(manifest.initial),
        "moved_from": manifest.moved_from,
        "same_name": "allow" if manifest.same_name_allowed else None,
    }
    kind, key = manifest.address
    return {"kind": kind, "key": key, **{name: value for name, value in said.items() if value}}


def _with_tags(body: Body, refs: Mapping[Path, Address]) -> Body:
    """The body with `!ref` where it refers to other resources."""
    from reconciler.config.syntax.document_builder import copied
    from reconciler.config.syntax.yaml_scalars import Tagged

    found: Any = copied(body)
    for path, address in refs.items():
        around = found
        for part in path[:-1]:
            around = around[part]
        around[path[-1]] = Tagged("!ref", str(address))
    return dict(found)


@dataclass(frozen=True, slots=True)
class _Lines:
    """YAML in block style with a comment behind each leaf; safe to show."""

    place: Callable[[Path], str]

    def mapping(self, value: Mapping[str, Json], path: Path, indent: int) -> Iterator[str]:
        """The entries of a mapping, one below the other."""
        from reconciler.config.syntax.yaml_emitter import key_text

        for name, each in value.items():
            yield from self._entry(f"{' ' * indent}{_safe(key_text(name), name)}:", each, (*path, name), indent)

    def _entry(self, start: str, value: Json, path: Path, indent: int) -> Iterator[str]:
        if isinstance(value, dict) and value:
            yield start
            yield from self.mapping(value, path, indent + 2)
        elif isinstance(value, list) and value:
            yield start
            for index, each in enumerate(value):
                yield from self._entry(f"{' ' * (indent + 2)}-", each, (*path, index), indent + 2)
        else:
            yield from self._leaf(start, value, self.place(path), indent + 2)

    def _leaf(self, start: str, value: Json, place: str, indent: int) -> Iterator[str]:
        from reconciler.config.syntax.yaml_emitter import block_scalar, fits_block, scalar
        from reconciler.render.escape import visible

        if isinstance(value, str) and fits_block(value) and all(visible(each) == each for each in value.split("\n")):
            laid = block_scalar(value, indent)
            yield f"{start} {laid.head}  # {place}"
            yield from laid.body
        else:
            text = scalar(value) if not isinstance(value, dict | list) else "{}" if isinstance(value, dict) else "[]"
            yield f"{start} {_safe(text, value)}  # {place}"


def _safe(text: str, value: Json) -> str:
    """The text of a leaf or key, with what is unseen and what logs obey as escapes in double quotes."""
    from reconciler.config.syntax.yaml_emitter import double_quoted
    from reconciler.render.escape import escaped

    return text if escaped(text) == text or not isinstance(value, str) else escaped(double_quoted(value))
