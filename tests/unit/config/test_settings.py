"""reconciler.yaml: what it says, what it may not say, and where secrets come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.env_values import resolve
from reconciler.config.errors import ConfigError
from reconciler.config.schema.schemas import shipped
from reconciler.config.settings import load_settings
from reconciler.config.targets import EnvRef, Prune, Settings, Target
from reconciler.diagnostics import Code, Source
from tests.unit.config.conftest import DIRECTORY, told, write

FULL = """\
owner: acme-support
prune: owned
default_target: production
targets:
  production:
    provider: portkey
    url: https://gateway.acme.example/v1
    headers:
      x-portkey-provider: "@openai-prod"
      x-portkey-metadata: {team: support}
      x-portkey-config: !env PORTKEY_CONFIG
    credentials: {api_key: !env PORTKEY_API_KEY}
    limits: {writes_per_minute: 120, settle_seconds: 1.5}
    vars: {region: eu}
"""


def settings(root: Path, text: str | bytes) -> Settings:
    """The settings in a file."""
    write(root, {f"{DIRECTORY}/reconciler.yaml": text})
    return load_settings(root, [Path(DIRECTORY)])


def refusal(root: Path, text: str | bytes) -> list[str]:
    """What is told about settings that are refused."""
    with pytest.raises(ConfigError) as refused:
        settings(root, text)
    return [told(each).removeprefix("assistants.d/reconciler.yaml:") for each in refused.value.diagnostics]


def test_settings_say_who_manages_what_and_where(tmp_path: Path) -> None:
    found = settings(tmp_path, FULL)
    assert (found.owner, found.prune, found.default_target) == ("acme-support", Prune.OWNED, "production")
    target = found.target()
    assert (target.name, target.provider, target.url) == ("production", "portkey", "https://gateway.acme.example/v1")
    place = Source("assistants.d/reconciler.yaml", 12, 28)
    assert target.credentials == {"api_key": EnvRef("PORTKEY_API_KEY", place, "production", "credentials.api_key")}
    assert target.headers["x-portkey-provider"] == "@openai-prod"
    assert target.headers["x-portkey-metadata"] == {"team": "support"}
    assert isinstance(target.headers["x-portkey-config"], EnvRef)
    assert target.vars == {"region": "eu"}
    assert target.source == Source("assistants.d/reconciler.yaml", 5, 3)
    limits = shipped().limits(shipped().provider("portkey"), target)
    assert (limits.writes_per_minute, limits.reads_per_minute, limits.settle_seconds) == (120, 1000, 1.5)


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n", "{}", "---\n"])
def test_everything_is_optional(tmp_path: Path, text: str | None) -> None:
    found = load_settings(tmp_path, [Path(DIRECTORY)]) if text is None else settings(tmp_path, text)
    assert (found.owner, found.prune, found.default_target) == (None, Prune.NONE, "local")
    assert found.targets == {"local": Target("local", "local")}


def test_a_local_target_is_always_there(tmp_path: Path) -> None:
    found = settings(tmp_path, FULL)
    assert found.target("local") == Target("local", "local")
    assert settings(tmp_path, "targets: {local: {provider: local, vars: {a: b}}}").target().vars == {"a": "b"}


def test_an_unknown_target_is_refused_naming_the_known_ones(tmp_path: Path) -> None:
    found = settings(tmp_path, FULL)
    for name, hint in (("prodution", "did you mean production?"), ("x", "the targets are local or production")):
        with pytest.raises(ConfigError) as refused:
            found.target(name)
        [diagnostic] = refused.value.diagnostics
        assert (diagnostic.code, diagnostic.hint) == (Code.UNKNOWN_TARGET, hint)


ONE = "targets: {a: {provider: portkey, %s}}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "onwer: x",
            "1:1: error: unknown field onwer (one of default_target, owner, prune, targets) -> did you mean owner?",
        ),
        ("owner: Acme", '1:8: error: owner cannot be "Acme"'),
        ("owner: 12", "1:8: error: owner must be text, not the number 12"),
        (f"owner: {'a' * 33}", f'1:8: error: owner cannot be "{"a" * 33}"'),
        ("prune: all", '1:8: error: prune cannot be "all"'),
        ("prune: true", "1:8: error: prune cannot be true"),
        ("default_target: prod", "1:17: error: there is no target prod -> the targets are local"),
        ("targets: {a: {}}", "1:14: error: targets.a.provider is missing"),
        ("targets: {a: {provider: portky}}", "1:25: error: unknown provider portky -> did you mean portkey?"),
        ("targets: {a: {provider: openai-assistants}}", "1:11: error: the target a has no url"),
        ("targets: {A B: {provider: local}}", '1:11: error: targets.A B cannot be "A B"'),
        (ONE % "regions: [x]", "1:34: error: unknown field regions in targets.a"),
        (ONE % "layers: [../x]", '1:43: error: targets.a.layers[0] cannot be "../x"'),
        (ONE % "limits: {writes: 1}", "1:43: error: unknown field writes in targets.a.limits"),
        (ONE % "limits: {concurrency: 0}", "1:56: error: targets.a.limits.concurrency is 0; the smallest value is 1"),
        (ONE % "limits: {concurrency: true}", "1:56: error: targets.a.limits.concurrency must be a whole number"),
        (ONE % "vars: {a: 1}", "1:44: error: targets.a.vars.a must be text, not the number 1"),
        (ONE % "url: ftp://x", "1:39: error: targets.a.url cannot be (sensitive)"),
        (ONE % 'url: "https://u:hunter2@x/"', "1:39: error: targets.a.url cannot be (sensitive)"),
        (ONE % 'url: "https://x/?key=hunter2"', "1:39: error: targets.a.url cannot be (sensitive)"),
        (
            ONE % "credentials: {api_key: hunter2}",
            "1:57: error: the credential api_key is a secret and cannot be in a file -> write !env NAME",
        ),
        (
            ONE % "credentials: {api_kee: !env X}",
            "1:48: error: the provider portkey has no credential api_kee -> did you mean api_key?",
        ),
        (
            ONE % "credentials: {api_key: 12}",
            "1:57: error: targets.a.credentials.api_key must be text, not the number (sensitive)",
        ),
        (ONE % "credentials: {api_key: !env A-B}", "1:57: error: !env needs the name of an environment variable"),
        (ONE % "credentials: {api_key: !env }", "1:57: error: !env needs the name of an environment variable"),
        (ONE % "headers: {Authorization: Bearer hunter2}", "1:59: error: the header Authorization is a secret"),
        (ONE % "headers: {x-portkey-api-key: hunter2}", "1:63: error: the header x-portkey-api-key is a secret"),
        (ONE % 'headers: {x-a: "b\\r\\nc: d"}', "1:49: error: targets.a.headers.x-a cannot be (sensitive)"),
        (ONE % 'headers: {"x a": b}', '1:44: error: targets.a.headers.x a cannot be "x a"'),
        (ONE % "vars: {a: !env X}", "1:44: error: !env cannot be used here -> !env is for the credentials"),
        (ONE % "vars: {a: !file x}", "1:44: error: !file cannot be used in the settings"),
        ("!env X", "1:1: error: !env cannot be used here"),
        ("[]", "1:1: error: the document must be a mapping"),
        ("owner: a\nowner: b", "2:1: error: key owner is given twice, in lines 1 and 2"),
        ("owner: a\n---\nowner: b", "3:1: error: settings are one document"),
        ("owner: [", "2:1: error: not valid YAML"),
        (b"\xff", "1:1: error: the file is not UTF-8"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_without_secrets(tmp_path: Path, text: str | bytes, line: str) -> None:
    lines = refusal(tmp_path, text)
    assert len(lines) == 1
    assert lines[0].startswith(line)
    assert "hunter2" not in lines[0]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    assert len(refusal(tmp_path, "owner: A\nprune: x\ntargets: {a: {}, b: {provider: 1}}\n")) == 4


def test_two_settings_files_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a/reconciler.yaml": "owner: a", "b/reconciler.yaml": "owner: b"})
    assert load_settings(tmp_path, [Path("a"), Path("a")]).owner == "a"
    with pytest.raises(ConfigError, match=r"there are two settings files; the other is a/reconciler\.yaml"):
        load_settings(tmp_path, [Path("a"), Path("b")])


def test_settings_are_not_read_through_a_link_out_of_the_project(tmp_path: Path) -> None:
    (tmp_path / DIRECTORY).mkdir()
    (tmp_path / DIRECTORY / "reconciler.yaml").symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match="points outside the project"):
        load_settings(tmp_path, [Path(DIRECTORY)])


PLACE = Source("assistants.d/reconciler.yaml", 12, 28)
REFERENCE = EnvRef("PORTKEY_API_KEY", PLACE, "production", "credentials.api_key")


def test_a_secret_comes_from_the_environment() -> None:
    assert resolve({"PORTKEY_API_KEY": "pk-hunter2"}, REFERENCE, "PORTKEY_API_KEY") == "pk-hunter2"


@pytest.mark.parametrize(("env", "state"), [({}, "is not set"), ({"PORTKEY_API_KEY": ""}, "is empty")])
def test_a_missing_secret_names_variable_target_and_place(env: dict[str, str], state: str) -> None:
    with pytest.raises(ConfigError) as refused:
        resolve(env, REFERENCE, "PORTKEY_API_KEY")
    [diagnostic] = refused.value.diagnostics
    assert diagnostic.code is Code.MISSING_ENVIRONMENT
    assert told(diagnostic) == (
        f"assistants.d/reconciler.yaml:12:28: error: the environment variable PORTKEY_API_KEY {state}; "
        "credentials.api_key of the target production needs it -> set it: export PORTKEY_API_KEY=…"
    )


@pytest.mark.parametrize("secret", ["hunter2\n", " hunter2", "hun ter2", "hun\r\nter2", "hunter2\x00", "hünter2"])
def test_a_malformed_secret_is_refused_and_never_told(secret: str) -> None:
    with pytest.raises(ConfigError) as refused:
        resolve({"PORTKEY_API_KEY": secret}, REFERENCE, "PORTKEY_API_KEY")
    assert "is malformed" in str(refused.value)
    assert "ter2" not in repr(refused.value.diagnostics)


def test_a_header_may_have_blanks_inside() -> None:
    header = EnvRef("CONFIG", PLACE, "production", "headers.x-portkey-config")
    env = {"RECONCILER_ALLOWED_ENV": "CONFIG"}
    assert resolve(env | {"CONFIG": '{"retry": 1}'}, header) == '{"retry": 1}'
    with pytest.raises(ConfigError):
        resolve(env | {"CONFIG": "a\nb: c"}, header)
