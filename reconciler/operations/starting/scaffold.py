"""The files a project starts with, as texts; nothing is written here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reconciler.config.edit.write_manifests import FileLayout, NewManifest, new_files
from reconciler.config.schema import descriptions
from reconciler.config.schema.editor_schema import editor_schema
from reconciler.config.schema.schema_fields import schema_root
from reconciler.config.schema.schemas import Schemas
from reconciler.config.settings import SCHEMA as SETTINGS_SCHEMA
from reconciler.config.syntax import yaml_emitter
from reconciler.config.syntax.yaml_scalars import KNOWN_TAGS
from reconciler.config.targets import LOCAL
from reconciler.core.values.model import ABSENT, Address, Body
from reconciler.drivers.provider import Provider, default_kind
from reconciler.operations.starting.ci_pipelines import github_workflow, gitlab_pipeline

REMOTE: Final = "production"
"""The name of the target that is not the embedded server."""
EDITOR_SETTINGS: Final = ".vscode/settings.json"
_SCHEMAS: Final = ".vscode/reconciler"

_PROMPT: Final = """\
You are the first to answer customers who write to the help desk.

- Answer from what you know of the product, politely and in the customer's language.
- Keep to one question at a time, and say what you need to know to go on.
- Where money, safety or an account is concerned, hand over to a colleague and say so.
"""
_EXAMPLE: Final[Mapping[str, Any]] = {
    "model": "gpt-4o-mini",
    "name": "Help desk",
    "description": "First answer to customers who write to the help desk.",
    "instructions": _PROMPT,
    "system": _PROMPT,
    "metadata": {"team": "support"},
    "temperature": 0.3,
}
_ABOUT: Final = """\
# The body of the API's create request: `reconciler explain {kind}` lists all fields.

"""


@dataclass(frozen=True, slots=True)
class ProjectChoices:
    """What was chosen: who manages, the provider, its url where it has none of its own, and the directory of files."""

    owner: str
    provider: Provider
    url: str | None
    directory: str

    @property
    def variables(self) -> list[str]:
        """The environment variables of the credentials that the settings name."""
        named = [(name, each) for name, each in self.provider.credentials.items() if each.env]
        wanted = [each.env for at, (_, each) in enumerate(named) if each.required or at == 0]
        return [name for name in wanted if name]


def provider_lines(schemas: Schemas) -> Iterator[str]:
    """The providers and where each is, the embedded servers first: those need no account."""
    providers = [schemas.provider(name) for name in schemas.provider_names()]
    width = max(len(each.name) for each in providers)
    for each in sorted(providers, key=lambda each: (not each.embedded, each.name)):
        where = f"{', '.join(each.hosts)}" if each.url else "your own url"
        yield f"  {each.name:<{width}}  {'in this process, no account needed' if each.embedded else where}"


def settings_text(start: ProjectChoices) -> str:
    """`reconciler.yaml`."""
    lines = [
        "# The owner: written to every object, so that teams can share an account.",
        f"owner: {yaml_emitter.scalar(start.owner)}",
        "",
        "# Objects whose manifest was removed: none (they stay), or owned (those of this owner are deleted).",
        "prune: none",
    ]
    provider = start.provider
    if not provider.embedded or provider.name != "local":
        lines += ["", f"default_target: {REMOTE}", "targets:", f"  {REMOTE}:", f"    provider: {provider.name}"]
        lines += [f"    url: {yaml_emitter.scalar(start.url)}"] if start.url else []
        named = [name for name, each in provider.credentials.items() if each.env in start.variables and each.env]
        if named:
            lines += ["    credentials:", *(f"      {n}: !env {provider.credentials[n].env}" for n in named)]
        others = [name for name in provider.credentials if name not in named]
        lines += [f"      # also: {', '.join(others)}"] if others and named else []
    return "".join(f"{line}\n" for line in lines)


def first_manifest(start: ProjectChoices, schemas: Schemas) -> dict[str, bytes]:
    """A first manifest and its prompt, by their path below the directory."""
    kind = default_kind(start.provider)
    kind = kind if kind in start.provider.kinds else next(iter(start.provider.kinds))
    spec = start.provider.kinds[kind]
    body: Body = {}
    for name, place in schema_root(schemas.schema(spec.schema)).fields.items():
        wanted = _EXAMPLE.get(name) if place.says("readOnly") is not True else None
        if wanted is not None and _fits(wanted, place.types):
            body[name] = wanted
        elif place.required and (made := descriptions.example(place)) is not ABSENT:
            body[name] = made
    block: dict[str, Any] = {} if kind == default_kind(start.provider) else {"kind": kind}
    local = schemas.provider(LOCAL).kinds.get(kind)
    if local is None or local.schema != spec.schema:  # the embedded server, which every project has, knows it otherwise
        block = {"kind": kind, "targets": [REMOTE]}
    manifest = NewManifest(Address(kind, "help-desk"), "help-desk", body, block, spec.prose_field)
    files = new_files(manifest, FileLayout())
    path = next(iter(files))
    return {**files, path: _ABOUT.format(kind=kind).encode() + files[path]}


def _fits(value: object, types: Sequence[str]) -> bool:
    names = {str: "string", float: "number", dict: "object"}
    return names[type(value)] in types


def editor_files(start: ProjectChoices, schemas: Schemas) -> dict[str, str]:
    """Settings of Visual Studio Code for the common YAML extension, and the schemas they name."""
    directory = start.directory
    others = ("reconciler.yaml", "**/_*", "**/_*/**")  # the settings, and what manifests extend or take rows from
    manifests = [f"{directory}/**/*.yaml", f"{directory}/**/*.yml", *(f"!{directory}/{each}" for each in others)]
    settings = {
        "yaml.schemas": {
            f"{_SCHEMAS}/manifest.schema.json": manifests,
            f"{_SCHEMAS}/settings.schema.json": [f"{directory}/reconciler.yaml"],
        },
        "yaml.customTags": [f"{tag} scalar" for tag in KNOWN_TAGS],
        "json.schemas": [{"fileMatch": [f"/{directory}/**/*.json"], "url": f"./{_SCHEMAS}/manifest.schema.json"}],
    }
    return {
        EDITOR_SETTINGS: _json(settings),
        f"{_SCHEMAS}/manifest.schema.json": _json(_any_manifest(start.provider, schemas)),
        f"{_SCHEMAS}/settings.schema.json": _json(schemas.schema(SETTINGS_SCHEMA)),
        **{
            f"{_SCHEMAS}/{kind}.schema.json": _json(editor_schema(schemas.manifest_schema(spec.schema)))
            for kind, spec in _kinds(start)
        },
    }


def _kinds(start: ProjectChoices) -> list[tuple[str, Any]]:
    return list(start.provider.kinds.items())


def _any_manifest(provider: Provider, schemas: Schemas) -> dict[str, Any]:
    """The schema of the kind that a manifest names, or of the default kind."""

    def named(kinds: Sequence[str]) -> dict[str, Any]:
        block = {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": list(kinds)}}}
        return {"type": "object", "required": ["reconciler"], "properties": {"reconciler": block}}

    default = default_kind(provider)
    branches = [
        {"if": named([kind]), "then": {"$ref": f"{kind}.schema.json"}} for kind in provider.kinds if kind != default
    ]
    if default in provider.kinds:
        others = [kind for kind in provider.kinds if kind != default]
        branches.append({"if": {"not": named(others)}, "then": {"$ref": f"{default}.schema.json"}})
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "A manifest", "allOf": branches}


def pipeline_files(start: ProjectChoices, forge: str, directory: str) -> dict[str, str]:
    """The CI job of a forge, `github` or `gitlab`; `directory` is where the project is in its repository."""
    if forge == "github":
        return {".github/workflows/gitops.yml": github_workflow(start.variables, directory)}
    return {".gitlab-ci.yml": gitlab_pipeline(start.variables, directory)}


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
