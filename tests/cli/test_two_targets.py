"""Two targets of one project: with one account they need an owner each, and neither deletes what the other wants."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Project, Remote

LIMITS = "    limits: {settle_seconds: 0, writes_per_minute: 100000, reads_per_minute: 100000}\n"
HEAD = "owner: acme\nprune: owned\ndefault_target: us\ntargets:\n"
AB = "name: {}\nmodel: gpt-4o\n"


def settings(project: Project, **targets: str) -> None:
    """Settings with these targets; each says what is in its block."""
    blocks = "".join(f"  {name}:\n    provider: openai-assistants\n{LIMITS}{more}" for name, more in targets.items())
    project.write("assistants.d/reconciler.yaml", HEAD + blocks)


def at(url: str, key: str = "", more: str = "") -> str:
    key = f"    credentials: {{api_key: !env {key}}}\n" if key else ""
    return f"    url: {url}/v1\n{key}{more}"


@pytest.fixture
def shared(project: Project, remote: Remote) -> Project:
    """`us` and `eu`, which look different in the files, and are one account."""
    project.environment |= {"KEY_US": "sk-us", "KEY_EU": "sk-eu", "RECONCILER_ALLOWED_ENV": "KEY_*"}
    settings(project, us=at(remote.url, "KEY_US"), eu=at(remote.url, "KEY_EU"))
    return project


@pytest.mark.parametrize("eu", ["", "/"])
def test_one_account_with_one_owner_is_refused_by_validate(project: Project, remote: Remote, eu: str) -> None:
    settings(project, us=at(remote.url), eu=at(remote.url).replace("/v1", f"/v1{eu}"))
    project.write("assistants.d/a.yaml", "reconciler: {targets: [us]}\n" + AB.format("a"))
    for command in (["validate"], ["--target", "eu", "apply", "--yes"]):
        ran = project.run(*command)
        assert ran.code == 1
        assert "RC0313" in ran.err
        assert "us and eu" in ran.err
        assert "owner: acme-eu" in ran.err
    assert remote.app.requests == []


@pytest.mark.parametrize(
    "eu",
    [
        "    owner: acme-eu\n",
        "    headers: {openai-project: proj_eu}\n",
        "    credentials: {api_key: !env OTHER}\n",
    ],
)
def test_what_may_be_another_account_or_is_another_owner_is_accepted(project: Project, remote: Remote, eu: str) -> None:
    settings(project, us=at(remote.url), eu=at(remote.url, more=eu))
    project.write("assistants.d/a.yaml", AB.format("a"))
    project.ok("validate")


def test_the_owner_of_a_target_is_on_its_objects(project: Project, remote: Remote) -> None:
    settings(project, us=at(remote.url), eu=at(remote.url, more="    owner: acme-eu\n"))
    project.write("assistants.d/a.yaml", "reconciler: {same_name: allow}\n" + AB.format("a"))
    project.ok("apply", "--yes")
    project.ok("--target", "eu", "apply", "--yes")
    owners = sorted(each["metadata"]["reconciler"].split()[1] for each in remote.objects())
    assert owners == ["acme", "acme-eu"]
    for target in ("us", "eu"):
        assert "No changes" in project.ok("--target", target, "plan", "--detailed-exitcode").out
    project.remove("assistants.d/a.yaml")
    project.write("assistants.d/b.yaml", AB.format("b"))
    project.ok("--target", "eu", "apply", "--yes", "--allow-deletes", "1")
    assert [each["metadata"]["reconciler"].split()[1] for each in remote.objects() if each["name"] == "a"] == ["acme"]


def test_two_owners_in_one_account_make_an_object_each_of_the_same_files(project: Project, remote: Remote) -> None:
    settings(project, us=at(remote.url), eu=at(remote.url, more="    owner: acme-eu\n"))
    project.write("assistants.d/a.yaml", AB.format("a"))
    project.write("assistants.d/unnamed.yaml", "model: gpt-4o\ninstructions: Be kind.\n")
    for target in ("us", "eu"):
        project.ok("--target", target, "apply", "--yes")
    for target in ("us", "eu"):
        project.ok("--target", target, "plan", "--detailed-exitcode")
    owners = sorted(each["metadata"]["reconciler"].split(" ")[1] for each in remote.objects())
    assert owners == ["acme", "acme", "acme-eu", "acme-eu"]


def test_credentials_that_turn_out_to_be_one_are_refused(shared: Project, remote: Remote) -> None:
    shared.environment["KEY_EU"] = "sk-us"
    shared.write("assistants.d/a.yaml", AB.format("a"))
    ran = shared.run("--target", "eu", "plan")
    assert ran.code == 1
    assert "RC0313" in ran.err
    assert "sk-us" not in ran.err + ran.out
    assert remote.app.requests == []


@pytest.mark.parametrize(
    ("us", "key"),
    [
        ("reconciler: {targets: [us]}\nname: a\nmodel: gpt-4o\n", "a"),
        ("reconciler: {targets: [us], moved_from: old}\nname: a\nmodel: gpt-4o\n", "old"),
        ("reconciler: {targets: [us], on_remove: release}\nname: a\nmodel: gpt-4o\n", "a"),
        ("reconciler: {targets: [us], kind: assistant, key: k/a}\nname: a\nmodel: gpt-4o\n", "k/a"),
    ],
)
def test_what_has_a_manifest_for_another_target_is_no_orphan(
    shared: Project, remote: Remote, us: str, key: str
) -> None:
    shared.environment.pop("KEY_US")  # nobody can ask whether the accounts are one
    for number in range(6):
        shared.write(f"assistants.d/e{number}.yaml", f"reconciler: {{targets: [eu]}}\nname: e{number}\nmodel: m\n")
    shared.ok("--target", "eu", "apply", "--yes")
    mark = {"reconciler": f"1 acme {key} abcdefghijkl {'r' if 'release' in us else '-'} -"}
    remote.ask("POST", "/v1/assistants", {"name": "a", "model": "gpt-4o", "metadata": mark})
    shared.write("assistants.d/a.yaml", us)
    ran = shared.ok("--target", "eu", "apply", "--yes")
    assert f"assistant/{key}" in ran.err
    assert remote.named("a")["metadata"] == mark
    shared.write("assistants.d/a.yaml", us.replace("[us", "[eu").replace("name: a", "name: a2"))
    shared.ok("--target", "eu", "plan")
    shared.remove("assistants.d/a.yaml")
    shared.run("--target", "eu", "apply", "--yes")
    assert not any(each["metadata"] == mark for each in remote.objects())


def test_a_manifest_in_a_layer_of_another_target_is_no_orphan(shared: Project, remote: Remote) -> None:
    shared.environment.pop("KEY_US")
    more = "    layers: [overlays/us]\n"
    settings(shared, us=at(remote.url, "KEY_US", more), eu=at(remote.url, "KEY_EU"))
    for number in range(6):
        shared.write(f"assistants.d/e{number}.yaml", f"name: e{number}\nmodel: m\n")
    shared.write("overlays/us/a.yaml", AB.format("a"))
    shared.environment["KEY_US"] = "sk-us"
    shared.ok("--target", "us", "apply", "--yes")
    del shared.environment["KEY_US"]
    shared.ok("--target", "eu", "apply", "--yes")
    assert remote.named("a")


def test_rows_for_another_target_are_no_orphans(shared: Project, remote: Remote) -> None:
    for number in range(6):
        shared.write(f"assistants.d/e{number}.yaml", f"name: e{number}\nmodel: m\n")
    shared.write(
        "assistants.d/rows.yaml",
        "reconciler:\n  for_each: [{t: x}, {t: y}]\n  key: 'rows/{{ t }}'\n  targets: [us]\n"
        "name: 'row {{ t }}'\nmodel: gpt-4o\n",
    )
    shared.ok("--target", "us", "apply", "--yes")
    del shared.environment["KEY_US"]
    shared.ok("--target", "eu", "apply", "--yes")
    assert remote.named("row x")


def test_a_saved_plan_does_not_delete_what_another_target_took_up_since(shared: Project, remote: Remote) -> None:
    del shared.environment["KEY_US"]
    for name in "abcdef":
        shared.write(f"assistants.d/{name}.yaml", AB.format(name))
    shared.ok("--target", "eu", "apply", "--yes")
    shared.remove("assistants.d/a.yaml")
    shared.ok("--target", "eu", "plan", "--out", "plan.json")
    shared.write("assistants.d/a.yaml", "reconciler: {targets: [us]}\n" + AB.format("a"))
    ran = shared.run("--target", "eu", "apply", "plan.json", "--yes")
    assert ran.code == 3
    assert "another target" in ran.err
    assert remote.named("a")


def test_accounts_that_turn_out_to_be_one_are_refused(shared: Project, remote: Remote) -> None:
    shared.write("assistants.d/a.yaml", "reconciler: {targets: [us]}\n" + AB.format("a"))
    shared.ok("--target", "us", "apply", "--yes")
    remote.forget()
    for command in (["plan"], ["apply", "--yes"]):
        ran = shared.run("--target", "eu", *command)
        assert ran.code == 1
        assert "RC0313" in ran.err
    assert remote.writes == []


def test_accounts_that_are_two_are_asked_once_and_accepted(shared: Project, start: Callable[..., Remote]) -> None:
    us, eu = start(), start()
    settings(shared, us=at(us.url, "KEY_US"), eu=at(eu.url, "KEY_EU"))
    shared.write("assistants.d/a.yaml", AB.format("a"))
    shared.ok("--target", "us", "apply", "--yes")
    shared.ok("--target", "eu", "apply", "--yes")
    assert (len(us.objects()), len(eu.objects())) == (1, 1)


def test_local_targets_have_a_database_each(project: Project) -> None:
    project.write(
        "assistants.d/reconciler.yaml",
        "owner: acme\nprune: owned\ntargets: {one: {provider: local}, two: {provider: local}}\n",
    )
    project.write("assistants.d/a.yaml", AB.format("a"))
    for target in ("one", "two", "local"):
        assert "1 to create" in project.ok("--target", target, "plan").out
        project.ok("--target", target, "apply", "--yes")
    assert sorted(path.name for path in (project.root / ".reconciler").glob("*.db")) == ["local.db", "one.db", "two.db"]
