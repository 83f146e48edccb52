"""`pull`: what is live becomes manifests that say the same, and nothing of it changes but the mark."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Project, Remote

PROMPT = "You help customers.\n\nAlways be polite.\n"


def make(remote: Remote, **fields: Any) -> str:
    return str(remote.ask("POST", "/v1/assistants", {"model": "gpt-4o", **fields})["id"])


def unmarked(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "metadata": {k: v for k, v in body["metadata"].items() if k != "reconciler"}}


def files(project: Project) -> dict[str, bytes]:
    return {str(p.relative_to(project.root)): p.read_bytes() for p in project.root.rglob("assistants.d/**/*.*")}


def test_what_is_live_is_written_and_adopted_and_the_plan_is_empty(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    make(remote, name="Help desk", instructions=PROMPT, temperature=0.2, metadata={"team": "support"})
    before = remote.objects()
    remote.forget()
    ran = project.ok("pull", "--yes", "--check")
    assert "1 of 1 objects now managed" in ran.out
    manifest = (project.root / "assistants.d/help-desk.yaml").read_text()
    assert manifest == (
        "name: Help desk\nmodel: gpt-4o\ntemperature: 0.2\ninstructions: !file prompts/help-desk.md\n"
        "metadata:\n  team: support\n"
    )
    assert (project.root / "assistants.d/prompts/help-desk.md").read_text() == PROMPT
    assert [unmarked(each) for each in remote.objects()] == before
    (write,) = remote.writes
    assert set(write.body) == {"metadata"}
    assert project.run("plan", "--detailed-exitcode").code == 0


def test_a_second_pull_changes_no_file_and_sends_no_write(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    make(remote, name="a", instructions=PROMPT)
    project.ok("pull", "--yes")
    written = files(project)
    remote.forget()
    assert "Nothing to pull" in project.ok("pull", "--yes").out
    assert files(project) == written
    assert remote.writes == []


def test_without_confirmation_nothing_is_written(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    make(remote, name="a")
    before = files(project)
    remote.forget()
    ran = project.run("pull")
    assert ran.code == 1
    assert "--yes" in ran.err
    assert "assistants.d/a.yaml" in ran.out
    assert files(project) == before
    assert remote.writes == []


def test_check_alone_writes_nothing_and_says_what_would_be_pulled(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    make(remote, name="a")
    before = files(project)
    remote.forget()
    ran = project.run("pull", "--check")
    assert (ran.code, files(project), remote.writes) == (2, before, [])
    assert "assistants.d/a.yaml" in ran.out
    project.ok("pull", "--yes")
    assert project.run("pull", "--check").code == 0
    remote.ask("POST", f"/v1/assistants/{remote.named('a')['id']}", {"name": "b"})
    drifted = project.run("pull", "--check")
    assert drifted.code == 2
    assert "name" in drifted.out


def test_ids_and_names_choose_and_what_means_nothing_is_an_error(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    first = make(remote, name="HR bot")
    make(remote, name="HR payroll")
    make(remote, name="Sales")
    make(remote, name="[EU] desk")
    project.ok("pull", "--yes", first, "[EU] desk")
    assert {path for path in files(project) if path != "assistants.d/reconciler.yaml"} == {
        "assistants.d/hr-bot.yaml",
        "assistants.d/eu-desk.yaml",
    }
    ran = project.ok("pull", "--yes", "HR*")
    assert "is managed already, as assistant/hr-bot" in ran.out
    assert "assistants.d/hr-payroll.yaml" in files(project)
    missed = project.run("pull", "--yes", "Sales", "Marketing")
    assert missed.code == 1
    assert "'Marketing'" in missed.err
    assert "assistants.d/sales.yaml" not in files(project)


def test_objects_of_others_and_of_newer_versions_are_left_out(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    foreign = make(remote, name="theirs", metadata={"reconciler": "1 other theirs abc - -"})
    newer = make(remote, name="newer", metadata={"reconciler": "7 acme newer and more"})
    damaged = make(remote, name="damaged", metadata={"reconciler": "by hand"})
    remote.forget()
    ran = project.ok("pull", "--yes")
    assert f"! {foreign}  left out: is managed by other" in ran.out
    assert f"! {newer}  left out: was written by a newer reconciler" in ran.out
    assert f"! {damaged}  left out: has a mark that cannot be read" in ran.out
    assert remote.writes == []
    assert set(files(project)) == {"assistants.d/reconciler.yaml"}


def test_what_is_ours_and_lost_its_manifest_comes_back_under_its_key(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/team/desk.yaml", "reconciler: {protect: true}\nname: Desk\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    project.remove("assistants.d/team/desk.yaml")
    project.write("assistants.d/other.yaml", "name: other\nmodel: gpt-4o\n")
    remote.forget()
    project.ok("pull", "--yes")
    text = (project.root / "assistants.d/team/desk.yaml").read_text()
    assert text == "reconciler:\n  protect: true\nname: Desk\nmodel: gpt-4o\n"
    assert remote.writes == []
    assert "1 to create" in project.ok("plan").out


def test_a_failed_mark_leaves_the_files_and_the_next_pull_does_the_rest(project: Project, start: Any) -> None:
    remote = start(chaos={"rules": [{"on": "modify", "nth": 2, "status": 400}]})
    project.target(remote.url)
    for name in ("a", "b", "c"):
        make(remote, name=name, instructions=PROMPT)
    failed = project.run("pull", "--yes")
    assert failed.code == 5, failed.err
    written = files(project)
    remote.forget()
    ran = project.ok("pull", "--yes", "--check")
    assert "already written" in ran.out
    assert len(remote.writes) == 1
    assert files(project) == written


def test_a_name_that_a_different_manifest_has_is_not_pulled(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    id = make(remote, name="Desk")
    project.write("assistants.d/desk.yaml", "name: Desk\nmodel: gpt-4o\ntemperature: 0.5\n")
    ran = project.ok("pull", "--yes")
    assert f"reconciler adopt assistant/desk {id}" in ran.out
    assert set(files(project)) == {"assistants.d/reconciler.yaml", "assistants.d/desk.yaml"}


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        ({"old.yml": "model: gpt-4o\nname: x\n"}, {"new.yml", "prompts/new.md"}),
        ({"old.md": "---\nmodel: gpt-4o\n---\n\nHello.\n"}, {"new.md"}),
        ({"old.json": '{"model": "gpt-4o"}'}, {"new.json"}),
        ({"old.yaml": "model: gpt-4o\ninstructions: |\n  a\n  b\n"}, {"new.yaml"}),
        ({"old.yaml": "model: gpt-4o\ninstructions: !file a.txt\n", "a.txt": "a\nb\n"}, {"new.yaml", "prompts/new.md"}),
    ],
)
def test_new_manifests_are_written_as_the_others_are(
    project: Project, remote: Remote, existing: dict[str, str], expected: set[str]
) -> None:
    project.target(remote.url)
    for path, text in existing.items():
        project.write(f"assistants.d/{path}", text)
    project.ok("apply", "--yes")
    before = set(files(project))
    make(remote, name="new", instructions="One.\n\nTwo.\n")
    project.ok("pull", "--yes", "--check")
    assert {path.removeprefix("assistants.d/") for path in set(files(project)) - before} == expected


TEXTS = [
    "---\nno: front matter\n---\ntext\n",
    "---\nnever closed\n",
    "a\r\nb\r\n",
    "a\rb\n",
    "\ufeffa\nb\n",
    "\n\nleading\n",
    "trailing \t\nblanks\n",
    "ends with more\n\n\n",
    "no end\nhere",
    "   \n\t\n",
    "\n",
    "",
    "tab\tin\nside\n",
    "nel \x85 and \u2028 separators\nhere",
    "# looks like a comment\n- and a list: here\n",
    "x" * 201,
    "👩‍👩‍👧 family\nemoji\n",
    "nul \x00 inside\nhere\n",
    "{{ braces }} !file ${x}\n%TAG\n",
]


@pytest.mark.parametrize("habit", ["yaml", "md", "json", "inline"])
def test_every_text_is_read_back_exactly(project: Project, remote: Remote, habit: str) -> None:
    project.target(remote.url)
    first = {
        "yaml": ("old.yaml", "model: gpt-4o\n"),
        "md": ("old.md", "---\nmodel: gpt-4o\n---\n"),
        "json": ("old.json", '{"model": "gpt-4o"}'),
        "inline": ("old.yaml", "model: gpt-4o\ninstructions: |\n  a\n  b\n"),
    }[habit]
    project.write(f"assistants.d/{first[0]}", first[1])
    project.ok("apply", "--yes")
    for number, text in enumerate(TEXTS):
        make(remote, name=f"n{number}", instructions=text, description="d " + text.replace("\x00", "")[:40].strip())
    before = {each["id"]: unmarked(each) for each in remote.objects()}
    ran = project.ok("pull", "--yes")
    assert f"{len(TEXTS)} of {len(TEXTS)} objects now managed" in ran.out
    assert {each["id"]: unmarked(each) for each in remote.objects()} == before
    assert project.run("plan", "--detailed-exitcode").code == 0
    # Every field is in the files: applied to an empty account, they make the same objects.
    for id in before:
        remote.ask("DELETE", f"/v1/assistants/{id}")
    project.ok("apply", "--yes")
    texts = {each["name"]: each["instructions"] for each in remote.objects()}
    assert texts == {each["name"]: each["instructions"] for each in before.values()}


NAMES = [
    "🤖",
    "../../etc/passwd",
    "a/b",
    "..",
    "...",
    "n" * 256,
    "",
    None,
    "con",
    "NUL",
    "reconciler",
    "שלום bot",
    "_hidden",
    ".dot",
    "Same",
    "same",
    "SAME",
    "Straße Ä",
    "yes",
    "1:30",
    "~",
    " padded ",
    "# no comment",
    "- item",
    "!tag",
]


def test_odd_names_make_plain_files_inside_the_directory(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    for name in NAMES:
        make(remote, name=name, instructions=PROMPT)
    project.ok("pull", "--yes", "--check")
    below = project.root / "assistants.d"
    found = [str(path.relative_to(below)) for path in below.rglob("*") if path.is_file()]
    assert len(found) == 2 * len(NAMES) + 1
    assert len({path.casefold() for path in found}) == len(found)
    stems = {path.rpartition("/")[2].partition(".")[0] for path in found if path != "reconciler.yaml"}
    assert not stems & {"con", "nul", "reconciler", ""}
    assert all(stem.isascii() and stem[0] not in "._" and len(stem) < 80 for stem in stems)
    elsewhere = [path for path in project.root.rglob("*") if path.is_file() and below not in path.parents]
    assert all(project.root / ".reconciler" in path.parents for path in elsewhere)


def test_an_existing_file_is_never_overwritten_not_even_in_other_letters(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/prompts/Desk.md", "mine\n")
    project.write("assistants.d/DESK-2.md", "a text without front matter\n")
    before = files(project)
    make(remote, name="desk", instructions=PROMPT)
    project.ok("pull", "--yes", "--check")
    assert "assistants.d/desk-3.yaml" in files(project)
    assert {path: files(project)[path] for path in before} == before


def test_a_directory_of_prompts_that_leads_outside_is_refused(project: Project, remote: Remote, tmp_path: Any) -> None:
    project.target(remote.url)
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (project.root / "assistants.d/prompts").symlink_to(outside)
    make(remote, name="a", instructions=PROMPT)
    remote.forget()
    ran = project.run("pull", "--yes")
    assert ran.code == 1
    assert "points outside the project" in ran.err
    assert list(outside.iterdir()) == []
    assert not (project.root / "assistants.d/a.yaml").exists()
    assert remote.writes == []


def test_what_a_manifest_cannot_say_is_told_and_stays_as_it_is(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    make(remote, name="two\nlines", description="fine", metadata={"k": "bell \x07", "team": "x"})
    before = remote.objects()
    ran = project.ok("pull", "--yes", "--check")
    assert "name contains the control character" in ran.err
    assert "metadata.k contains the control character" in ran.err
    assert [unmarked(each) for each in remote.objects()] == before
    text = (project.root / "assistants.d/two-lines.yaml").read_text()
    assert text == "description: fine\nmodel: gpt-4o\nmetadata:\n  team: x\n"


def test_an_object_with_full_metadata_is_left_out(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    id = make(remote, name="full", metadata={f"k{n}": "v" for n in range(16)})
    remote.forget()
    ran = project.ok("pull", "--yes")
    assert f"! {id}  left out" in ran.out
    assert "has 16 entries" in ran.err
    assert remote.writes == []


def test_250_assistants_made_by_hand_lose_nothing(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    tools = [
        {"type": "code_interpreter"},
        {"type": "file_search", "file_search": {"max_num_results": 7, "ranking_options": {"score_threshold": 0}}},
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"no": {}}}}},
    ]
    for number in range(250):
        reasoning = number % 5 == 0
        make(
            remote,
            name=["Desk", "desk", "DESK", f"Bot {number}", f"🤖 {number}", None][number % 6],
            description=f"yes: {number} # no comment",
            instructions=[PROMPT, "short", f"{number}\r\n", "---\nx\n", "trailing \n\n", None][number % 6],
            tools=tools[: number % 4],
            tool_resources={"code_interpreter": {"file_ids": [f"file-{number}"]}} if number % 2 else {},
            metadata={"team": "no", "since": "2026-01-01", "count": str(number)},
            response_format={"type": "json_object"} if number % 3 else "auto",
            model="o3-mini" if reasoning else "gpt-4o",
            **({"reasoning_effort": "low"} if reasoning else {"temperature": number / 250, "top_p": 0.5}),
        )
    before = {each["id"]: unmarked(each) for each in remote.objects()}
    remote.forget()
    project.ok("pull", "--yes")
    assert len(remote.writes) == 250
    assert sum("limit=" in request.path for request in remote.app.requests) == 3
    assert {each["id"]: unmarked(each) for each in remote.objects()} == before
    assert project.run("plan", "--detailed-exitcode").code == 0
    written = files(project)
    remote.forget()
    project.ok("pull", "--yes", "--check")
    assert files(project) == written
    assert remote.writes == []
    # No field is lost: the files alone make the same objects again.
    for id in before:
        remote.ask("DELETE", f"/v1/assistants/{id}")
    project.ok("apply", "--yes")
    again = [unmarked(each) for each in remote.objects()]
    fields = [sorted(str({**each, "id": 0, "created_at": 0}) for each in found) for found in (before.values(), again)]
    assert fields[0] == fields[1]


def test_a_project_without_a_directory_gets_one(project: Project) -> None:
    ran = project.ok("pull", "--yes")
    assert "Nothing to pull" in ran.out


def test_a_renamed_file_is_not_answered_with_a_second_one(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/desk.yaml", "name: Desk\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    project.remove("assistants.d/desk.yaml")
    project.write("assistants.d/help.yaml", "name: Desk\nmodel: gpt-4o-mini\n")
    before = files(project)
    ran = project.ok("pull", "--yes")
    assert "looks like assistant/help" in ran.out
    assert "moved_from: desk" in ran.out
    assert files(project) == before


@pytest.mark.parametrize("seed", range(3))
def test_in_whatever_shape_the_server_answers_the_plan_is_empty(project: Project, start: Any, seed: int) -> None:
    remote = start(adversary=seed)
    project.target(remote.url)
    tools = [
        {"type": "file_search"},
        {"type": "function", "function": {"name": "f", "parameters": {"properties": {"b": {}, "a": {}}}}},
        {"type": "code_interpreter"},
    ]
    for number in range(12):
        make(
            remote,
            name=f"n{number % 9}",
            instructions=["a\nb\n", None, "x"][number % 3],
            temperature=[None, 0.5, 1][number % 3],
            tools=tools[: number % 4],
            tool_resources={"code_interpreter": {"file_ids": ["file-b", "file-a"]}} if number % 2 else None,
            metadata={"z": "1", "a": "2"},
        )
    project.ok("pull", "--yes", "--check")
    written = files(project)
    project.ok("pull", "--yes", "--check")
    assert files(project) == written
    for each in remote.objects():
        changed = {**each["metadata"], "z": "new"}
        remote.ask(
            "POST", f"/v1/assistants/{each['id']}", {"temperature": 0.25, "tools": tools[1:2], "metadata": changed}
        )
    drifted = project.run("plan", "--format", "json").json
    project.ok("pull", "--theirs", *(change["address"] for change in drifted["changes"]))
    after = project.run("plan", "--format", "json").json
    assert [change["fields"] for change in after["changes"] if change["fields"]] == []


def test_a_thousand_objects_take_ten_lists_two_more_from_both_ends_and_a_write_each(
    project: Project, remote: Remote
) -> None:
    project.target(remote.url)
    for number in range(1000):
        make(remote, name=f"Bot {number % 100}")
    remote.forget()
    project.ok("pull", "--yes", "--quiet")
    assert 10 <= sum("limit=" in request.path for request in remote.app.requests) <= 12
    assert len(remote.writes) == 1000
    assert project.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("marks", ["digests", "lock-file"])
def test_with_marks_of_every_sort_the_plan_is_empty(project: Project, remote: Remote, marks: str) -> None:
    project.target(remote.url, more=f"    marks: {marks}\n")
    make(remote, name="a", instructions=PROMPT, metadata={"team": "x"})
    make(remote, name="b")
    before = remote.objects()
    ran = project.ok("pull", "--yes", "--check")
    assert ran.err == ""
    assert [unmarked(each) for each in remote.objects()] == before
    assert "assistants.lock.json" not in "".join(path.read_text() for path in project.root.glob("assistants.d/*.yaml"))
    written = files(project)
    assert "Nothing to pull" in project.ok("pull", "--yes", "--check").out
    assert files(project) == written
    remote.ask("POST", f"/v1/assistants/{before[0]['id']}", {"name": "c"})
    (change,) = project.run("plan", "--format", "json").json["changes"]
    project.ok("pull", "--theirs", change["address"])
    (change,) = project.run("plan", "--format", "json").json["changes"]
    assert (change["fields"], change["reasons"]) == ([], ["mark"])
