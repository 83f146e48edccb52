"""A key that somebody left in a file goes nowhere: `validate`, `plan` and `apply` refuse it, and no output holds it."""

from __future__ import annotations

import pytest

from tests.conftest import Project, Remote

KEY = "sk-" + "Qw3rT6yU1oP9aS2dF5gH8jK4lZ7xC0vB" * 2
PART = KEY[:16]
MANIFEST = f"name: a\nmodel: gpt-4o\ninstructions: |\n  Be kind.\n  Call it with {KEY}.\n"


@pytest.mark.parametrize("verb", [["validate"], ["plan"], ["apply", "--yes"], ["render"], ["drift"]])
def test_a_key_in_a_prompt_is_refused_before_anything_is_sent(
    verb: list[str], project: Project, remote: Remote
) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", MANIFEST)
    ran = project.run(*verb)
    assert ran.code == 1
    assert "RC0115" in ran.err
    assert "assistants.d/a.yaml:3:" in ran.err
    assert PART not in ran.out + ran.err
    assert remote.app.requests == []


def test_it_is_only_warned_of_where_the_flag_or_the_environment_says_so(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", MANIFEST)
    ran = project.ok("validate", "--allow-secret-like")
    assert "RC0115" in ran.err
    assert PART not in ran.out + ran.err
    project.environment["RECONCILER_ALLOW_SECRET_LIKE"] = "1"
    project.ok("apply", "--yes")
    assert KEY in remote.named("a")["instructions"]


def test_a_saved_plan_from_before_does_not_carry_it_past_the_check(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", MANIFEST)
    project.ok("plan", "--out", "plan.json", "--allow-secret-like")
    before = len(remote.app.requests)
    assert project.run("apply", "plan.json", "--yes").code == 1
    assert len(remote.app.requests) == before


@pytest.mark.parametrize(
    "settings",
    [
        "targets: {{test: {{provider: portkey, headers: {{x-custom: {}}}}}}}\n",
        "targets:\n  test: {{provider: portkey, vars: {{region: {}}}}}\n",
        "owner: {}\nunknown: x\n",
        "targets:\n  test: {{provider: portkey, url: 'https://api.portkey.ai/v1?api_key={}'}}\n",
    ],
)
def test_a_key_in_the_settings_is_refused_and_not_shown(settings: str, project: Project) -> None:
    project.write("assistants.d/reconciler.yaml", settings.format(KEY))
    ran = project.run("validate")
    assert ran.code == 1
    assert "RC0115" in ran.err
    assert PART not in ran.out + ran.err


def test_pull_leaves_a_field_with_a_key_out_of_the_manifest(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    remote.ask("POST", "/v1/assistants", {"model": "gpt-4o", "name": "a", "instructions": f"Use {KEY}."})
    ran = project.ok("pull", "--yes")
    assert "RC0115" in ran.err
    assert PART not in ran.out + ran.err
    assert not any(PART in path.read_text() for path in (project.root / "assistants.d").rglob("*.yaml"))
    assert KEY in remote.named("a")["instructions"]


def test_a_key_from_a_file_reaches_the_server_and_no_output(project: Project, start: object) -> None:
    remote = start(api_key=KEY)  # type: ignore[operator]
    project.target(remote.url, more="    credentials: {api_key: !env KEY}\n")
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
    project.environment["KEY_FILE"] = str(project.write("secret", f"{KEY}\n"))
    rans = [project.ok("--verbose", "apply", "--yes"), project.ok("doctor"), project.run("--verbose", "plan")]
    assert any(each.method == "POST" for each in remote.app.requests)
    assert not any(PART in ran.out + ran.err for ran in rans)


STORE = "reconciler: {kind: vector_store}\nname: s\nfiles: [%s]\n"
FILE = "reconciler: {kind: file}\nsource: %s\n"
UPLOADED = {
    "in prose": f"Be kind.\nCall it with {KEY}.\n".encode(),
    "in an environment file": f"# the desk\nAPI_KEY={KEY}\n".encode(),
    "as a private key": b"Notes.\n-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n",
    "with a byte order mark": f"\ufeff{KEY}\n".encode(),
    "in UTF-16": f"Be kind.\n{KEY}\n".encode("utf-16"),
    "behind other bytes": b"caf\xe9 \xff\n" + KEY.encode(),
    "far down": b"Be kind. \n" * 200_000 + KEY.encode(),
}


@pytest.mark.parametrize("manifest", [STORE % "notes/*", STORE % "notes/a.txt", FILE % "notes/a.txt", FILE % "notes/*"])
@pytest.mark.parametrize("content", UPLOADED.values(), ids=UPLOADED)
def test_a_key_in_an_uploaded_text_is_refused_before_anything_is_sent(
    content: bytes, manifest: str, project: Project, remote: Remote
) -> None:
    project.target(remote.url)
    project.write("assistants.d/s.yaml", manifest)
    project.write("assistants.d/notes/a.txt", "").write_bytes(content)
    for verb in (["validate"], ["apply", "--yes"]):
        ran = project.run(*verb)
        assert ran.code == 1
        assert "RC0115" in ran.err
        assert "assistants.d/notes/a.txt:" in ran.err
        assert PART not in ran.out + ran.err
    assert remote.app.requests == []


@pytest.mark.parametrize("manifest", [STORE % "notes/*", FILE % "notes/a.txt"])
def test_the_manifest_that_names_the_file_or_the_flag_may_allow_it(
    manifest: str, project: Project, remote: Remote
) -> None:
    project.target(remote.url)
    project.write("assistants.d/notes/a.txt", KEY)
    project.write("assistants.d/s.yaml", manifest)
    assert "RC0115" in project.ok("validate", "--allow-secret-like").err
    project.write("assistants.d/s.yaml", manifest.replace("{kind", "{secret_like: allow, kind"))
    for verb in (["validate"], ["plan"], ["apply", "--yes"]):
        ran = project.ok(*verb)
        assert "RC0115" in ran.err
        assert PART not in ran.out + ran.err


def test_what_is_no_text_is_not_looked_through(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/s.yaml", STORE % "a.bin")
    project.write("assistants.d/a.bin", "").write_bytes(b"\x7fELF\0\0" + KEY.encode())
    project.ok("apply", "--yes")
