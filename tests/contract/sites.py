"""What the contract is tried on: for each provider a server, and a hand that works there without our provider data.

`vendors/NAME.yaml` describes a vendor for the provider NAME (or for those it lists under `providers`). Its server is
a profile of the embedded server, a real one, or, from the description, a mock.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import httpx
import yaml
from hypothesis import find, settings
from hypothesis.strategies import SearchStrategy

from reconciler.config.schema.schemas import Schemas, schemas_of
from reconciler.server import create_app
from tests.contract import guide, langgraph_server
from tests.contract.mock import Mock
from tests.strategies import bodies

NUL = "\\u0000"
VENDORS = Path(__file__).parent / "vendors"
Json = Any


@dataclass(frozen=True)
class Case:
    """One kind of one provider, and what is known of its vendor."""

    provider: str
    kind: str
    vendor: Mapping[str, Any]
    schemas: Schemas

    def __str__(self) -> str:
        return f"{self.provider}-{self.kind}"

    @property
    def said(self) -> Mapping[str, Any]:
        """What the description says of the kind."""
        found: Mapping[str, Any] = self.vendor["kinds"][self.kind]
        return found

    @property
    def schema(self) -> dict[str, Any]:
        """Our schema of the kind."""
        return self.schemas.schema(self.schemas.provider(self.provider).kinds[self.kind].schema)

    @cached_property
    def bodies(self) -> SearchStrategy[dict[str, Json]]:
        """Bodies that the vendor takes: valid by our schema, with what no schema can know as the description has it."""
        pin, left_out = self.said.get("pin", {}), self.said.get("leave_out", ())
        never_null = self.said.get("never_null", ())
        found = bodies(self.schema).map(
            lambda body: (
                {
                    name: value
                    for name, value in body.items()
                    if name not in left_out and not (value is None and name in never_null)
                }
                | pin
            )
        )
        return found if self.said.get("takes_nul", True) else found.filter(lambda body: NUL not in json.dumps(body))

    def least(self) -> dict[str, Json]:
        """The smallest body."""
        required = self.schema.get("required", ())
        narrow = {**self.schema, "properties": {name: self.schema["properties"][name] for name in required}}
        body: dict[str, Json] = find(bodies(narrow), lambda _: True, settings=settings(max_examples=1, database=None))
        return body | self.said.get("pin", {})


@dataclass
class Site:
    """A server to try a case on. `app` answers in this process; without one, `url` is served by another."""

    case: Case
    url: str
    app: Any = None
    headers: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        transport = httpx.WSGITransport(app=self.app) if self.app else None
        headers = self.case.vendor.get("headers", {}) if self.headers is None else self.headers
        query = self.case.vendor.get("query", {})
        self._client = httpx.Client(transport=transport, headers=headers, params=query, timeout=30)

    def make(self, body: Json) -> str:
        """An object made by hand; its id."""
        made = self._ask("create", "", body)
        return str(made[self.case.said["id"]["field"]])

    def read(self, id: str) -> dict[str, Json]:
        """An object as the server has it, spelled as it was sent."""
        found: dict[str, Json] = self._ask("read", id)
        shown_as = self.case.said.get("shown_as", {})
        return found | {ids: [each["id"] for each in found[field]] for ids, field in shown_as.items()}

    def edit(self, id: str, patch: Json) -> None:
        """A change by hand; where what is left out is cleared, of all of the object."""
        said = self.case.said
        if said.get("absent") == "clear":
            known = {*said["shown"], *said["required"]}
            patch = {name: value for name, value in self.read(id).items() if name in known} | patch
        self._ask("update", id, patch)

    def remove(self, id: str) -> None:
        """An object deleted, or archived, by hand."""
        self._ask("archive" if "archive" in self.case.said["routes"] else "delete", id)

    def _ask(self, verb: str, id: str, body: Json = None) -> Any:
        method, _, path = self.case.said["routes"][verb].partition(" ")
        answer = self._client.request(method, self.url + path.replace(":id", id), json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        found = answer.json() if answer.content else None
        for step in filter(None, self.case.said.get("envelope", "").split(".")):
            found = found[step] if found else None
        return found


@cache
def described() -> dict[str, list[Mapping[str, Any]]]:
    """The descriptions for each provider: one, or several where it is a gateway to several APIs."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    own = (guide.project() / "tests/contract/vendors").glob("*.yaml")
    for path in [*sorted(VENDORS.glob("*.yaml")), *own]:
        vendor = yaml.safe_load(path.read_text("utf-8"))
        for provider in vendor.get("providers", [path.stem]):
            found.setdefault(provider, []).append(vendor)
    return found


def cases() -> list[Case]:
    """Every kind of every provider that comes with the tool and is not embedded in it; and of the guide's."""
    schemas = schemas_of(guide.project(), {"RECONCILER_TRUST_PROVIDERS": "acme-bots"})
    return [
        Case(name, kind, vendor, schemas)
        for name in schemas.provider_names()
        if not schemas.provider(name).embedded
        for kind in schemas.provider(name).kinds
        for vendor in described().get(name, ())
        if kind in vendor["kinds"]
    ]


@contextmanager
def opened(case: Case) -> Iterator[Site]:
    """A server for a case. A live account is used where the environment has a key for one (see CONTRIBUTING.md)."""
    live = f"RECONCILER_CONTRACT_{case.provider.replace('-', '_').upper()}"
    server = case.vendor.get("server", "mock")
    if key := os.environ.get(f"{live}_KEY"):
        provider = case.schemas.provider(case.provider)
        credential = next(iter(provider.credentials.values()))
        headers = {**provider.headers, credential.header: credential.format.format(key)}
        yield Site(case, os.environ.get(f"{live}_URL") or provider.url or "", headers=headers)
    elif server == "mock":
        yield Site(case, f"http://mock{case.vendor['root']}", Mock(case.vendor))
    elif server == "langgraph":
        yield Site(case, langgraph_server.url())
    else:
        yield Site(case, f"http://embedded{case.vendor['root']}", create_app(profile=server))


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory for one trial."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


Opener = Callable[[Case], Site]
