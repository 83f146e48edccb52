"""`reconciler explain`: what a field is, from the schema."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from reconciler.cli.completers import complete_fields
from reconciler.cli.options import Options
from reconciler.cli.verbs import verb

if TYPE_CHECKING:
    from reconciler.config.schema.schema_fields import Place
    from reconciler.operations.project.session import Session


_CODE: Final = re.compile(r"RC\d{4}", re.IGNORECASE)
_FOR_TESTS: Final = re.compile(r"^<!--.*?-->\n+", re.MULTILINE | re.DOTALL)  # how the example of a page is run


@verb
@click.command("explain")
@click.argument("what", required=False, metavar="[KIND[.FIELD...] | CODE]", shell_complete=complete_fields)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to write it.")
@click.pass_obj
def command(options: Options, what: str | None, form: str) -> int:
    """Without KIND, the kinds of the target. `assistant.tools.function.name` is the name of the function of any tool,
    and `assistant.reconciler` the block of this tool. CODE (RC0201) is the code of a message: what it means and what
    to do. Nothing is asked of the target.
    """
    if what is not None and _CODE.fullmatch(what):
        click.echo(_page(what.upper()))
        return 0
    from reconciler.operations.project.session import Session

    session = Session(options)
    if what is None:
        told = _kinds(session)
    else:
        kind, *names = what.split(".")
        told = _told(kind, _place(session, kind, names))
    import json

    click.echo(json.dumps(told, indent=2, ensure_ascii=False) if form == "json" else _text(told), nl=form == "json")
    return 0


def _page(code: str) -> str:
    """The page of a code, as Markdown. Raises click.BadParameter for a code that no message has."""
    from reconciler.diagnostics import Code

    if code not in set(Code):
        raise click.BadParameter(f"no message of this version has the code {code}", param_hint="CODE")
    package = Path(__file__).resolve().parents[2]
    for directory in (package / "codes", package.parent / "docs/codes"):  # installed; in a checkout
        if (page := directory / f"{code}.md").is_file():
            return _FOR_TESTS.sub("", page.read_text(encoding="utf-8")).strip()
    return f"# {code}: {Code(code).name.lower().replace('_', ' ')}"


def _kinds(session: Session) -> dict[str, Any]:
    kinds = [
        {"name": name, "description": session.schemas.schema(spec.schema).get("description", "")}
        for name, spec in session.provider.kinds.items()
    ]
    return {"provider": session.provider.name, "target": session.target.name, "kinds": kinds}


def _place(session: Session, kind: str, names: list[str]) -> Place:
    """The place of a field. Raises ConfigError naming the nearest there is."""
    from reconciler.config.errors import ConfigError, error
    from reconciler.config.message_text import closest, cut
    from reconciler.config.schema.schema_fields import top
    from reconciler.diagnostics import Code
    from reconciler.operations.project.address_lookup import kind_named

    place = top(session.schemas.manifest_schema(kind_named(session, kind).schema))
    for name in names:
        if (below := place.child(name)) is None:
            known = place.names()
            near = closest(name, known)
            hint = f"did you mean {'.'.join((kind, *place.path, near))}?" if near else ""
            where = ".".join((kind, *place.path))
            detail = f"one of {', '.join(known)}" if known else "no fields"
            raise ConfigError([error(Code.UNKNOWN_FIELD, f"{where} has no field {cut(name)}", None, detail, hint)])
        place = below
    return place


def _told(kind: str, place: Place) -> dict[str, Any]:
    """All there is to say of a place, as JSON; what does not apply is left out."""
    from reconciler.config.schema import descriptions
    from reconciler.config.syntax.document import BLOCK
    from reconciler.core.values.model import ABSENT

    told: dict[str, Any] = {"path": [kind, *place.path], "description": place.words.get("description", "")}
    if place.path:
        ours = place.path[0] == BLOCK
        told |= {
            "type": descriptions.type_words(place),
            "limits": list(descriptions.limits(place)),
            "notes": [*descriptions.notes(place), *(["for this tool only: never sent"] if ours else [])],
        }
        if place.default is not ABSENT:
            told["default"] = place.default
        if not ours and not place.refused:
            told |= {"compared": descriptions.comparison(place), "on_remove": descriptions.removal(place)}
        if (example := descriptions.example(place)) is not ABSENT:
            told["example"] = example
    inner = place.item or place
    told["fields"] = [
        {
            "name": name,
            "type": descriptions.type_words(each),
            "notes": list(descriptions.notes(each)),
            "description": each.words.get("description", ""),
        }
        for name, each in inner.fields.items()
    ]
    return told


def _text(told: dict[str, Any]) -> str:
    from reconciler.cli.explain_text import field_lines, kind_lines

    return "".join(f"{line}\n" for line in (kind_lines if "kinds" in told else field_lines)(told))
