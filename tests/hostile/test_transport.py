"""Certificates are checked, a company's own may be named; the environment's proxies are used, not for this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.server import create_app
from tests.conftest import Project
from tests.faults.wire import Wire, self_signed
from tests.hostile.listener import listening

MANIFEST = "name: a\nmodel: gpt-4o\n"


def target(project: Project, url: str) -> None:
    project.target(url.removesuffix("/v1"), more="    credentials: {api_key: !env KEY}\n")
    project.environment["KEY"] = "sk-0123456789abcdef"
    project.write("assistants.d/a.yaml", MANIFEST)


def test_a_certificate_is_refused_unless_the_environment_names_who_vouches_for_it(
    project: Project, tmp_path: Path
) -> None:
    context, certificate = self_signed(tmp_path)
    app = create_app()
    with Wire(app, tls=context).serving() as wire:
        target(project, wire.url)
        ran = project.run("apply", "--yes")
        assert ran.code == 1
        assert "certificate" in ran.err.lower()
        assert app.requests == []
        project.environment["SSL_CERT_FILE"] = str(certificate)
        project.ok("apply", "--yes")
        assert len(app.requests) > 1


def test_a_certificate_of_another_host_is_refused(project: Project, tmp_path: Path) -> None:
    context, certificate = self_signed(tmp_path, "elsewhere.example")
    app = create_app()
    with Wire(app, tls=context).serving() as wire:
        target(project, wire.url)
        project.environment["SSL_CERT_FILE"] = str(certificate)
        assert project.run("plan").code == 1
        assert app.requests == []


@pytest.mark.parametrize("bypassed", [False, True])
def test_a_proxy_of_the_environment_is_used_unless_it_is_to_be_bypassed(bypassed: bool, project: Project) -> None:
    with listening() as between:
        target(project, "https://elsewhere.invalid/v1")
        project.environment |= {
            "RECONCILER_ALLOWED_HOSTS": "elsewhere.invalid",
            "https_proxy": f"http://127.0.0.1:{between.port}",
        }
        if bypassed:
            project.environment["no_proxy"] = "elsewhere.invalid"
        assert project.run("plan").code == 1
    assert all(head.startswith(b"CONNECT elsewhere.invalid:443") and b"sk-0" not in head for head in between.heard)
    assert (between.heard == []) is bypassed


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_no_proxy_is_asked_for_this_machine(host: str, variable: str, project: Project) -> None:
    app = create_app()
    with listening() as between, Wire(app).serving() as wire:
        target(project, wire.url.replace("127.0.0.1", host))
        project.environment[variable] = f"http://127.0.0.1:{between.port}"
        project.ok("apply", "--yes")
        out = project.run("doctor").out
        assert "name: localhost resolves to" in out or "name: 127.0.0.1 resolves to" in out
    assert app.requests[0].headers["authorization"] == "Bearer sk-0123456789abcdef"
    assert between.heard == []


def test_the_password_of_a_proxy_is_not_told(project: Project) -> None:
    target(project, "https://elsewhere.invalid/v1")
    project.environment["RECONCILER_ALLOWED_HOSTS"] = "elsewhere.invalid"
    project.environment["https_proxy"] = "http://me:proxy-password@127.0.0.1:9"
    ran = project.run("--verbose", "plan")
    assert ran.code == 1
    assert "proxy-password" not in ran.out + ran.err
