"""`providers/` of a project: provider files and schemas of kinds that do not come with the tool.

They come with pull requests, so they are read like every other file of the project: inside it, and of bounded size. And
they never say where a credential may go: that is for the providers that come with the tool, and the environment.
"""

from __future__ import annotations

import os
from pathlib import Path as FilePath
from typing import Any, Final

from reconciler.config.build import Refused
from reconciler.config.document import Document
from reconciler.config.effort import note
from reconciler.config.errors import ConfigError, error
from reconciler.config.files import Project
from reconciler.config.yaml import MAX_BYTES, read_yaml
from reconciler.diagnostics import Code, Source

DIRECTORY: Final = "providers"
BESIDE: Final = "./"
"""How a provider file of a project begins the name of a schema that stands beside it."""
_REFUSED: Final = {
    "hosts": "name the host in RECONCILER_ALLOWED_HOSTS, in the environment: a file cannot say where a key may go",
    "embedded": "only providers that come with the tool have a server in it",
}


class OwnProviders:
    """The provider files of one project."""

    def __init__(self, root: FilePath) -> None:
        self._project = Project(root)
        self._directory = root / DIRECTORY

    def names(self) -> list[str]:
        """Every provider there is a file for; none where the project has no directory of them."""
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
        except Refused as refused:
            raise ConfigError([refused.diagnostic]) from None
        except ValueError as wrong:
            raise ConfigError([error(Code.FILE_REFUSED, f"{shown} {wrong}", place)]) from None
        except OSError as wrong:
            raise ConfigError([error(Code.UNREADABLE, f"cannot read {shown}: {wrong.strerror}", place)]) from None
        note(shown, len(content))
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
