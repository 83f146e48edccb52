"""Loads schemas and provider files, of the tool and of the project, and validates with them.

`jsonschema` costs a tenth of a second and 5 MB: it is loaded when there is something to say, or no extra `fast`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Final

from reconciler.config.errors import ConfigError, error, has_errors
from reconciler.config.message_text import closest, cut, listed
from reconciler.config.schema.conversion_rules import Conversion, conversion_from
from reconciler.config.schema.fast_validation import Accepts, acceptor
from reconciler.config.schema.project_providers import BESIDE, OwnProviders
from reconciler.config.schema.provider_parser import merged, provider_from
from reconciler.config.schema.schema_errors import SchemaError
from reconciler.config.schema.schema_messages import schema_diagnostics
from reconciler.config.syntax.document import Document
from reconciler.config.syntax.yaml import read_yaml
from reconciler.core.values.model import Json
from reconciler.diagnostics import Code, Source
from reconciler.drivers.provider import Limits, Provider

if TYPE_CHECKING:
    from reconciler.config.schema.validation import Check
    from reconciler.config.targets import Target

Schema = Mapping[str, Any]

_HERE: Final = FilePath(__file__).resolve()
DIALECT: Final = "dialect.schema.json"
MANIFEST: Final = "manifest.schema.json"
CONVERSION: Final = "conversion.schema.json"
MAX_CHAIN: Final = 8
"""How many provider files may extend one another."""


def schema_directory() -> FilePath:
    """Where `schemas/` is: inside the package when installed, beside it in a checkout or editable install."""
    for candidate in (_HERE.parents[2] / "schemas", _HERE.parents[3] / "schemas"):
        if (candidate / DIALECT).is_file():
            return candidate
    raise FileNotFoundError("the schemas of reconciler are not installed; reinstall it")


class Schemas:
    """The schemas and providers of one directory, and a project's own; each is read, and its validator built, once."""

    def __init__(self, directory: FilePath | None = None, own: OwnProviders | None = None) -> None:
        self.directory = schema_directory() if directory is None else directory
        self._own = own
        self._schemas: dict[str, dict[str, Any]] = {}
        self._checks: dict[str, Check] = {}
        self._accepts: dict[str, Accepts] = {}
        self._providers: dict[str, Provider] = {}

    def schema(self, name: str) -> dict[str, Any]:
        """The schema in the file `name`, below the directory; of a project's own, below its own. Raises ConfigError."""
        if self._own is not None and not name.startswith(BESIDE):
            return shipped().schema(name)
        if name not in self._schemas:
            if self._own is not None:
                self._schemas[name] = self._own_schema(self._own.document(name.removeprefix(BESIDE)))
            else:
                self._schemas[name] = json.loads((self.directory / name).read_bytes())
        return self._schemas[name]

    def _own_schema(self, document: Document) -> dict[str, Any]:
        from reconciler.config.schema.schema_limits import refuse_unbounded

        found = refuse_unbounded(document)
        if not has_errors(found):
            found = schema_diagnostics(self.check_dialect(document.value), document, self.schema(DIALECT))
        if has_errors(found) or not isinstance(document.value, dict):
            raise ConfigError(found)
        return document.value

    def failures(self, name: str, value: Json) -> list[SchemaError]:
        """What is wrong with `value` by the schema in the file `name`; empty if nothing is."""
        if self._own is not None and not name.startswith(BESIDE):
            return shipped().failures(name, value)
        if name not in self._accepts:
            # What the patterns of a project match, and in what time, RE2 says: the other engine is not asked.
            unsure = name.startswith(BESIDE) and "pattern" in json.dumps(self.schema(name))
            self._accepts[name] = (None if unsure else acceptor(self.schema(name))) or _unsure
        if self._accepts[name](value):
            return []
        from reconciler.config.schema.validation import UnknownReference, compiled, compiled_own

        if name not in self._checks:
            self._checks[name] = (compiled_own if name.startswith(BESIDE) else compiled)(self.schema(name))
        try:
            return self._checks[name](value)
        except UnknownReference as unknown:
            summary = f"{name} refers to {unknown}, which is not part of this tool; nothing is fetched"
            raise ConfigError([error(Code.UNREADABLE, summary, None)]) from None

    def check_dialect(self, schema: Schema) -> list[SchemaError]:
        """What is wrong with a kind's schema by the dialect; for tests, and for those who write schemas."""
        from reconciler.config.schema.validation import compiled

        return compiled(self.schema(DIALECT), dialect=False)(schema)

    def provider_names(self) -> list[str]:
        """Every provider there is a file for."""
        return sorted({*self.shipped_names(), *(self._own.names() if self._own else ())})

    def shipped_names(self) -> frozenset[str]:
        """The providers that come with the tool."""
        return _names_in(self.directory / "providers")

    def provider(self, name: str, source: Source | None = None) -> Provider:
        """The provider of that name, with what it extends merged in. Raises ConfigError naming `source`."""
        if self._own is not None and name in self.shipped_names() and name not in self._own.names():
            return shipped().provider(name)
        if name not in self._providers:
            known = self.provider_names()
            if name not in known:
                near = closest(name, known)
                hint = f"did you mean {near}?" if near else f"the providers are {listed(known)}"
                raise ConfigError([error(Code.UNKNOWN_PROVIDER, f"unknown provider {cut(name)}", source, hint=hint)])
            provider = provider_from(name, self._provider_fields(name, ()))
            if name not in self.shipped_names():
                inherited = self.provider(base).credentials.values() if (base := self._shipped_below(name)) else ()
                credentials = {
                    key: each if each in inherited else replace(each, of_project=True)
                    for key, each in provider.credentials.items()
                }
                # A file cannot take back that a header of some gateway says where a credential goes on to.
                listed_ones = [self.provider(each).allowed_headers for each in self.shipped_names()]
                carriers = {
                    header: shape
                    for each in listed_ones
                    for header, shape in each.items()
                    if shape.hosts or shape.needs
                }
                headers = {**provider.allowed_headers, **carriers}
                provider = replace(provider, credentials=credentials, allowed_headers=headers)
            self._providers[name] = provider
        return self._providers[name]

    def limits(self, provider: Provider, target: Target) -> Limits:
        """The provider's limits with the target's laid over them."""
        changes: Any = dict(target.limits)
        return replace(provider.limits, **changes)

    def conversion_names(self) -> list[str]:
        """Every provider whose kind manifests can be converted to."""
        return sorted(path.stem for path in (self.directory / "conversions").glob("*.yaml"))

    def conversion(self, provider: str) -> Conversion:
        """How manifests become those of a provider, one of `conversion_names`. Raises ConfigError."""
        file = f"conversions/{provider}.yaml"
        documents, problems = read_yaml((self.directory / file).read_bytes(), file)
        for document in documents:
            problems += schema_diagnostics(self.failures(CONVERSION, document.value), document, self.schema(CONVERSION))
        if problems:
            raise ConfigError(problems)
        return conversion_from(documents[0].value)

    def manifest_schema(self, name: str) -> dict[str, Any]:
        """The schema of a whole manifest, for editors: the kind's, and the `reconciler:` block."""
        from reconciler.config.schema.validation import METASCHEMA

        kind = self.schema(name)
        block = {key: value for key, value in self.schema(MANIFEST).items() if not key.startswith("$")}
        return {
            **kind,
            "$schema": METASCHEMA,
            "properties": {"reconciler": block, **kind["properties"]},
            "$defs": {**kind.get("$defs", {}), **self.schema(MANIFEST)["$defs"]},
        }

    def _provider_fields(self, name: str, extending: tuple[str, ...]) -> dict[str, Any]:
        """One provider file, checked once everything it extends is merged in."""
        document = self._provider_document(name)
        own = document.value
        base = own.pop("extends", None) if isinstance(own, dict) else None
        inherited = None
        if base is not None:
            circle = base in (*extending, name)
            if circle or len(extending) >= MAX_CHAIN or base not in self.provider_names():
                place = document.place(("extends",))
                raise ConfigError([error(Code.UNKNOWN_PROVIDER, f"{name} cannot extend {cut(str(base))}", place)])
            inherited = self._provider_fields(base, (*extending, name))
            own = merged(inherited, own)
        found = schema_diagnostics(
            self.failures("provider.schema.json", own), document, self.schema("provider.schema.json")
        )
        if has_errors(found):
            raise ConfigError(found)
        if self._own is not None and name not in self.shipped_names():
            self._own.check(name, document, inherited)
        return dict(own)

    def _shipped_below(self, name: str | None) -> str | None:
        """The provider that comes with the tool and that one of a project extends, by others or itself."""
        while name is not None and name not in self.shipped_names():
            value: Any = self._provider_document(name).value
            name = value.get("extends")
        return name

    def _provider_document(self, name: str) -> Document:
        if self._own is not None and name in self._own.names():
            document = self._own.provider(name)
            if name in self.shipped_names():
                hint = "give it another name; `extends` inherits from it"
                summary = f"{name} is a built-in provider"
                raise ConfigError([error(Code.UNKNOWN_PROVIDER, summary, document.source, hint=hint)])
            return document
        document = _shipped_document(self.directory, name)
        return replace(document, value=dict(document.value)) if isinstance(document.value, dict) else document


def schemas_of(root: FilePath, environment: Mapping[str, str]) -> Schemas:
    """What comes with the tool, and the providers of a project's own where it has any."""
    own = OwnProviders(root, environment)
    return Schemas(own=own) if own.names() else shipped()


@cache
def _names_in(directory: FilePath) -> frozenset[str]:
    """The providers of a directory that comes with the tool: its files stay as they are."""
    return frozenset(path.stem for path in directory.glob("*.yaml"))


@cache
def _shipped_document(directory: FilePath, name: str) -> Document:
    """A provider file that comes with the tool; nobody may write into what it holds."""
    file = f"providers/{name}.yaml"
    documents, problems = read_yaml((directory / file).read_bytes(), file)
    if problems or len(documents) != 1:
        raise ConfigError(problems or [error(Code.INVALID_YAML, "expected one document", Source(file, 1, 1))])
    return documents[0]


def _unsure(value: Json) -> bool:
    return False


@cache
def shipped() -> Schemas:
    """The schemas and providers that come with the tool."""
    return Schemas()
