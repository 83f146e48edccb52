"""Which hosts a credential may be sent to."""

from __future__ import annotations

import pytest

from reconciler.config.schemas import shipped
from reconciler.drivers.hosts import refuse_host

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
