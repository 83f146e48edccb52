"""`!env` in the settings of a pull request: the variables of the provider's credentials, and those the job allows."""

from __future__ import annotations

import pytest

from tests.conftest import Project, Remote

MANIFEST = "name: a\nmodel: gpt-4o\n"
OTHERS = "AWS_SECRET_ACCESS_KEY"
SECRET = "somebody-elses-0123456789"


def ready(project: Project, remote: Remote, said: str, provider: str = "portkey") -> None:
    project.target(remote.url, provider=provider, more=f"    {said}\n")
    project.write("assistants.d/a.yaml", MANIFEST)
    project.environment |= {OTHERS: SECRET, "PORTKEY_API_KEY": "pk-1", "OPENAI_API_KEY": "sk-1"}
    project.environment["RECONCILER_ALLOWED_ENV"] = ""


@pytest.mark.parametrize(
    "said",
    [
        f"headers: {{x-portkey-trace-id: !env {OTHERS}}}",
        f"headers: {{x-portkey-provider: !env {OTHERS}}}",
        f"credentials: {{virtual_key: !env {OTHERS}}}",
        f"credentials: {{provider_key: !env {OTHERS}}}",
        f"lock: {{url: !env {OTHERS}}}",
        "credentials: {provider_key: !env PORTKEY_API_KEY}",
        "credentials: {api_key: !env PORTKEY_API_KEY, virtual_key: !env PORTKEY_API_KEY}",
        "headers: {x-portkey-trace-id: !env PORTKEY_API_KEY}",
        "credentials: {api_key: !env OPENAI_API_KEY}",
    ],
)
def test_no_variable_is_sent_that_is_not_meant_for_it(said: str, project: Project, remote: Remote) -> None:
    """Not another credential of the same environment either: each goes where it belongs."""
    ready(project, remote, said)
    name = said.rpartition("!env ")[2].strip("}")
    ran = project.run("apply", "--yes")
    assert ran.code == 1
    assert "assistants.d/reconciler.yaml:9:" in ran.err
    assert "RC0315]" in ran.err
    assert f"set RECONCILER_ALLOWED_ENV={name} in the environment" in ran.err
    assert SECRET not in ran.out + ran.err
    assert remote.app.requests == []


@pytest.mark.parametrize("given", ["NAME", "NAME_FILE"])
@pytest.mark.parametrize("allowed", ["STAGING_PORTKEY_KEY", "A, STAGING_PORTKEY_KEY", "STAGING_*"])
def test_the_line_of_the_message_lets_it_through(given: str, allowed: str, project: Project, remote: Remote) -> None:
    ready(project, remote, "credentials: {api_key: !env STAGING_PORTKEY_KEY}")
    value = str(project.write("key", "pk-staging\n")) if given == "NAME_FILE" else "pk-staging"
    project.environment[given.replace("NAME", "STAGING_PORTKEY_KEY")] = value
    assert project.run("plan").code == 1
    project.environment["RECONCILER_ALLOWED_ENV"] = allowed
    project.ok("plan")
    assert remote.app.requests[0].headers["x-portkey-api-key"] == "pk-staging"


@pytest.mark.parametrize("allowed", ["*", "**", "staging_portkey_key", "STAGING_PORTKEY", "PORTKEY_KEY"])
def test_nothing_else_does(allowed: str, project: Project, remote: Remote) -> None:
    ready(project, remote, "credentials: {api_key: !env STAGING_PORTKEY_KEY}")
    project.environment |= {"STAGING_PORTKEY_KEY": "pk-staging", "RECONCILER_ALLOWED_ENV": allowed}
    assert "RC0315" in project.run("plan").err
    assert remote.app.requests == []


def test_the_provider_s_own_variable_needs_no_word(project: Project, remote: Remote) -> None:
    ready(project, remote, "credentials: {api_key: !env PORTKEY_API_KEY}")
    project.ok("plan")
    assert remote.app.requests[0].headers["x-portkey-api-key"] == "pk-1"


def test_files_are_checked_without_the_environment_of_the_job(project: Project, remote: Remote) -> None:
    """A pull request of a fork is validated where no key is, and nothing is read then."""
    ready(project, remote, "credentials: {api_key: !env STAGING_PORTKEY_KEY}")
    project.ok("validate")


def test_doctor_says_which_line_is_missing(project: Project, remote: Remote) -> None:
    ready(project, remote, "credentials: {api_key: !env STAGING_PORTKEY_KEY}")
    project.environment["STAGING_PORTKEY_KEY"] = "pk-staging"
    assert "RECONCILER_ALLOWED_ENV=STAGING_PORTKEY_KEY" in " ".join(project.run("doctor").out.split())
