"""Certificates are checked, a company's own may be named, and the environment's proxies are used."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from reconciler.server import create_app
from tests.conftest import Project
from tests.faults.wire import Wire, self_signed

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


def proxy(seen: list[str]) -> Callable[..., Iterable[bytes]]:
    """A proxy that takes every request for itself."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        seen.append(environ["PATH_INFO"])
        start_response("502 x", [])
        return [b"no"]

    return app


@pytest.mark.parametrize("bypassed", [False, True])
def test_a_proxy_of_the_environment_is_used_unless_it_is_to_be_bypassed(bypassed: bool, project: Project) -> None:
    seen: list[str] = []
    app = create_app()
    with Wire(proxy(seen)).serving() as between, Wire(app).serving() as wire:  # type: ignore[arg-type]
        target(project, wire.url)
        project.environment["http_proxy"] = between.url.removesuffix("/v1")
        if bypassed:
            project.environment["no_proxy"] = "127.0.0.1"
        ran = project.run("plan")
        assert (ran.code, bool(seen), bool(app.requests)) == ((0, False, True) if bypassed else (1, True, False))


def test_the_password_of_a_proxy_is_not_told(project: Project) -> None:
    target(project, "http://127.0.0.1:9/v1")
    project.environment["http_proxy"] = "http://me:proxy-password@127.0.0.1:9"
    ran = project.run("--verbose", "plan")
    assert ran.code == 1
    assert "proxy-password" not in ran.out + ran.err
