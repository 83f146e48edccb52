"""Which hosts a credential may be sent to."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from reconciler.config.schema.schemas import shipped
from reconciler.drivers.credentials.credential_hosts import refuse_host

PORTKEY = shipped().provider("portkey")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.portkey.ai/v1",
        "https://API.PORTKEY.AI/v1",
        "http://127.0.0.1:8787/v1",
        "http://[::1]:1/v1",
        "http://localhost/v1",
    ],
)
def test_the_provider_s_own_hosts_and_loopback(url: str) -> None:
    assert refuse_host(PORTKEY, url, {}, {}, None) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1",
        "https://api.portkey.ai.evil.example/v1",
        "https://evil.example/api.portkey.ai",
        "https://api.portkey.ai@evil.example/v1",
        "https://user:pw@api.portkey.ai/v1",
        "http://api.portkey.ai/v1",
        "https://api.portkey.ai/v1?api_key=x",
        "ftp://api.portkey.ai/v1",
        "api.portkey.ai",
        "https://[::1",
        "http://127.0.0.1.evil.example/v1",
        "http://2130706433.evil.example/",
        "https://api.portkey.ai:443:evil.com/v1",
        "https://[::1].evil.com/v1",
        "http://evil.com[::1]/v1",
        "https://api.portkey.ai:65536/v1",
        "https://api.portkey.ai:/v1",
        "https://api.portkey.ai:\uff14\uff14\uff13/v1",
        "https://api.portkey.ai:-1/v1",
        "https://\uff41pi.portkey.ai/v1",
        "http://[::1/v1",
        "https://api.portkey.ai/v2",
        "https://api.portkey.ai/v1/evil.example/x.openai.azure.com",
    ],
)
def test_every_other_host(url: str) -> None:
    assert refuse_host(PORTKEY, url, {}, {}, None) is not None


def test_a_host_the_environment_allows() -> None:
    allowed = {"RECONCILER_ALLOWED_HOSTS": "a.example, gw.example"}
    assert refuse_host(PORTKEY, "https://gw.example/v1", {}, allowed, None) is None
    assert refuse_host(PORTKEY, "https://evil.example/v1", {}, allowed, None) is not None
    assert refuse_host(PORTKEY, "http://gw.example/v1", {}, allowed, None) is not None


def test_a_header_that_passes_the_credential_on() -> None:
    headers = {"X-Portkey-Custom-Host": "https://evil.example/v1"}
    assert refuse_host(PORTKEY, "https://api.portkey.ai/v1", headers, {}, None) is not None


def test_the_path_of_a_url_is_the_provider_s_own_or_one_of_the_environment() -> None:
    listed = {"RECONCILER_ALLOWED_HOSTS": "gw.example/team/v1, 127.0.0.1/gw/v1"}
    for url, fine in (
        ("https://gw.example/team/v1", True),
        ("https://GW.example/team/v1/", True),
        ("https://gw.example:8443/team/v1", True),
        ("https://gw.example/team/v2", False),
        ("https://gw.example/v1", False),
        ("http://gw.example/team/v1", False),
        ("http://127.0.0.1:8787/gw/v1", True),
        ("http://127.0.0.1:8787/v1", True),
        ("http://[::1]:8787/gw/v1", False),
        ("https://api.portkey.ai/team/v1", False),
    ):
        assert (refuse_host(PORTKEY, url, {}, listed, None) is None) is fine, url


@pytest.mark.parametrize("name", sorted(shipped().shipped_names()))
def test_every_provider_says_which_path_is_usual(name: str) -> None:
    provider = shipped().provider(name)
    others = {"azure-foundry-classic": "/api/projects/desk", "openai-assistants": "/openai/v1"}
    path = others.get(name, urlsplit(provider.url or "").path)
    assert refuse_host(provider, f"http://127.0.0.1{path}", {}, {}, None) is None
    assert refuse_host(provider, "http://127.0.0.1/other", {}, {}, None) is not None
