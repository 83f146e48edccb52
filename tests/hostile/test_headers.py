"""Headers of settings that a pull request brings: what is listed is sent as it was checked, and nothing else."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Project, Remote

MANIFEST = "name: a\nmodel: gpt-4o\n"
CONFIG = "x-portkey-config"


def settings(project: Project, remote: Remote, header: str, value: object, provider: str = "portkey") -> None:
    said = value if isinstance(value, str) and value.startswith("!env") else json.dumps(value)
    project.target(remote.url, provider=provider, more=f"    headers: {{{json.dumps(header)}: {said}}}\n")
    project.write("assistants.d/a.yaml", MANIFEST)
    project.environment |= {"PORTKEY_API_KEY": "pk-1", "OPENAI_API_KEY": "sk-1"}


def refused(project: Project, remote: Remote, code: str = "RC0314") -> str:
    """What `validate` says, which needs no request; a plan says the same, and sends none."""
    ran = project.run("validate")
    assert ran.code == 1
    assert code in ran.err
    assert "assistants.d/reconciler.yaml:9:" in ran.err
    assert project.run("plan").code == 1
    assert remote.app.requests == []
    return ran.err


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-portkey-vertex-region", "evil.example/x"),
        ("x-portkey-vertex-region", "evil.example#"),
        ("X-Portkey-Vertex-Region", "evil.example:8443?x"),
        ("x-portkey-aws-region", "x@evil.example"),
        ("x-portkey-azure-deployment-id", "../../x"),
        ("x-portkey-azure-api-version", "v1#"),
        ("x-portkey-forward-headers", "x-portkey-api-key"),
        ("x-portkey-oracle-region", "eu"),
        ("x-portkey-workers-ai-account-id", "1"),
        ("x-portkey-default-input-guardrails", "[]"),
        ("x-portkey-provider", "cometapi"),
        ("x-portkey-provider", "@openai, openai"),
        ("x-portkey-mode", "proxy"),
        ("x-acme-tenant", "a"),
    ],
)
def test_what_the_provider_does_not_list_or_has_another_form_is_refused(
    header: str, value: str, project: Project, remote: Remote
) -> None:
    settings(project, remote, header, value)
    refused(project, remote)


@pytest.mark.parametrize(
    "header",
    [
        "Connection",
        "TE",
        "transfer-encoding",
        "Upgrade",
        "Keep-Alive",
        "Proxy-Authenticate",
        "Trailer",
        "Host",
        "Content-Length",
        "Content_Type",
        "X-Forwarded-Host",
        "x_forwarded_for",
        "Forwarded",
        "X-HTTP-Method-Override",
        "X-Method-Override",
        "X-HTTP-Method",
        "X-Original-URL",
        "x-rewrite-url",
        "Expect",
    ],
)
def test_no_environment_allows_a_header_of_the_connection_the_body_or_the_route(
    header: str, project: Project, remote: Remote
) -> None:
    project.environment["RECONCILER_ALLOWED_HEADERS"] = header
    settings(project, remote, header, "DELETE")
    assert "cannot be set" in refused(project, remote)


@pytest.mark.parametrize("header", ["Authorization", "x-portkey-virtual-key", "X-Portkey-Api-Key", "cookie"])
def test_no_environment_allows_a_credential_in_a_file(header: str, project: Project, remote: Remote) -> None:
    project.environment["RECONCILER_ALLOWED_HEADERS"] = header
    settings(project, remote, header, "hunter2")
    assert "hunter2" not in refused(project, remote, "RC0301")


@pytest.mark.parametrize("provider", ["portkey", "openai-assistants"])
def test_the_environment_allows_a_header_by_its_name(provider: str, project: Project, remote: Remote) -> None:
    settings(project, remote, "X-Acme-Tenant", "a b/c", provider)
    assert "set RECONCILER_ALLOWED_HEADERS=X-Acme-Tenant in the environment" in refused(project, remote)
    project.environment["RECONCILER_ALLOWED_HEADERS"] = "x-other, x-acme-tenant"
    project.ok("validate")
    project.ok("plan")
    assert remote.app.requests[0].headers["x-acme-tenant"] == "a b/c"
    settings(project, remote, "X-Acme-Tenant", "a\n", provider)
    assert "RC0202" in project.run("validate").err


def test_the_environment_allows_another_text_but_no_other_host_and_no_other_member(
    project: Project, remote: Remote
) -> None:
    project.environment["RECONCILER_ALLOWED_HEADERS"] = f"x-portkey-provider,{CONFIG},x-portkey-custom-host"
    settings(project, remote, "x-portkey-provider", "mistral-ai")
    project.ok("plan")
    remote.forget()
    settings(project, remote, CONFIG, '{"forward_headers": ["x-portkey-api-key"]}')
    refused(project, remote)
    settings(project, remote, "x-portkey-custom-host", "https://evil.example/v1")
    assert "RC0305" in project.run("plan").err
    assert remote.app.requests == []


def test_a_header_is_there_once(project: Project, remote: Remote) -> None:
    settings(project, remote, "x-portkey-provider", "@a")
    path = project.root / "assistants.d/reconciler.yaml"
    path.write_text(path.read_text().replace("headers: {", "headers: {X-Portkey-Provider: '@b', "))
    assert "is given twice" in refused(project, remote, "RC0301")


DEEP = '{"targets":' * 1500 + "{}" + "}" * 1500
INLINE = {
    "deep objects": DEEP,
    "deep lists": '{"targets": ' + "[" * 1500 + "]" * 1500 + "}",
    "deep, with a host": '{"targets":[' * 70 + '{"custom_host": "https://evil.example"}' + "]}" * 70,
    "no number": '{"weight": NaN}',
    "infinite": '{"request_timeout": Infinity}',
    "infinite by size": '{"request_timeout": 1e999}',
    "a long number": '{"request_timeout": ' + "9" * 3000 + "}",
    "twice": '{"custom_host": "http://127.0.0.1:1", "custom_host": "https://evil.example"}',
    "twice, escaped": '{"provider": "openai", "pro\\u0076ider": "cometapi"}',
    "another case": '{"Custom_Host": "https://evil.example"}',
    "camels": '{"customHost": "https://evil.example"}',
    "forward headers": '{"provider": "openai", "forward_headers": ["x-portkey-api-key"]}',
    "hooks": '{"before_request_hooks": [{"type": "guardrail"}]}',
    "guardrails": '{"input_guardrails": ["x"]}',
    "a region": '{"provider": "openai", "vertex_region": "evil.example/x"}',
    "a key": '{"provider": "openai", "api_key": "hunter2"}',
    "a parameter": '{"override_params": {"model": "x"}}',
    "an unknown object": '{"x": {}}',
    "an empty name": '{"": {"provider": "openai"}}',
    "a host as a number": '{"custom_host": 2130706433}',
    "a host with a user": '{"custom_host": "https://api.portkey.ai@evil.example"}',
    "a host with a backslash": '{"custom_host": "https://evil.example\\\\@api.portkey.ai"}',
    "a host with a tab": '{"custom_host": "ht\\ttps://evil.example"}',
    "a host in a list": '{"custom_host": ["https://evil.example?x"]}',
    "a list": '[{"provider": "openai"}]',
    "a text": '"pc-main"',
    "cut short": '{"provider": "openai"',
    "two values": '{"provider": "openai"} {"custom_host": "https://evil.example"}',
    "base64": "eyJjdXN0b21faG9zdCI6ICJodHRwczovL2V2aWwuZXhhbXBsZSJ9",
    "a path": "pc-../x",
    "two names": "pc-a, pc-b",
    "nothing": "",
}


@pytest.mark.parametrize("case", INLINE)
@pytest.mark.parametrize("via", ["text", "variable"])
def test_an_inline_config_that_cannot_be_read_for_certain_is_refused(
    via: str, case: str, project: Project, remote: Remote
) -> None:
    """Also where only a variable says it: then its value is not shown."""
    text = INLINE[case]
    project.environment["ROUTING"] = text
    settings(project, remote, CONFIG, text if via == "text" else "!env ROUTING")
    ran = project.run("plan")
    assert ran.code == 1
    codes = ["RC0314", *(["RC0204"] if via == "text" and len(text) > 4096 else ["RC0304"] if not text else [])]
    assert any(code in ran.err for code in codes), ran.err
    assert via == "text" or "evil.example" not in ran.err
    assert remote.app.requests == []


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-portkey-azure-resource-name", "localhost"),
        ("x-portkey-azure-resource-name", "evil"),
        ("x-portkey-azure-resource-name", "api"),
        ("x-portkey-azure-endpoint-name", "evil"),
        ("x-portkey-snowflake-account", "evil"),
        ("x-portkey-azure-resource-name", "127.0.0.1"),
        ("x-portkey-azure-resource-name", "http://127.0.0.1:1"),
        ("x-portkey-custom-host", "evil.example"),
        ("x-portkey-custom-host", "https://evil.example/v1"),
        ("x-portkey-custom-host", "https://127.0.0.1.evil.example"),
        ("x-portkey-custom-host", "https://127.0.0.1/../x"),
        ("x-portkey-huggingface-base-url", "https://api.portkey.ai@evil.example/"),
    ],
)
def test_a_name_that_a_gateway_makes_a_host_of_is_no_url_and_never_this_machine(
    header: str, value: str, project: Project, remote: Remote
) -> None:
    settings(project, remote, header, value)
    ran = project.run("plan")
    assert (ran.code, "RC0305" in ran.err or "RC0314" in ran.err) == (1, True), ran.err
    assert remote.app.requests == []
    project.environment["RECONCILER_ALLOWED_HOSTS"] = "evil,localhost,evil.openai.azure.com"
    assert (project.run("plan").code == 0) is (header == "x-portkey-azure-resource-name" and value == "evil")


@pytest.mark.parametrize(
    "text",
    [
        '{"custom_host": "https://evil.example"}',
        '{"targets": [{"\\u0063ustom_host": "https:\\/\\/evil.example"}]}',
        '{"resource_name": "evil"}',
        '{"targets": [{"resource_name": "localhost"}]}',
    ],
)
def test_a_host_in_an_inline_config_is_one_that_may_get_the_credentials(
    text: str, project: Project, remote: Remote
) -> None:
    settings(project, remote, CONFIG, text)
    ran = project.run("plan")
    assert (ran.code, "RC0305" in ran.err) == (1, True), ran.err
    assert remote.app.requests == []


def test_what_is_sent_is_written_anew_from_what_was_checked(project: Project, remote: Remote) -> None:
    text = ' {"pro\\u0076ider":\t"openai" , "retry":{"attempts":3},"custom_host":"http:\\/\\/127.0.0.1:1"}'
    for value in (text, "!env ROUTING"):
        project.environment["ROUTING"] = text.strip().replace("\t", " ")
        settings(project, remote, CONFIG, value.replace("\t", " "))
        project.ok("plan")
        sent = remote.app.requests[0].headers[CONFIG]
        assert sent == '{"provider": "openai", "retry": {"attempts": 3}, "custom_host": "http://127.0.0.1:1"}'
        remote.forget()


@pytest.mark.parametrize(
    "listed", ["gateway", "localhost", "gateway.example", "openai.azure.com", "*.openai.azure.com"]
)
@pytest.mark.parametrize("inline", [False, True])
def test_a_name_is_judged_as_the_host_that_it_becomes(
    inline: bool, listed: str, project: Project, remote: Remote
) -> None:
    project.environment["RECONCILER_ALLOWED_HOSTS"] = listed
    name = listed.partition(".")[0].replace("*", "x")
    header, value = (CONFIG, json.dumps({"resource_name": name})) if inline else ("x-portkey-azure-resource-name", name)
    settings(project, remote, header, value)
    err = project.run("plan").err
    assert f"RECONCILER_ALLOWED_HOSTS={listed},{name}.openai.azure.com in the environment" in err
    assert remote.app.requests == []
    project.environment["RECONCILER_ALLOWED_HOSTS"] = f"{name}.openai.azure.com"
    project.ok("plan")


NAMED = {"x-portkey-azure-resource-name": "desk"}


@pytest.mark.parametrize(
    ("headers", "fine"),
    [
        ({"x-portkey-provider": "azure-openai"}, False),
        ({"X-Portkey-Provider": "azure-openai", "x-portkey-azure-deployment-id": "desk"}, False),
        ({"x-portkey-provider": "azure-openai", "x-portkey-azure-foundry-url": "https://desk.openai.azure.com"}, False),
        ({CONFIG: '{"provider": "azure-openai"}', **NAMED}, False),
        ({CONFIG: '{"resource_name": "desk", "targets": [{"provider": "azure-openai"}]}'}, False),
        ({CONFIG: '{"targets": [{"provider": ["azure-openai"], "resource_name": "desk"}]}'}, False),
        ({CONFIG: '{"provider": "azure-openai", "resource_name": ["desk"]}'}, False),
        ({CONFIG: '{"provider": "azure-openai", "resource_name": null}'}, False),
        ({"x-portkey-provider": "azure-openai", **NAMED}, True),
        ({"x-portkey-provider": "azure-openai", "x-portkey-custom-host": "https://desk.openai.azure.com/openai"}, True),
        ({CONFIG: '{"provider": "azure-openai", "resource_name": "desk"}'}, True),
        ({CONFIG: '{"targets": [{"custom_host": "https://desk.openai.azure.com", "provider": "azure-openai"}]}'}, True),
    ],
)
def test_azure_is_said_with_where_it_is(headers: dict[str, str], fine: bool, project: Project, remote: Remote) -> None:
    """Or the gateway sends the key to undefined.openai.azure.com, which is anybody's."""
    project.environment["RECONCILER_ALLOWED_HOSTS"] = "desk.openai.azure.com"
    project.target(remote.url, provider="portkey", more=f"    headers: {json.dumps(headers)}\n")
    project.write("assistants.d/a.yaml", MANIFEST)
    ran = project.run("plan")
    assert (ran.code == 0) is fine, ran.err
    assert fine or "RC0305]" in ran.err or "RC0314]" in ran.err
    assert bool(remote.app.requests) is fine


@pytest.mark.parametrize("where", ["headers", "reads", "kind"])
def test_a_provider_of_a_project_cannot_say_azure_alone_either(where: str, project: Project, remote: Remote) -> None:
    said = "headers: {X-Portkey-Provider: azure-openai}"
    text = {"headers": said, "reads": f"reads: {{{said}}}", "kind": f"kinds: {{assistant: {{{said}}}}}"}[where]
    project.write("providers/mine.yaml", f"extends: portkey\n{text}\n")
    project.target(remote.url, provider="mine")
    project.write("assistants.d/a.yaml", MANIFEST)
    for trusted in ("", "mine"):
        project.environment["RECONCILER_TRUST_PROVIDERS"] = trusted
        ran = project.run("plan")
        assert (ran.code, "RC0305]" in ran.err) == (1, True), ran.err
    assert remote.app.requests == []


@pytest.mark.parametrize(
    "value",
    [
        "http://127.0.0.1:9/x",
        "https://localhost/v1",
        "http://[::1]:1",
        "https://127.0.0.2",
    ],
)
@pytest.mark.parametrize("header", ["x-portkey-custom-host", CONFIG])
def test_the_loopback_of_a_gateway_is_this_machine_only_where_the_gateway_is(
    header: str, value: str, project: Project, remote: Remote
) -> None:
    settings(project, remote, header, json.dumps({"custom_host": value}) if header == CONFIG else value)
    project.ok("plan")
    remote.forget()
    path = project.root / "assistants.d/reconciler.yaml"
    path.write_text(path.read_text().replace(f"{remote.url}/v1", "https://api.portkey.ai/v1"))
    err = project.run("plan").err
    assert "RC0305]" in err
    assert "loopback" in err


@pytest.mark.parametrize(
    "path", ["/evil.example", "/v1/evil.example:8443", "/evil.example/x.openai.azure.com/", "/1.2"]
)
def test_no_url_in_a_header_has_another_host_in_its_path(path: str, project: Project, remote: Remote) -> None:
    settings(project, remote, "x-portkey-custom-host", f"{remote.url}{path}")
    ran = project.run("plan")
    assert (ran.code, "RC0305]" in ran.err or "RC0314]" in ran.err) == (1, True), ran.err
    settings(project, remote, "x-portkey-custom-host", f"{remote.url}/v1.0/gpt-4.1")
    project.ok("plan")


def test_a_header_of_another_target_stops_nobody(project: Project, remote: Remote) -> None:
    project.target(
        remote.url,
        provider="portkey",
        more="  production: {provider: portkey, owner: prod, headers: {x-acme: a, x-portkey-mode: b}}\n",
    )
    project.write("assistants.d/a.yaml", MANIFEST)
    project.ok("apply", "--yes")
    told = project.run("validate")
    assert told.code == 1
    assert "the header x-acme is not in the list" in told.err
    assert "the header x-portkey-mode is not in the list" in told.err
    project.ok("validate", "--target", "test")
    for verb in ("plan", "validate"):
        assert "the header x-acme is not in the list" in project.run(verb, "--target", "production").err


def test_an_inline_config_may_be_a_mapping_with_members_of_any_depth(project: Project, remote: Remote) -> None:
    said = "{provider: openai, retry: {attempts: 3, on_status_codes: [429]}, cache: {max_age: 1.5}}"
    project.target(remote.url, provider="portkey", more=f"    headers:\n      {CONFIG}: {said}\n")
    project.write("assistants.d/a.yaml", MANIFEST)
    project.ok("validate")
    project.ok("plan")
    assert json.loads(remote.app.requests[0].headers[CONFIG]) == {
        "provider": "openai",
        "retry": {"attempts": 3, "on_status_codes": [429]},
        "cache": {"max_age": 1.5},
    }


@pytest.mark.parametrize(
    "said",
    [
        "{targets: [{provider: openai, custom_host: https://evil.example}]}",
        "{retry: {forward_headers: [x-portkey-api-key]}}",
        "{retry: {attempts: .inf}}",
        "{provider: openai, api_key: hunter2}",
        "{provider: openai, api_key: !env KEY}",
        "{targets: [{virtual_key: !env KEY}]}",
        "{targets: " + "[" * 70 + "]" * 70 + "}",
    ],
)
def test_such_a_mapping_is_held_to_the_same_rules(said: str, project: Project, remote: Remote) -> None:
    project.target(remote.url, provider="portkey", more=f"    headers:\n      {CONFIG}: {said}\n")
    project.write("assistants.d/a.yaml", MANIFEST)
    project.environment["KEY"] = "hunter2"
    ran = project.run("plan")
    assert ran.code == 1
    assert "hunter2" not in ran.out + ran.err
    assert remote.app.requests == []


@pytest.mark.parametrize("key", ["virtual_key", "api_key"])
@pytest.mark.parametrize("as_text", [False, True])
def test_a_key_in_an_inline_config_is_told_where_keys_go(
    as_text: bool, key: str, project: Project, remote: Remote
) -> None:
    config = {"provider": "openai", key: "abc"}
    settings(project, remote, CONFIG, json.dumps(config) if as_text else config)
    err = refused(project, remote)
    assert "`credentials:` of the target, as `!env NAME`: api_key, virtual_key, provider_key" in err
    assert "pc-" in err
