"""Who changed it, the file or a hand: bases from git and from marks, and what a person may decide about it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project, Remote

HELPDESK = "name: Help desk\nmodel: gpt-4o\ntemperature: 0.2\ninstructions: Be polite.\n"


def git(project: Project, *arguments: str) -> str:
    """Run git in the project, as nobody in particular."""
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *author, *arguments], cwd=project.root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(project: Project, message: str) -> str:
    git(project, "add", "-A")
    git(project, "commit", "-q", "--allow-empty", "-m", message)
    return git(project, "rev-parse", "HEAD")


@pytest.fixture
def applied(project: Project, remote: Remote) -> Project:
    """One assistant in a repository, applied and committed."""
    project.target(remote.url)
    project.write("assistants.d/helpdesk.yaml", HELPDESK)
    project.ok("apply", "--yes")
    git(project, "init", "-q")
    commit(project, "first")
    return project


def by_hand(remote: Remote, **fields: object) -> None:
    remote.ask("POST", f"/v1/assistants/{remote.objects()[0]['id']}", fields)


def reasons(project: Project, *arguments: str) -> dict[str, str]:
    document = project.run("plan", "--format", "json", *arguments).json
    return {".".join(map(str, f["path"])): f["reason"] for c in document["changes"] for f in c["fields"]}


def test_a_night_edit_and_an_unrelated_merge_are_told_apart(applied: Project, remote: Remote) -> None:
    by_hand(remote, temperature=0.9)
    applied.write("assistants.d/helpdesk.yaml", HELPDESK.replace("polite", "very polite"))
    commit(applied, "more polite")
    assert reasons(applied) == {"instructions": "changed", "temperature": "changed"}
    assert reasons(applied, "--base", "git:HEAD^") == {"instructions": "edited", "temperature": "drifted"}
    shown = applied.ok("plan", "--base", "git:HEAD^").out
    assert "drifted: changed outside these files" in shown


def test_the_work_tree_is_neither_read_nor_touched(applied: Project, remote: Remote) -> None:
    prompt = applied.write("assistants.d/prompts/p.md", "One.\n")
    applied.write("assistants.d/helpdesk.yaml", HELPDESK.replace("Be polite.", "!file prompts/p.md"))
    commit(applied, "a prompt")
    applied.ok("apply", "--yes")
    prompt.write_text("Two.\n")
    before = git(applied, "status", "--porcelain")
    assert reasons(applied, "--base", "git:HEAD") == {"instructions": "edited"}
    assert git(applied, "status", "--porcelain") == before == "M assistants.d/prompts/p.md"


def test_links_inside_the_commit_are_followed_and_no_others(applied: Project, remote: Remote) -> None:
    applied.write("shared/p.md", "One.\n")
    (applied.root / "assistants.d/prompts").mkdir()
    (applied.root / "assistants.d/prompts/p.md").symlink_to("../../shared/p.md")
    applied.write("assistants.d/helpdesk.yaml", HELPDESK.replace("Be polite.", "!file prompts/p.md"))
    commit(applied, "a link")
    applied.ok("apply", "--yes")
    by_hand(remote, instructions="hand")
    assert reasons(applied, "--base", "git:HEAD") == {"instructions": "drifted"}
    link = applied.root / "assistants.d/prompts/p.md"
    link.unlink()
    link.symlink_to("/etc/hostname")
    commit(applied, "a link that leads out")
    link.unlink()
    applied.write("assistants.d/prompts/p.md", "One.\n")
    assert reasons(applied, "--base", "git:HEAD") == {"instructions": "changed"}


def test_a_project_below_the_top_of_its_repository(project: Project, remote: Remote) -> None:
    git(project, "init", "-q")
    below = Project(project.root / "team one/assistants", project.environment)
    below.target(remote.url)
    below.write("assistants.d/helpdesk.yaml", HELPDESK)
    below.ok("apply", "--yes")
    commit(project, "first")
    by_hand(remote, temperature=0.9)
    assert reasons(below, "--base", "git:HEAD") == {"temperature": "drifted"}


@pytest.mark.parametrize("ref", ["git:nowhere", "git:--help", "git:", "main", "svn:1"])
def test_a_ref_that_is_none_is_refused_before_anything_is_asked(applied: Project, remote: Remote, ref: str) -> None:
    remote.forget()
    ran = applied.run("plan", "--base", ref)
    assert (ran.code, ran.out) == (1, "")
    assert remote.app.requests == []


def test_outside_a_repository_it_is_said(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/helpdesk.yaml", HELPDESK)
    ran = project.run("plan", "--base", "git:HEAD")
    assert ran.code == 1
    assert "not a git repository" in ran.err


class TestInCi:
    """`auto`, by the environment each CI gives."""

    def edits(self, applied: Project, remote: Remote) -> tuple[str, str]:
        """A hand's edit, and a commit with a file's; answers with the commits before and after."""
        first = git(applied, "rev-parse", "HEAD")
        by_hand(remote, temperature=0.9)
        applied.write("assistants.d/helpdesk.yaml", HELPDESK.replace("polite", "very polite"))
        return first, commit(applied, "more polite")

    def test_a_push_on_github(self, applied: Project, remote: Remote, tmp_path: Path) -> None:
        first, _ = self.edits(applied, remote)
        commit(applied, "unrelated, in the same push")
        event = tmp_path / "event.json"
        event.write_text(json.dumps({"before": first}))
        applied.environment |= {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_EVENT_PATH": str(event),
        }
        assert reasons(applied) == {"instructions": "edited", "temperature": "drifted"}
        event.write_text(json.dumps({"before": "0" * 40}))
        assert reasons(applied) == {"instructions": "drifted", "temperature": "drifted"}

    def test_a_pull_request_on_github(self, applied: Project, remote: Remote) -> None:
        git(applied, "checkout", "-q", "-b", "feature")
        self.edits(applied, remote)
        git(applied, "update-ref", "refs/remotes/origin/main", "main")
        applied.environment |= {"GITHUB_ACTIONS": "true", "GITHUB_BASE_REF": "main"}
        assert reasons(applied) == {"instructions": "edited", "temperature": "drifted"}

    @pytest.mark.parametrize(
        "variables",
        [
            {"GITLAB_CI": "true", "CI_MERGE_REQUEST_DIFF_BASE_SHA": "{first}"},
            {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BEFORE_SHA": "{first}"},
            {"CI": "true"},
        ],
        ids=["merge request", "push", "another CI"],
    )
    def test_elsewhere(self, applied: Project, remote: Remote, variables: dict[str, str]) -> None:
        first, _ = self.edits(applied, remote)
        applied.environment |= {name: value.format(first=first) for name, value in variables.items()}
        assert reasons(applied) == {"instructions": "edited", "temperature": "drifted"}

    @pytest.mark.parametrize("variables", [{"GITHUB_ACTIONS": "true"}, {"GITLAB_CI": "true"}, {"CI": "1"}])
    def test_a_scheduled_drift_compares_with_what_is_checked_out(
        self, applied: Project, remote: Remote, variables: dict[str, str]
    ) -> None:
        by_hand(remote, temperature=0.9)
        applied.environment |= variables
        ran = applied.run("drift")
        assert ran.code == 2
        assert "drifted: changed outside these files" in ran.out

    def test_an_object_deleted_by_hand_is_drift(self, applied: Project, remote: Remote) -> None:
        remote.ask("DELETE", f"/v1/assistants/{remote.objects()[0]['id']}")
        assert applied.run("drift").code == 0
        applied.environment |= {"CI": "true"}
        ran = applied.run("drift")
        assert ran.code == 2
        assert "or lost its mark, outside these files" in ran.out

    def test_history_that_was_not_fetched_is_said_and_stops_nothing(self, applied: Project, remote: Remote) -> None:
        by_hand(remote, temperature=0.9)
        applied.environment |= {"CI": "true"}
        ran = applied.ok("plan")
        assert "HEAD^" in ran.err
        assert "fetch more history" in ran.err
        assert reasons(applied, "--base", "none") == {"temperature": "changed"}


class TestDigests:
    @pytest.fixture
    def remembering(self, project: Project, remote: Remote) -> Project:
        project.target(remote.url, more="    marks: digests\n")
        project.write("assistants.d/helpdesk.yaml", HELPDESK)
        project.write("assistants.d/other.yaml", "name: other\nmodel: gpt-4o\n")
        project.ok("apply", "--yes")
        return project

    def test_a_field_changed_on_both_sides_blocks_and_nothing_else_does(
        self, remembering: Project, remote: Remote
    ) -> None:
        remote.ask("POST", f"/v1/assistants/{remote.named('Help desk')['id']}", {"temperature": 0.9, "top_p": 0.5})
        remembering.write("assistants.d/helpdesk.yaml", HELPDESK.replace("0.2", "0.3"))
        remembering.write("assistants.d/other.yaml", "name: other\nmodel: gpt-4-turbo\n")
        remote.forget()
        ran = remembering.run("apply", "--yes")
        assert ran.code == 4
        assert "--resolve ours" in ran.out
        assert [sorted(request.body) for request in remote.writes] == [["metadata", "model"]]
        assert reasons(remembering, "assistant/helpdesk") == {"temperature": "conflict"}

    @pytest.mark.parametrize(("resolve", "temperature"), [("ours", 0.3), ("theirs", 0.9)])
    def test_somebody_decides(self, remembering: Project, remote: Remote, resolve: str, temperature: float) -> None:
        remote.ask("POST", f"/v1/assistants/{remote.named('Help desk')['id']}", {"temperature": 0.9})
        changed = HELPDESK.replace("0.2", "0.3").replace("polite", "kind")
        remembering.write("assistants.d/helpdesk.yaml", changed)
        remembering.ok("apply", "--yes", "--resolve", resolve)
        live = remote.named("Help desk")
        assert (live["temperature"], live["instructions"]) == (temperature, "Be kind.")
        assert remembering.run("plan").code == (0 if resolve == "ours" else 4)

    def test_drift_is_told_from_what_was_not_applied_yet(self, remembering: Project, remote: Remote) -> None:
        remembering.write("assistants.d/other.yaml", "name: other\nmodel: gpt-4-turbo\n")
        ran = remembering.ok("drift")
        assert "1 edited in the files, not applied yet" in ran.err
        remote.ask("POST", f"/v1/assistants/{remote.named('Help desk')['id']}", {"temperature": 0.9})
        remembering.write("assistants.d/helpdesk.yaml", HELPDESK.replace("polite", "kind"))
        ran = remembering.run("drift")
        assert ran.code == 2
        assert "temperature" in ran.out
        assert "instructions" not in ran.out
        assert "2 edited in the files, not applied yet" in ran.err

    def test_drift_can_be_kept_or_refused(self, remembering: Project, remote: Remote) -> None:
        remote.ask("POST", f"/v1/assistants/{remote.named('Help desk')['id']}", {"temperature": 0.9})
        remembering.write("assistants.d/helpdesk.yaml", HELPDESK.replace("polite", "kind"))
        assert remembering.run("apply", "--yes", "--on-drift", "fail").code == 4
        ran = remembering.ok("apply", "--yes", "--on-drift", "keep")
        assert "pull --theirs assistant/helpdesk" in ran.err
        live = remote.named("Help desk")
        assert (live["temperature"], live["instructions"]) == (0.9, "Be kind.")
        remembering.ok("apply", "--yes")
        assert remote.named("Help desk")["temperature"] == 0.2


def test_a_choice_about_drift_needs_something_that_remembers(applied: Project, remote: Remote) -> None:
    remote.forget()
    for choice in (["--on-drift", "keep"], ["--on-drift", "fail"], ["--resolve", "theirs"]):
        ran = applied.run("plan", *choice)
        assert ran.code == 1
        assert "--base git:REF" in ran.err
    assert remote.app.requests == []
    applied.ok("plan", "--on-drift", "keep", "--base", "git:HEAD")


class TestAgainst:
    def test_files_are_compared_with_files_and_nobody_is_asked(
        self, applied: Project, remote: Remote, start: Callable[..., Remote]
    ) -> None:
        applied.write("assistants.d/helpdesk.yaml", HELPDESK.replace("polite", "very polite"))
        applied.write("assistants.d/new.yaml", "name: new\nmodel: gpt-4o\n")
        remote.forget()
        ran = applied.ok("plan", "--against", "git:HEAD", "--format", "json")
        assert remote.app.requests == []
        changes = {c["address"]: c for c in ran.json["changes"]}
        assert (ran.json["against"], ran.json["applyable"]) == ("git:HEAD", False)
        assert changes["assistant/new"]["action"] == "create"
        assert changes["assistant/helpdesk"]["reasons"] == ["edited"]
        assert not [c for c in changes.values() if "id" in c or "patch" in c]
        assert applied.run("plan", "--against", "git:HEAD", "--detailed-exitcode").code == 2

    def test_no_credential_is_needed(self, applied: Project) -> None:
        applied.target("https://api.portkey.ai", provider="portkey", more="    credentials: {api_key: !env NOT_SET}\n")
        commit(applied, "a real target")
        applied.write("assistants.d/helpdesk.yaml", HELPDESK.replace("0.2", "0.3"))
        ran = applied.ok("plan", "--against", "git:HEAD")
        assert "0.2 → 0.3" in ran.out

    def test_what_leaves_the_files_is_a_delete_and_the_guard_counts(self, applied: Project) -> None:
        applied.remove("assistants.d/helpdesk.yaml")
        applied.write("assistants.d/other.yaml", "name: other\nmodel: gpt-4o\n")
        ran = applied.run("plan", "--against", "git:HEAD")
        assert ran.code == 4
        assert "delete" in ran.out

    def test_a_renamed_file_is_a_probable_rename_or_a_move(self, applied: Project) -> None:
        applied.remove("assistants.d/helpdesk.yaml")
        applied.write("assistants.d/desk.yaml", HELPDESK)
        assert "moved_from: helpdesk" in applied.run("plan", "--against", "git:HEAD").out
        applied.write("assistants.d/desk.yaml", "reconciler: {moved_from: helpdesk}\n" + HELPDESK)
        document = applied.ok("plan", "--against", "git:HEAD", "--format", "json").json
        assert [c["action"] for c in document["changes"]] == ["move"]

    def test_adopting_by_id_is_shown_as_that(self, applied: Project) -> None:
        applied.write("assistants.d/hand.yaml", "reconciler: {id: asst_made_by_hand}\nname: hand\nmodel: gpt-4o\n")
        document = applied.ok("plan", "--against", "git:HEAD", "--format", "json").json
        assert [(c["action"], c["id"]) for c in document["changes"]] == [("adopt", "asst_made_by_hand")]

    def test_broken_files_of_the_past_do_not_stop_their_repair(self, applied: Project) -> None:
        applied.write("assistants.d/bad.yaml", "name: [\n")
        commit(applied, "broken")
        applied.write("assistants.d/bad.yaml", "name: good\nmodel: gpt-4o\n")
        ran = applied.ok("plan", "--against", "git:HEAD")
        assert "have errors" in ran.err
        assert "assistant/bad" in ran.out

    def test_such_a_plan_is_not_saved(self, applied: Project) -> None:
        assert applied.run("plan", "--against", "git:HEAD", "--out", "plan.json").code == 1
        assert not (applied.root / "plan.json").exists()
