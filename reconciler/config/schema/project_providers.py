"""Reads the provider files and schemas that a project has in its own `providers/`.

They come with pull requests, so they are read like every other file of the project: inside it, and of bounded size. And
they never say where a credential may go: that is for the providers that come with the tool, and the environment. What
they may say without its word is how objects look, not which requests are sent: a credential is inherited, and so are
the paths it goes to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, Final

from reconciler.config.allowed_headers import header_text, is_secret
from reconciler.config.cpu_limit import count_file
from reconciler.config.errors import ConfigError, error
from reconciler.config.message_text import cut
from reconciler.config.schema.provider_parser import merged, provider_from
from reconciler.config.source.project_files import ProjectFiles
from reconciler.config.syntax.document import Document
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.config.syntax.yaml import MAX_BYTES, read_yaml
from reconciler.diagnostics import Code, Diagnostic, Source
from reconciler.drivers.credentials.allow_lists import PROVIDERS, allow_hint, allow_list
from reconciler.drivers.credentials.credential_hosts import refuse_path
from reconciler.drivers.provider import Provider

DIRECTORY: Final = "providers"
BESIDE: Final = "./"
"""How a provider file of a project begins the name of a schema that stands beside it."""
_REFUSED: Final = {
    "hosts": "name the host in RECONCILER_ALLOWED_HOSTS, in the environment: a file cannot decide where a key is sent",
    "embedded": "only built-in providers have an embedded server",
}
_FREE: Final = frozenset({"url", "limits", "headers", "reads", "not_found_field", "unknown_route", "kinds"})
"""What a provider that nobody trusts may say over the one that it extends; its headers are those of the settings."""


class OwnProviders:
    """The provider files of one project. The `environment` says which of them are trusted."""

    def __init__(self, root: FilePath, environment: Mapping[str, str]) -> None:
        self._project = ProjectFiles(root)
        self._directory = root / DIRECTORY
        self._environment = environment

    def names(self) -> list[str]:
        """Every provider there is a file for; none where the project has no directory of them inside it."""
        if not self._project.holds(os.path.realpath(self._directory)):
            return []
        try:
            return sorted(name[:-5] for name in os.listdir(self._directory) if name.endswith(".yaml"))
        except OSError:
            return []

    def document(self, file: str) -> Document:
        """The one document of a file below the directory. Raises ConfigError."""
        shown = f"{DIRECTORY}/{file}"
        place = Source(shown, 1, 1)
        try:
            content = self._project.read(self._project.followed(str(self._directory / file)), MAX_BYTES)
        except UnreadableFile as refused:
            raise ConfigError([refused.diagnostic]) from None
        except ValueError as wrong:
            raise ConfigError([error(Code.FILE_REFUSED, f"{shown} {wrong}", place)]) from None
        except OSError as wrong:
            raise ConfigError([error(Code.UNREADABLE, f"cannot read {shown}: {wrong.strerror}", place)]) from None
        count_file(shown, len(content))
        documents, problems = read_yaml(content, shown)
        if problems or len(documents) != 1:
            raise ConfigError(problems or [error(Code.INVALID_YAML, "expected one document", place)])
        return documents[0]

    def provider(self, name: str) -> Document:
        """A provider file. Raises ConfigError, also where it says what is not for it to say."""
        document = self.document(f"{name}.yaml")
        fields: Any = document.value if isinstance(document.value, dict) else {}
        problems = [
            error(Code.HOST_REFUSED, f"a provider of a project has no {word!r}", document.place((word,)), hint=hint)
            for word, hint in _REFUSED.items()
            if word in fields
        ]
        if problems:
            raise ConfigError(problems)
        return document

    def check(self, name: str, document: Document, base: Mapping[str, Any] | None) -> None:
        """Raise ConfigError where a provider that is not trusted says more than `base`, the one it extends, allows.

        The document is one that `provider.schema.json` accepts.
        """
        fields: Any = document.value
        if name in allow_list(self._environment, PROVIDERS):
            return _refuse_scopes(fields, document)
        if base is None:
            raise ConfigError([self._distrusted(name, "defines which requests are sent", document.source)])
        problems = [
            self._distrusted(name, f"has {word!r}", document.key_place((word,)))
            for word, value in fields.items()
            if word not in _FREE and not (word == "credentials" and value == {})
        ]
        inherited = _routes(base.get("kinds", {}))
        for kind in fields.get("kinds", {}):
            one = {kind: merged(base.get("kinds", {}).get(kind, {}), fields["kinds"][kind])}
            if new := sorted(_routes(one) - inherited):
                what = f"has {new[0][0]} requests sent to {new[0][1]}, which the one it extends does not"
                problems.append(self._distrusted(name, what, document.key_place(("kinds", kind))))
        above = provider_from(name, base)
        if "url" in fields and (
            problem := refuse_path(above, fields["url"], self._environment, document.place(("url",)))
        ):
            problems.append(problem)
        problems += self._headers(above, document)
        if problems:
            raise ConfigError(problems)

    def _headers(self, base: Provider, document: Document) -> Iterator[Diagnostic]:
        """What is wrong with the headers of a provider that is not trusted: they are held to what settings may say."""
        fields: Any = document.value
        kinds = [("kinds", kind, "headers") for kind in fields.get("kinds", {})]
        for path in (("headers",), ("reads", "headers"), *kinds):
            headers: Any = fields
            for step in path:
                headers = headers.get(step, {})
            for header, text in headers.items():
                place = document.place((*path, header))
                try:
                    if is_secret(base, header):
                        hint = "a provider of a project inherits its credentials: remove it"
                        yield error(Code.HEADER_REFUSED, f"the header {cut(header)} is a secret", place, hint=hint)
                    else:
                        header_text(base, header, text, self._environment, place)
                except ConfigError as refused:
                    yield from refused.diagnostics

    def _distrusted(self, name: str, what: str, place: Source) -> Diagnostic:
        summary = f"the provider {name} is not trusted, and {what}"
        hint = f"once you have read it, set {allow_hint(self._environment, PROVIDERS, name)} in the environment"
        return error(Code.PROVIDER_NOT_TRUSTED, summary, place, hint=f"{hint} (not in these files)")


def _refuse_scopes(fields: Mapping[str, Any], document: Document) -> None:
    """Raise ConfigError where a provider, trusted or not, asks for a token: of which scope is no word of a file."""
    hint = "extend the built-in provider that asks for one, and write no `credentials`"
    for key in (key for key, each in fields.get("credentials", {}).items() if "entra_scope" in each):
        place = document.place(("credentials", key, "entra_scope"))
        raise ConfigError([error(Code.HOST_REFUSED, "a provider of a project has no 'entra_scope'", place, hint=hint)])


def _routes(kinds: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The requests that kinds have sent: how, and to which path."""
    found = set()
    for kind in kinds.values():
        path, lists, archive = kind["path"], kind.get("list", {}), kind.get("delete", {}).get("archive")
        found |= {("object", path), ("create", kind.get("create", {}).get("path", path))}
        found |= {(f"list by {lists.get('verb', 'GET')}", lists.get("path", path))}
        found |= {("archive", f"{path}/{archive}")} if archive else set()
        for members in kind.get("members", {}).values():
            found |= {("member", f"{path}{members[word]}") for word in ("path", "batch_path")}
            within = members.get("list", {})
            found |= {(f"list by {within.get('verb', 'GET')}", f"{path}{within.get('path', members['path'])}")}
    return found
