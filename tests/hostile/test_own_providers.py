"""Provider files that a pull request brings: a credential is inherited, and so are the requests it goes with."""

from __future__ import annotations

import pytest

from tests.conftest import Project, Remote
from tests.hostile.listener import listening

MANIFEST = "name: a\nmodel: gpt-4o\n"
POSTING = "extends: openai-assistants\nkinds: {assistant: {list: {verb: POST, path: /admin}}}\n"
OWN = "kinds: {bot: {schema: assistant.schema.json, path: /assistants}}\n"


def mine(project: Project, remote: Remote, text: str) -> None:
    project.write("providers/mine.yaml", text)
    project.target(remote.url, provider="mine")
    project.write("assistants.d/a.yaml", MANIFEST)
    project.environment |= {"OPENAI_API_KEY": "sk-1", "PORTKEY_API_KEY": "pk-1", "AWS_SECRET_ACCESS_KEY": "aws-1"}


def refused(project: Project, remote: Remote, code: str) -> str:
    """What `validate` says, which needs no request; a plan says the same, and sends none."""
    ran = project.run("validate")
    assert ran.code == 1
    assert code in ran.err
    assert "providers/mine.yaml:" in ran.err
    assert project.run("plan").code == 1
    assert remote.app.requests == []
    return ran.err


@pytest.mark.parametrize(
    "said",
    [
        "credentials: {api_key: {header: X-Key, env: AWS_SECRET_ACCESS_KEY}}",
        "credentials: {token: {header: Authorization, entra_scope: https://vault.azure.net/.default}}",
        "credentials: {api_key: {header: x-portkey-trace-id, env: OPENAI_API_KEY}}",
        "allowed_headers: {x-acme: '.*'}",
        "query: {_method: DELETE}",
        "trace_header: x-acme",
        "route_config: x-acme",
        "kinds: {assistant: {list: {verb: POST, path: /admin/keys}}}",
        "kinds: {assistant: {list: {verb: POST}}}",
        "kinds: {assistant: {path: /organization/admin_api_keys}}",
        "kinds: {assistant: {create: {path: /organization/invites}}}",
        "kinds: {assistant: {delete: {archive: cancel, archived_field: x}}}",
        "kinds: {vector_store: {members: {files: {path: /admin}}}}",
        "kinds: {vector_store: {members: {files: {batch_path: /admin}}}}",
        "kinds: {vector_store: {members: {files: {list: {verb: POST}}}}}",
        "kinds: {invite: {schema: assistant.schema.json, path: /organization/invites}}",
    ],
)
def test_a_provider_that_nobody_trusts_says_nothing_of_credentials_and_requests(
    said: str, project: Project, remote: Remote
) -> None:
    mine(project, remote, f"extends: openai-assistants\n{said}\n")
    err = refused(project, remote, "RC0316")
    assert "providers/mine.yaml:2:" in err
    assert "set RECONCILER_TRUST_PROVIDERS=mine in the environment" in err


def test_a_provider_that_extends_none_is_trusted_by_name_alone(project: Project, remote: Remote) -> None:
    mine(project, remote, OWN)
    refused(project, remote, "RC0316")
    project.environment["RECONCILER_TRUST_PROVIDERS"] = "*,min,mine2"
    refused(project, remote, "RC0316")
    project.environment["RECONCILER_TRUST_PROVIDERS"] = "other, mine"
    project.ok("validate")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("headers: {Authorization: Bearer hunter2}", "RC0314"),
        ("reads: {headers: {x-portkey-api-key: hunter2}}", "RC0314"),
        ("kinds: {assistant: {headers: {Cookie: hunter2}}}", "RC0314"),
        ("headers: {x-portkey-virtual-key: hunter2}", "RC0314"),
        ("headers: {Host: evil.example}", "RC0314"),
        ("headers: {x-acme: a}", "RC0314"),
        ("reads: {headers: {X-HTTP-Method-Override: DELETE}}", "RC0314"),
        ("kinds: {assistant: {headers: {x-portkey-vertex-region: evil.example/x}}}", "RC0314"),
        ('headers: {x-portkey-config: \'{"custom_host": "x", "custom_host": "y"}\'}', "RC0314"),
    ],
)
def test_its_headers_are_those_of_the_settings(said: str, code: str, project: Project, remote: Remote) -> None:
    mine(project, remote, f"extends: portkey\n{said}\n")
    assert "hunter2" not in refused(project, remote, code)


@pytest.mark.parametrize("word", ["hosts: [evil.example]", "embedded: assistants-v2"])
def test_not_even_one_that_is_trusted_says_where_a_key_may_go(word: str, project: Project, remote: Remote) -> None:
    project.environment["RECONCILER_TRUST_PROVIDERS"] = "mine"
    mine(project, remote, f"extends: portkey\n{word}\n")
    refused(project, remote, "RC0305")


def test_nor_that_a_header_says_it(project: Project, remote: Remote) -> None:
    project.environment["RECONCILER_TRUST_PROVIDERS"] = "mine"
    headers = "x-portkey-custom-host: https://evil.example"
    mine(
        project, remote, f"extends: portkey\nallowed_headers: {{x-portkey-custom-host: '.*'}}\nheaders: {{{headers}}}\n"
    )
    assert "RC0305" in project.run("plan").err
    assert remote.app.requests == []


PATHS = ["/../admin", "/a/..", "//evil.example", "/a//b", "/%2e%2e/x", "/a?b", "/a#b", "/a\\b", "/a b", "/a\n", "/"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("trusted", ["mine", ""])
def test_a_path_has_plain_segments(trusted: str, path: str, project: Project, remote: Remote) -> None:
    project.environment["RECONCILER_TRUST_PROVIDERS"] = trusted
    quoted = '"' + path.replace("\\", "\\\\").replace("\n", "\\n") + '"'
    for said in (f"{{path: {quoted}}}", f"{{list: {{path: {quoted}}}}}", f"{{create: {{path: {quoted}}}}}"):
        mine(project, remote, f"extends: openai-assistants\nkinds: {{assistant: {said}}}\n")
        refused(project, remote, "RC02")


@pytest.mark.parametrize("url", ["/v1/../admin", "//evil.example", "/a%2f..", "/a\\\\b", "/..", "/a;b", "\\n"])
def test_so_has_a_url(url: str, project: Project, remote: Remote) -> None:
    mine(project, remote, f'extends: openai-assistants\nurl: "{remote.url}{url}"\n')
    refused(project, remote, "RC02")
    project.write("providers/mine.yaml", "extends: openai-assistants\n")
    settings = project.root / "assistants.d/reconciler.yaml"
    settings.write_text(settings.read_text().replace(f"{remote.url}/v1", f'"{remote.url}{url}"'))
    assert "RC02" in project.run("validate").err


def test_what_it_extends_gives_its_credential_and_its_paths(project: Project, remote: Remote) -> None:
    more = "limits: {settle_seconds: 0}\nreads: {headers: {openai-beta: assistants=v2}}\ncredentials: {}\n"
    mine(project, remote, f"extends: openai-assistants\nnot_found_field: error\n{more}")
    project.ok("apply", "--yes")
    assert len(remote.objects()) == 1


def test_trust_is_for_the_file_of_that_name_and_not_for_what_it_extends(project: Project, remote: Remote) -> None:
    project.environment["RECONCILER_TRUST_PROVIDERS"] = "mine"
    mine(project, remote, "extends: base\n")
    project.write("providers/base.yaml", f"credentials: {{api_key: {{header: X-Key, env: OPENAI_API_KEY}}}}\n{OWN}")
    assert "providers/base.yaml:1:1" in project.run("validate").err
    project.environment["RECONCILER_TRUST_PROVIDERS"] = "base"
    project.ok("validate")


def test_a_plan_sends_no_key_to_a_path_of_the_file(project: Project) -> None:
    with listening() as admin:
        project.write("providers/mine.yaml", POSTING)
        project.target(f"http://127.0.0.1:{admin.port}", provider="mine")
        project.write("assistants.d/a.yaml", MANIFEST)
        project.environment["OPENAI_API_KEY"] = "sk-1"
        assert project.run("plan").code == 1
    assert admin.heard == []


HOSTS_IN_PATHS = [
    "/v1/evil.example:8443/x.openai.azure.com",
    "/v1/proxy/evil.example/x.openai.azure.com",
    "/v1/evil.example",
    "/evil.example",
    "/v1/10.0.0.1",
    "/v1/0x7f.1",
    "/v1/localhost:1/x",
    "/v1/evil.example.",
]


@pytest.mark.parametrize("path", [*HOSTS_IN_PATHS, "/v2", "/v1/admin", "/V1", "/proxy/v1"])
@pytest.mark.parametrize("by", ["target", "provider"])
def test_a_file_chooses_the_host_of_a_url_and_not_its_path(
    by: str, path: str, project: Project, remote: Remote
) -> None:
    """A gateway can read another host in it, and send the key there."""
    mine(project, remote, f"extends: portkey\n{f'url: {remote.url}{path}' if by == 'provider' else ''}\n")
    settings = project.root / "assistants.d/reconciler.yaml"
    new = f"    url: {remote.url}{path}\n" if by == "target" else ""
    settings.write_text(settings.read_text().replace(f"    url: {remote.url}/v1\n", new))
    ran = project.run("plan")
    assert (ran.code, "RC0305]" in ran.err) == (1, True), ran.err
    assert remote.app.requests == []
    assert f"RECONCILER_ALLOWED_HOSTS=127.0.0.1{path} in the environment" in ran.err
    project.environment["RECONCILER_ALLOWED_HOSTS"] = f"127.0.0.1{path}"
    ran = project.run("plan")
    assert "RC0305]" not in ran.err
    assert remote.app.requests[0].path.startswith(path.rstrip("/"))


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
@pytest.mark.parametrize("by", ["target", "provider"])
def test_the_path_of_what_it_extends_is_fine(by: str, path: str, project: Project, remote: Remote) -> None:
    mine(project, remote, f"extends: portkey\n{f'url: {remote.url}{path}' if by == 'provider' else ''}\n")
    settings = project.root / "assistants.d/reconciler.yaml"
    new = f"    url: {remote.url}{path}\n" if by == "target" else ""
    settings.write_text(settings.read_text().replace(f"    url: {remote.url}/v1\n", new))
    assert "RC0305]" not in project.run("plan").err
    assert remote.app.requests


@pytest.mark.parametrize("path", HOSTS_IN_PATHS)
@pytest.mark.parametrize("extends", ["extends: portkey\n", OWN])
def test_not_even_a_trusted_one_names_a_host_in_a_path(
    extends: str, path: str, project: Project, remote: Remote
) -> None:
    project.environment["RECONCILER_TRUST_PROVIDERS"] = "mine"
    mine(project, remote, f"{extends}url: {remote.url}{path}\n")
    settings = project.root / "assistants.d/reconciler.yaml"
    settings.write_text(settings.read_text().replace(f"    url: {remote.url}/v1\n", ""))
    assert "RC0305]" in project.run("plan").err
    if ":" not in path:
        mine(
            project, remote, f"kinds: {{bot: {{schema: assistant.schema.json, path: {path}}}}}\nurl: {remote.url}/v1\n"
        )
        refused(project, remote, "RC02")
    assert remote.app.requests == []


@pytest.mark.parametrize(
    "credential", ["{header: x-e, env: AWS_SECRET_ACCESS_KEY}", "{header: x-e, env: OPENAI_API_KEY}"]
)
def test_trust_is_for_requests_and_not_for_variables(credential: str, project: Project, remote: Remote) -> None:
    """Who trusted the file read another one: a pull request changes which variable is sent."""
    project.environment |= {"RECONCILER_TRUST_PROVIDERS": "mine", "RECONCILER_ALLOWED_ENV": ""}
    mine(project, remote, f"extends: portkey\ncredentials: {{api_key: {credential}}}\n")
    name = credential.partition("env: ")[2].strip("}")
    for said in ("", f"    credentials: {{api_key: !env {name}}}\n"):
        project.target(remote.url, provider="mine", more=said)
        ran = project.run("plan")
        assert (ran.code, "RC0315]" in ran.err) == (1, True), ran.err
        assert f"set RECONCILER_ALLOWED_ENV={name} in the environment" in ran.err
        assert remote.app.requests == []
    assert "RC0315]" in " ".join(project.run("doctor").out.split())
    project.environment["RECONCILER_ALLOWED_ENV"] = name
    project.ok("plan")
    assert remote.app.requests[-1].headers["x-e"] == project.environment[name]


def test_what_a_trusted_one_inherits_needs_no_word(project: Project, remote: Remote) -> None:
    project.environment |= {"RECONCILER_TRUST_PROVIDERS": "mine", "RECONCILER_ALLOWED_ENV": ""}
    mine(project, remote, "extends: portkey\nquery: {x: y}\n")
    project.ok("plan")
    assert remote.app.requests[0].headers["x-portkey-api-key"] == "pk-1"
    remote.forget()
    same = "credentials: {api_key: {header: x-portkey-api-key, env: PORTKEY_API_KEY}}"
    mine(project, remote, f"extends: portkey\n{same}\n")
    project.ok("plan")


def test_no_file_asks_for_a_token_of_another_scope(project: Project, remote: Remote) -> None:
    project.environment["RECONCILER_TRUST_PROVIDERS"] = "mine"
    scope = "https://vault.azure.net/.default"
    mine(project, remote, f"extends: portkey\ncredentials: {{t: {{header: Authorization, entra_scope: {scope}}}}}\n")
    refused(project, remote, "RC0305")
