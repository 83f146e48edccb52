"""A credential is in no output and in no file, and goes to no host that it is not meant for."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from reconciler.config.schema.schemas import shipped
from reconciler.drivers.base import RemoteError
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.operations.project import credentials
from reconciler.server import App, create_app
from reconciler.server.http import serve
from tests.conftest import Project, Ran, Remote
from tests.faults.wire import Wire
from tests.world import PROVIDER

CANARY = "sk-canary-0123456789abcdef0123456789"
PART = CANARY[:16]
"""A beginning of it as long as this is as bad as the whole."""
KEYED = ConnectionSettings("http://embedded/v1", {"Authorization": f"Bearer {CANARY}"}, (CANARY,))
GOOD = "name: {0}\nmodel: gpt-4o\n"


class Echoing:
    """A server that says the credential back wherever it can: in headers, and in every error."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.status = 200
        self.padding = 0
        self.spell: Callable[[str], str] = str

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        key = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        told = [("x-request-id", key), ("openai-organization", key), ("x-portkey-last-used-option-index", key)]
        if self.status == 200:
            parts = self.app(
                environ, lambda status, headers, error=None: start_response(status, _without(headers) + told)
            )
            return list(parts)
        text = json.dumps({"error": {"message": f"{'x' * self.padding} bad key {key}", "type": "t", "code": key}})
        text = text.replace(key, self.spell(key))
        start_response(f"{self.status} x", [("content-type", "application/json"), *told])
        return [text.encode()]


def _without(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name != "x-request-id"]


@pytest.fixture
def keyed(project: Project) -> Project:
    """A project whose target has the canary for its key."""
    project.environment["KEY"] = CANARY
    return project


def target(project: Project, url: str, provider: str = "openai-assistants") -> None:
    name = "provider_key" if provider == "portkey" else "api_key"
    project.target(url, provider=provider, more=f"    credentials: {{{name}: !env KEY}}\n")


def clean(project: Project, *rans: Ran) -> None:
    """Nowhere in what was printed, and in no file."""
    for ran in rans:
        assert PART not in ran.out
        assert PART not in ran.err
    files = [path for path in Path(project.root).rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert PART.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("provider", ["openai-assistants", "portkey"])
def test_no_output_and_no_file_of_any_command_holds_the_key(provider: str, keyed: Project) -> None:
    with serve(Echoing(create_app())) as server:
        target(keyed, server.url, provider)
        for name in "abcdef":
            keyed.write(f"assistants.d/{name}.yaml", GOOD.format(name))
        formats = ["json", "markdown", "html", "sarif", "github", "gitlab", "junit"]
        files = [f"--format={name}=out.{name}" for name in formats]
        rans = [keyed.ok("--verbose", "plan", "--out", "plan.json", *files)]
        rans.append(keyed.ok("--verbose", "apply", "plan.json", "--yes", "--report", "report.json"))
        keyed.write("assistants.d/a.yaml", GOOD.format("a") + "metadata: {team: x}\n")
        keyed.remove("assistants.d/b.yaml")
        rollback = ["--rollback-out", "rollback.json", "--format", "json"]
        rans.append(keyed.ok("--verbose", "apply", "--yes", *rollback))
        rans += [keyed.run("--verbose", "drift"), keyed.run("show", "plan.json"), keyed.run("validate")]
        rans.append(keyed.run("--verbose", "release", "assistant/c"))
        assert (keyed.root / "report.json").exists()
        assert any((keyed.root / ".reconciler").rglob("*.jsonl"))
        clean(keyed, *rans)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "json": lambda key: key.replace("sk-", "\\u0073k-"),
    "json-all": lambda key: "".join(f"\\u{ord(letter):04x}" for letter in key),
    "html": lambda key: "".join(f"&#{ord(letter)};" for letter in key),
    "url": lambda key: "".join(f"%{ord(letter):02x}" for letter in key),
    "url-twice": lambda key: "".join(f"%25{ord(letter):02X}" for letter in key),
    "upper": str.upper,
    "base64": lambda key: base64.b64encode(f"Bearer {key}".encode()).decode(),
    "part": lambda key: f"{key[:14]}…{key[-9:]}",
    "lines": lambda key: key[:9] + "\\n" + key[9:],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("status", [400, 401, 500])
def test_an_error_that_says_the_key_back_is_masked_wherever_it_is_cut(status: int, spelling: str) -> None:
    shapes = {json.loads(f'"{spell(CANARY)}"') for spell in SPELLINGS.values()}
    for padding in (0, *range(250, 300, 7), 1960, 1990):
        echoing = Echoing(create_app())
        echoing.status, echoing.padding, echoing.spell = status, padding, SPELLINGS[spelling]
        lines: list[str] = []
        client = HttpClient(KEYED, wsgi_app=echoing, trace=lines.append, pause=lambda seconds: False)
        with pytest.raises(RemoteError) as raised:
            RestDriver(PROVIDER, client).update("assistant", "asst_1", {"name": "x"})
        said = repr((raised.value.diagnostic, str(raised.value), lines, client.take_request_count()))
        assert CANARY[:6] not in said
        assert not any(shape[at : at + 24] in said for shape in shapes for at in range(len(shape) - 23))
        assert CANARY[-9:] not in said


def test_an_id_or_a_page_that_is_the_key_is_in_no_error_and_in_no_trace() -> None:
    lines: list[str] = []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 x", [("content-type", "application/json")])
        after = "after" in environ["QUERY_STRING"]
        page = {"data": [{"id": f"a/{CANARY}" if after else CANARY}], "has_more": True, "last_id": CANARY}
        return [json.dumps(page).encode()]

    client = HttpClient(KEYED, wsgi_app=app, trace=lines.append)
    with pytest.raises(RemoteError) as raised:
        list(RestDriver(PROVIDER, client).list("assistant"))
    assert "id cannot be used" in str(raised.value)
    assert "after=(secret)" in "".join(lines)
    assert CANARY[:6] not in repr((raised.value.diagnostic, lines))


def test_why_a_file_was_not_indexed_is_told_without_the_key() -> None:
    member = {"id": "file-1", "status": "failed", "last_error": {"code": CANARY, "message": f"no: {CANARY.upper()}"}}

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 x", [("content-type", "application/json")])
        one = environ["PATH_INFO"].endswith("file-1")
        return [json.dumps(member if one else {"data": [member], "has_more": False}).encode()]

    driver = RestDriver(shipped().provider("openai-assistants"), HttpClient(KEYED, wsgi_app=app))
    files = driver.within("vector_store", "vs_1", "files")
    for body in (files.read("file-1"), *files.list()):
        assert body["last_error"] == {"code": "(secret)", "message": "no: (secret)"}
        assert body["status"] == "failed"


def test_a_page_that_says_the_key_back_behind_much_white_space_is_masked() -> None:
    for blanks in range(1950, 2010, 3):

        def app(environ: dict[str, Any], start_response: Callable[..., Any], blanks: int = blanks) -> list[bytes]:
            start_response("200 x", [("content-type", "text/html")])
            return [b" " * blanks + CANARY.encode() + b" " * 5000]

        client = HttpClient(KEYED, wsgi_app=app)
        with pytest.raises(RemoteError) as raised:
            RestDriver(PROVIDER, client).read("assistant", "asst_1")
        assert CANARY[:6] not in repr(raised.value.diagnostic)


def test_a_bug_report_holds_no_key(keyed: Project, remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(self: RestDriver, kind: str) -> Any:
        raise ZeroDivisionError(kind)

    target(keyed, remote.url)
    keyed.write("assistants.d/a.yaml", GOOD.format("a"))
    monkeypatch.setattr(RestDriver, "list", failing)
    ran = keyed.run("--verbose", "plan")
    assert ran.code == 70
    assert "Traceback" in ran.err
    clean(keyed, ran)


def test_the_process_list_does_not_show_the_key(keyed: Project) -> None:
    shown: list[bytes] = []
    app = create_app()

    def looking(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        shown.extend(path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
        return app(environ, start_response)

    with serve(looking) as server:
        target(keyed, server.url)
        keyed.write("assistants.d/a.yaml", GOOD.format("a"))
        command = [sys.executable, "-m", "reconciler", "-C", str(keyed.root), "apply", "--yes"]
        subprocess.run(command, env=keyed.environment, check=True, capture_output=True)
    assert any(str(keyed.root).encode() in each for each in shown)
    assert not any(CANARY.encode() in each for each in shown)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_carries_nothing_to_another_host(status: int, keyed: Project, start: Callable[..., Remote]) -> None:
    other = start()
    headers = {"Location": f"{other.url}/v1/assistants"}
    remote = start(chaos={"rules": [{"on": "any", "status": status, "headers": headers}]})
    target(keyed, remote.url)
    keyed.write("assistants.d/a.yaml", GOOD.format("a"))
    ran = keyed.run("apply", "--yes")
    assert ran.code == 1
    assert "redirect" in ran.err
    assert other.app.requests == []
    clean(keyed, ran)


@pytest.mark.parametrize("part", [CANARY, CANARY.upper(), CANARY[:24], base64.b64encode(CANARY.encode()).decode()])
def test_a_key_that_comes_back_as_an_encoding_is_masked(part: str, keyed: Project) -> None:
    """Also where it is the only thing that a server says to `doctor`, which sends it no key."""

    def packed(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 x", [("content-encoding", part), ("content-type", "application/json")])
        return [b"{}"]

    with Wire(packed).serving() as server:  # type: ignore[arg-type]
        target(keyed, server.url.removesuffix("/v1"))
        keyed.write("assistants.d/a.yaml", GOOD.format("a"))
        rans = [keyed.run("plan", "--format", "json"), keyed.run("apply", "--yes", "--report", "report.json")]
        rans += [keyed.run("doctor"), keyed.run("run", "--passes", "1")]
    for ran in rans:
        assert ran.code in (1, 5)  # 5: a pass that failed
        assert part[:16].lower() not in (ran.out + ran.err).lower()
    assert "an encoding that was not requested: (secret)" in rans[0].err
    assert "(secret)" in " ".join(rans[2].out.split())
    clean(keyed, *rans)


class Proxy:
    """Takes what is sent to any host at all, as a proxy of the network does."""

    def __init__(self) -> None:
        self.heard = io.StringIO()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        print({name: value for name, value in environ.items() if name.startswith("HTTP_")}, file=self.heard)
        start_response("503 x", [])
        return []


def test_without_the_binding_to_hosts_a_changed_url_carries_the_key_away(
    keyed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Proxy()
    with Wire(proxy).serving() as server:  # type: ignore[arg-type]
        keyed.environment["HTTP_PROXY"] = keyed.environment["http_proxy"] = server.url.removesuffix("/v1")
        target(keyed, "http://elsewhere.example")
        keyed.write("assistants.d/a.yaml", GOOD.format("a"))
        ran = keyed.run("plan")
        assert (ran.code, proxy.heard.getvalue()) == (1, "")
        assert "RC0305" in ran.err
        monkeypatch.setattr(credentials, "refuse_host", lambda *anything: None)
        keyed.run("plan")
        assert CANARY in proxy.heard.getvalue()
