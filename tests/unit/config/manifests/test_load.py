"""Which files become which manifests, and which are refused."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from reconciler.config.source import project_files
from reconciler.core.values.model import Address, OnRemove
from reconciler.diagnostics import Code, Severity, Source
from tests.unit.config.conftest import DIRECTORY, Read, told, write

MODEL = "model: gpt-4o\n"


def keys(read: Read, contents: dict[str, str | bytes], **options: object) -> list[str]:
    """The keys of the manifests in these project_files, which have no problems."""
    loaded = read(contents, **options)
    assert loaded.diagnostics == ()
    return [each.address.key for each in loaded.manifests]


def problem(read: Read, contents: dict[str, str | bytes], **options: object) -> str:
    """The only problem of these files."""
    loaded = read(contents, **options)
    assert len(loaded.diagnostics) == 1, loaded.diagnostics
    return told(loaded.diagnostics[0])


# Which files


def test_files_are_found_below_the_directory_and_sorted_by_address(read: Read) -> None:
    found = keys(
        read,
        {
            "z.yaml": MODEL,
            "a/deep/er/b.yml": MODEL,
            "a/c.json": '{"model": "x"}',
            "B.md": "---\nmodel: x\n---\n",
            "v1.2.yaml": MODEL,
            "note.txt": "not ours",
            "_draft.yaml": "[",
            ".hidden.yaml": "[",
            "_drafts/a.yaml": "[",
            ".git/a.yaml": "[",
            "prompts/text.md": "only text",
        },
    )
    assert found == ["B", "a/c", "a/deep/er/b", "v1.2", "z"]


def test_the_default_address_is_the_path_and_the_only_kind(read: Read) -> None:
    [manifest] = read({"support/hr-bot.yaml": MODEL}).manifests
    assert manifest.address == Address("assistant", "support/hr-bot")
    assert manifest.source == Source("assistants.d/support/hr-bot.yaml", 1, 1)
    assert manifest.place(("model",)) == Source("assistants.d/support/hr-bot.yaml", 1, 8)


def test_several_directories_are_read_with_keys_of_their_own(read: Read, tmp_path: Path) -> None:
    write(tmp_path, {"more/b.yaml": MODEL})
    assert keys(read, {"a.yaml": MODEL}, dirs=(DIRECTORY, "more")) == ["a", "b"]


def test_a_directory_named_twice_is_read_once(read: Read) -> None:
    assert keys(read, {"a.yaml": MODEL}, dirs=(DIRECTORY, f"./{DIRECTORY}/../{DIRECTORY}", DIRECTORY)) == ["a"]


def test_a_missing_directory_is_an_error_and_an_empty_one_a_warning(read: Read) -> None:
    missing = read({"a.yaml": MODEL}, dirs=("asistants.d",))
    assert not missing.ok
    assert missing.diagnostics[0].summary == "the directory asistants.d does not exist"
    assert problem(read, {}, dirs=("assistants.d/none",)).startswith("-: error: the directory assistants.d/none")


def test_no_manifests_at_all_is_told(read: Read) -> None:
    loaded = read({"text.md": "only text"})
    assert loaded.ok
    assert [each.code for each in loaded.diagnostics] == [Code.NOTHING_TO_MANAGE]


@pytest.mark.parametrize("content", ["", "# nothing\n", "---\n---\n", "\ufeff"])
def test_an_empty_file_is_a_warning_that_names_it(read: Read, content: str) -> None:
    loaded = read({"a.yaml": content, "b.yaml": MODEL})
    assert [told(each) for each in loaded.diagnostics] == [
        "assistants.d/a.yaml:1:1: warning: the file is empty -> write a manifest, or remove the file"
    ]
    assert len(loaded.manifests) == 1


@pytest.mark.parametrize(("content", "what"), [("- a\n", "a list of 1 item"), ("word", '"word"'), ("12", "12")])
def test_a_file_that_is_no_mapping_is_refused(read: Read, content: str, what: str) -> None:
    assert f"a manifest is a mapping of fields, not {what}" in problem(read, {"a.yaml": content})


def test_settings_are_no_manifest_and_only_at_the_top(read: Read) -> None:
    assert keys(read, {"reconciler.yaml": "owner: me\n", "a.yaml": MODEL}) == ["a"]
    assert "settings are read from reconciler.yaml only" in problem(read, {"reconciler.yml": "owner: me\n"})


# Files that are not what they seem


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_pipes_and_sockets_are_refused_without_opening_them(
    read: Read, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / DIRECTORY).mkdir()
    monkeypatch.chdir(tmp_path / DIRECTORY)
    if kind == "pipe":
        os.mkfifo("a.yaml")
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("a.yaml")
    assert problem(read, {}) == "assistants.d/a.yaml:1:1: error: not a regular file -> remove it"


def test_links_out_of_the_project_are_refused(read: Read, tmp_path: Path) -> None:
    directory = tmp_path / DIRECTORY
    directory.mkdir()
    outside = tmp_path.parent / "outside.yaml"
    outside.write_text(MODEL)
    (directory / "a.yaml").symlink_to("/dev/zero")
    (directory / "b.yaml").symlink_to(outside)
    (directory / "c.yaml").symlink_to("c.yaml")
    (directory / "d.yaml").symlink_to("nowhere.yaml")
    (directory / "e").symlink_to("/etc")
    (directory / "f.yaml").symlink_to("../outside-not.yaml")
    loaded = read({})
    assert [(str(each.source)[13:], each.summary.partition(":")[0]) for each in loaded.diagnostics] == [
        ("a.yaml:1:1", "the link points outside the project"),
        ("b.yaml:1:1", "the link points outside the project"),
        ("c.yaml:1:1", "the link is broken"),
        ("d.yaml:1:1", "the link is broken"),
        ("e:1:1", "links to directories are not followed"),
        ("f.yaml:1:1", "the link is broken"),
    ]
    assert loaded.manifests == ()


def test_links_inside_the_project_are_read(read: Read, tmp_path: Path) -> None:
    write(tmp_path, {"common/real.yaml": MODEL, f"{DIRECTORY}/x.yaml": MODEL})
    (tmp_path / DIRECTORY / "a.yaml").symlink_to("../common/real.yaml")
    assert keys(read, {}) == ["a", "x"]


def test_a_directory_named_like_a_file_is_refused(read: Read) -> None:
    assert "a directory cannot be named *.yaml" in problem(read, {"a.yaml/b.yaml": MODEL})


def test_what_cannot_be_read_is_an_error_that_names_it(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refuse(path: str, *arguments: int, **more: int) -> int:
        if str(path).endswith("a.yaml"):
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **more)

    monkeypatch.setattr(project_files.os, "open", refuse)
    loaded = read({"a.yaml": MODEL, "b.yaml": MODEL})
    assert [told(each) for each in loaded.diagnostics] == [
        "assistants.d/a.yaml:1:1: error: cannot read the file: Permission denied"
    ]
    assert not loaded.ok


def test_a_directory_that_cannot_be_read_is_an_error(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(project_files.os, "scandir", refuse)
    assert "assistants.d/secret:1:1: error: cannot read the directory" in problem(
        read, {"secret/a.yaml": MODEL, "b.yaml": MODEL}
    )


def test_names_of_files_are_shown_printable(read: Read) -> None:
    lines = [told(each) for each in read({"a\x1b[31m\nb.yaml": "model: ["}).diagnostics]
    assert all(line.isprintable() for line in lines)
    assert "assistants.d/a\\x1b[31m\\nb.yaml:2:1" in lines[0]


def test_long_names_are_read(read: Read) -> None:
    assert keys(read, {"n" * 120 + ".yaml": MODEL}) == ["n" * 120]
    assert "has 250 characters; the limit is 128" in problem(read, {"n" * 250 + ".yaml": MODEL})


def test_large_files_are_refused(read: Read) -> None:
    assert "larger than 1,048,576 bytes" in problem(read, {"a.yaml": "#" * (2 * 1024 * 1024)})


# Keys and addresses


@pytest.mark.parametrize(
    ("name", "near"),
    [("HR bot.yaml", "hr-bot"), ("naïve.yaml", "naive"), ("-x.yaml", "x"), ("a+b.yaml", "a-b"), ("b/(1).yaml", "b/1")],
)
def test_a_file_name_that_is_no_key_says_how_to_give_one(read: Read, name: str, near: str) -> None:
    text = problem(read, {name: MODEL})
    assert "made from the path of the file, is not a valid key" in text
    assert text.endswith(f"-> write `reconciler: {{key: {near}}}`, or rename the file")
    assert keys(read, {name: MODEL + "reconciler: {key: other}\n"}) == ["other"]


@pytest.mark.parametrize("key", ["/a", "a/", "a//b", "a/../b", ".a", "a b", "é", "a\\n", "k" * 129, "a/_b"])
def test_keys_have_a_form(read: Read, key: str) -> None:
    text = problem(read, {"a.yaml": f'{MODEL}reconciler: {{key: "{key}"}}\n'})
    assert text.startswith("assistants.d/a.yaml:2:19: error: the key")


def test_several_documents_need_a_key_each(read: Read) -> None:
    good = "reconciler: {key: one}\nmodel: x\n---\nreconciler: {key: two}\nmodel: y\n"
    assert keys(read, {"a.yaml": good}) == ["one", "two"]
    loaded = read({"a.yaml": "model: x\n---\nreconciler: {key: two}\nmodel: y\n---\n"})
    assert [told(each) for each in loaded.diagnostics] == [
        "assistants.d/a.yaml:1:1: error: each document of a file with several documents needs a key -> add "
        "`reconciler: {key: …}` to it"
    ]


@pytest.mark.parametrize(
    ("first", "second", "exactly"),
    [("a.yaml", "a.yml", ""), ("Bot.yaml", "bot.md", " (they differ only in case)")],
)
def test_two_files_cannot_declare_one_address(read: Read, first: str, second: str, exactly: str) -> None:
    contents = {first: MODEL, second: f"---\n{MODEL}---\n" if second.endswith(".md") else MODEL}
    text = problem(read, contents)
    assert f"is declared twice{exactly}; the first is assistants.d/{first}:1:1" in text
    assert text.startswith(f"assistants.d/{second}")


def test_two_objects_of_the_same_name_are_a_warning(read: Read) -> None:
    contents = {"a.yaml": MODEL + "name: Café\n", "b.yaml": MODEL + "name: CAFE\u0301\n"}
    loaded = read(contents)
    assert [(each.severity, each.code) for each in loaded.diagnostics] == [(Severity.WARNING, Code.SAME_NAME)]
    assert len(loaded.manifests) == 2
    assert keys(read, contents | {"b.yaml": contents["b.yaml"] + "reconciler: {same_name: allow}\n"}) == ["a", "b"]


# The reconciler block


def test_the_block_becomes_options_and_is_not_part_of_the_body(read: Read) -> None:
    [manifest] = read(
        {
            "a.yaml": "reconciler:\n  kind: assistant\n  key: x/y\n  id: asst_1\n  protect: true\n"
            "  on_remove: release\n  ignore: [temperature, metadata.team.x]\n"
            "  initial: [instructions]\n  moved_from: old\n"
            "  targets: [local]\n  same_name: allow\n  on_expired: renew\n" + MODEL
        }
    ).manifests
    assert manifest.body == {"model": "gpt-4o"}
    assert manifest.address == Address("assistant", "x/y")
    assert (manifest.id, manifest.protect, manifest.on_remove) == ("asst_1", True, OnRemove.RELEASE)
    assert (manifest.ignore, manifest.initial) == ({"temperature", "metadata.team.x"}, {"instructions"})
    assert (manifest.moved_from, manifest.same_name_allowed, manifest.renew) == ("old", True, True)


@pytest.mark.parametrize("block", ["", "{}", "null"])
def test_an_empty_block_is_none(read: Read, block: str) -> None:
    assert keys(read, {"a.yaml": f"{MODEL}reconciler: {block}\n"}) == ["a"]


@pytest.mark.parametrize(
    ("block", "summary", "hint"),
    [
        ("protct: true", "unknown field protct", "did you mean protect?"),
        ("for_all: x", "unknown field for_all", "remove it"),
        ("protect: yes", 'protect must be true or false, not the text "yes"', ""),
        ("on_remove: keep", 'on_remove cannot be "keep"', ""),
        ("on_remove: realease", 'on_remove cannot be "realease"', "did you mean release?"),
        ("kind: asistant", "unknown kind asistant", "did you mean assistant?"),
        ("id: a/../b", 'id cannot be "a/../b"', ""),
        ("key: 12", "key must be text, not the number 12", 'quote it: key: "12"'),
        ("moved_from: a b", "moved_from a b is not a valid key", ""),
        ("moved_from: a", "moved_from is the same as the key", "write the key it had before"),
        ("targets: [prod]", "there is no target prod", "the targets are local"),
        ("targets: []", "targets is empty", ""),
        ("targets: local", 'targets must be a list, not the text "local"', "write it as a list"),
        ("ignore: [temprature]", "temprature in ignore is not a field", "did you mean temperature?"),
        ("ignore: [created_at]", "created_at in ignore is not a field", "the fields are"),
        ("initial: [tools.x]", "tools.x in initial is part of a field", "use the field, tools; only metadata"),
        ("ignore: [metadata.]", "metadata. in ignore is part of a field", ""),
        ("key: !var none", "the target local has no variable none", ""),
        ("key: !file nowhere", "!file nowhere cannot be read: No such file or directory", "that directory has a.yaml"),
    ],
)
def test_what_is_wrong_in_the_block_is_told(read: Read, block: str, summary: str, hint: str) -> None:
    loaded = read({"a.yaml": f"{MODEL}reconciler:\n  {block}\n"})
    assert [each.summary for each in loaded.diagnostics] == [summary]
    assert hint in loaded.diagnostics[0].hint
    assert str(loaded.diagnostics[0].source).startswith("assistants.d/a.yaml:3:")
    assert loaded.manifests == ()


def test_a_field_that_is_set_and_ignored_is_a_warning(read: Read) -> None:
    loaded = read({"a.yaml": MODEL + "top_p: 1\nreconciler: {ignore: [top_p]}\n"})
    assert loaded.ok
    assert [each.summary for each in loaded.diagnostics] == [
        "top_p is set here, but `ignore` names it: it is never sent"
    ]


SETTINGS = "targets:\n  other: {provider: local, vars: {region: eu, tier: gold}}\n"


def test_manifests_for_other_targets_are_checked_and_left_out(read: Read) -> None:
    contents = {
        "reconciler.yaml": SETTINGS,
        "a.yaml": MODEL,
        "b.yaml": MODEL + "reconciler: {targets: [other]}\n",
        "c.yaml": MODEL + "reconciler: {targets: [other], key: b}\n".replace("key: b", "key: c"),
    }
    assert keys(read, contents) == ["a"]
    assert keys(read, contents, target="other") == ["a", "b", "c"]
    assert "unknown field toolz" in problem(read, contents | {"b.yaml": contents["b.yaml"] + "toolz: []\n"})


def test_one_address_can_have_a_manifest_for_each_target(read: Read) -> None:
    contents = {
        "reconciler.yaml": SETTINGS,
        "a.yaml": "reconciler: {key: x, targets: [local]}\nmodel: one\n",
        "b.yaml": "reconciler: {key: x, targets: [other]}\nmodel: two\n",
    }
    for target, model in (("local", "one"), ("other", "two")):
        [manifest] = read(contents, target=target).manifests
        assert manifest.body == {"model": model}


# Tags


def test_file_takes_the_text_as_it_stands(read: Read) -> None:
    contents = {
        "sub/a.yaml": MODEL + "instructions: !file ../prompts/p.md\n",
        "prompts/p.md": "\ufeffone {{ braces }} $x\r\ntwo  \n\n",
    }
    [manifest] = read(contents).manifests
    assert manifest.body["instructions"] == "one {{ braces }} $x\ntwo  \n\n"
    assert manifest.place(("instructions",)) == Source("assistants.d/prompts/p.md", 1, 1)


@pytest.mark.parametrize(
    ("path", "summary", "hint"),
    [
        ("../../../etc/passwd", "!file ../../../etc/passwd points outside the project", "use a file of the project"),
        ("../../no-such-directory/x", "!file ../../no-such-directory/x points outside the project", ""),
        ("/etc/passwd", "!file /etc/passwd is not a relative path", ""),
        ("~/x", "!file ~/x is not a relative path", ""),
        ("link", "!file link points outside the project", ""),
        ("loop", "!file loop cannot be read: Too many levels of symbolic links", ""),
        (".", "!file . is not a regular file", ""),
        ("pipe", "!file pipe is not a regular file", ""),
        ("p.txt", "!file p.txt cannot be read: No such file or directory", "did you mean p.md?"),
        ("no/p.md", "!file no/p.md cannot be read: No such file or directory", "there is no directory no"),
        ('""', "!file needs the path of a file", ""),
    ],
)
def test_file_is_confined_to_regular_files_of_the_project(
    read: Read, tmp_path: Path, path: str, summary: str, hint: str
) -> None:
    directory = tmp_path / DIRECTORY
    directory.mkdir()
    (directory / "link").symlink_to("/etc/passwd")
    (directory / "loop").symlink_to("loop")
    os.mkfifo(directory / "pipe")
    loaded = read({"a.yaml": f"{MODEL}instructions: !file {path}\n", "p.md": "x"})
    assert [each.summary for each in loaded.diagnostics] == [summary]
    assert hint in loaded.diagnostics[0].hint
    assert str(loaded.diagnostics[0].source) == "assistants.d/a.yaml:2:15"


def test_file_may_name_what_is_outside_the_directory_and_inside_the_project(read: Read, tmp_path: Path) -> None:
    write(tmp_path, {"prompts/p.md": "x"})
    [manifest] = read({"a.yaml": MODEL + "instructions: !file ../prompts/p.md\n"}).manifests
    assert manifest.body["instructions"] == "x"


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"\xff", Code.BAD_ENCODING), (b"a\0b", Code.BAD_ENCODING), (b"x" * (2 * 1024 * 1024 + 1), Code.TOO_LARGE)],
)
def test_file_takes_utf_8_text_up_to_a_limit(read: Read, content: bytes, code: Code) -> None:
    loaded = read({"a.yaml": MODEL + "instructions: !file p.md\n", "p.txt": "", "p.md": content})
    assert code in [each.code for each in loaded.diagnostics]
    assert loaded.manifests == ()


def test_a_limit_that_a_file_exceeds_is_told_at_the_file(read: Read) -> None:
    text = problem(read, {"a.yaml": MODEL + "instructions: !file p.md\n", "p.md": "x" * 256_001})
    assert text.startswith("assistants.d/p.md:1:1: error: instructions has 256,001 characters; the limit is 256,000")


def test_variables_are_those_of_the_target(read: Read) -> None:
    contents = {"reconciler.yaml": SETTINGS, "a.yaml": "model: !var tier\nmetadata: {region: !var region}\n"}
    [manifest] = read(contents, target="other").manifests
    assert manifest.body == {"model": "gold", "metadata": {"region": "eu"}}
    assert manifest.place(("model",)) == Source("assistants.d/a.yaml", 1, 8)
    contents["a.yaml"] = "model: !var teir\n"
    assert problem(read, contents, target="other") == (
        "assistants.d/a.yaml:1:8: error: the target other has no variable teir (one of region, tier) -> "
        "did you mean tier?"
    )
    assert problem(read, contents) == (
        "assistants.d/a.yaml:1:8: error: the target local has no variable teir -> "
        "add it to targets.local.vars in reconciler.yaml"
    )


def test_secrets_cannot_stand_in_a_manifest(read: Read) -> None:
    assert problem(read, {"a.yaml": MODEL + "name: !env HOME\n"}).startswith(
        "assistants.d/a.yaml:2:7: error: !env cannot be used in a manifest: the value would be sent"
    )


def test_what_is_wrong_with_one_document_keeps_the_file_out(read: Read) -> None:
    loaded = read({"a.yaml": MODEL + "name: a\nname: b\n", "b.yaml": MODEL})
    assert [each.address.key for each in loaded.manifests] == ["b"]
    assert not loaded.ok


# Markdown


@pytest.mark.parametrize(
    ("below", "text", "line"),
    [
        ("\nYou are.\n", "You are.", 5),
        ("You are.", "You are.", 4),
        ("\n\n  You\n---\nare.\n\n", "\n  You\n---\nare.\n", 5),
        ("\r\nYou\r\nare.\r\n", "You\nare.", 5),
    ],
)
def test_the_text_below_the_front_matter_is_the_prose(read: Read, below: str, text: str, line: int) -> None:
    end = "\r\n" if "\r" in below else "\n"
    front = end.join(["---", "model: x", "---", ""])
    [manifest] = read({"a.md": front + below}).manifests
    assert manifest.body == {"model": "x", "instructions": text}
    assert manifest.place(("instructions",)) == Source("assistants.d/a.md", line, 1)
    assert manifest.place(("model",)) == Source("assistants.d/a.md", 2, 8)


def test_front_matter_may_take_the_prose_from_elsewhere(read: Read) -> None:
    [manifest] = read({"a.md": "---\nmodel: x\ninstructions: !file p.txt\n---\n\n", "p.txt": "hi"}).manifests
    assert manifest.body["instructions"] == "hi"


def test_prose_cannot_be_given_twice(read: Read) -> None:
    text = problem(read, {"a.md": "---\nmodel: x\ninstructions: y\n---\nz\n"})
    assert text.startswith("assistants.d/a.md:3:1: error: instructions is given twice, in the front matter and as")


def test_front_matter_has_to_end(read: Read) -> None:
    assert "the front matter is not closed" in problem(read, {"a.md": "---\nmodel: x\n\nYou are.\n"})


@pytest.mark.parametrize("text", ["# Title\n---\na: 1\n---\n", "----\n", "", " ---\nmodel: x\n---\n", "--- x\n---\n"])
def test_markdown_without_front_matter_is_only_text(read: Read, text: str) -> None:
    assert keys(read, {"a.md": text, "b.yaml": MODEL}) == ["b"]


def test_problems_in_front_matter_have_their_line_in_the_file(read: Read) -> None:
    assert "assistants.d/a.md:4:1: error: unknown field modle" in problem(
        read, {"a.md": "---\nmodel: x\n\nmodle: y\n---\n"}
    )
    assert "assistants.d/a.md:1:1: error: model is missing" in problem(
        read, {"b.yaml": MODEL, "a.md": "---\n---\nhi\n"}
    )


# Text that hides something


@pytest.mark.parametrize("field", ["name", "description", "model"])
@pytest.mark.parametrize("control", ["\\e[31m", "\\0", "\\x9b", "\\a", "\\r", "\\x7f"])
def test_control_characters_in_short_fields_are_refused(read: Read, field: str, control: str) -> None:
    model = "" if field == "model" else MODEL
    text = problem(read, {"a.yaml": f'{model}{field}: "a{control}b"\n'})
    assert f"error: {field} contains the control character U+00" in text
    assert text.isprintable()


def test_control_characters_in_labels_are_refused(read: Read) -> None:
    loaded = read({"a.yaml": MODEL + 'metadata: {a: "x\\ey", "b\\e": z}\n'})
    assert [each.severity for each in loaded.diagnostics] == [Severity.ERROR, Severity.ERROR]


def test_a_name_is_one_line_and_a_description_may_be_several(read: Read) -> None:
    assert "name contains the control character U+000A" in problem(read, {"a.yaml": MODEL + "name: |\n  a\n"})
    assert keys(read, {"a.yaml": MODEL + 'description: |\n  a\n  b\tc\nmetadata: {a: "x\\ny"}\n'}) == ["a"]


def test_control_characters_in_prose_are_a_warning_at_their_line(read: Read) -> None:
    loaded = read({"a.yaml": MODEL + "instructions: !file p.md\n", "p.md": "one\ntwo \x1b[31m\n"})
    assert loaded.ok
    assert [told(each) for each in loaded.diagnostics] == [
        "assistants.d/p.md:2:5: warning: instructions contains the control character U+001B in line 2 of the text -> "
        "remove it"
    ]


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\u202e", "RIGHT-TO-LEFT OVERRIDE"),
        ("\u2066", "LEFT-TO-RIGHT ISOLATE"),
        ("\u200b", "ZERO WIDTH SPACE"),
        ("\ufeff", "ZERO WIDTH NO-BREAK SPACE"),
        ("\U000e0041", "TAG LATIN CAPITAL LETTER A"),
    ],
)
@pytest.mark.parametrize("field", ["name: a{}b", "instructions: a{}b", "metadata: {{a: a{}b}}"])
def test_invisible_characters_are_a_warning(read: Read, character: str, name: str, field: str) -> None:
    loaded = read({"a.yaml": MODEL + field.format(character)})
    assert loaded.ok
    [diagnostic] = loaded.diagnostics
    assert (diagnostic.severity, diagnostic.code) == (Severity.WARNING, Code.SUSPICIOUS_TEXT)
    assert name in diagnostic.summary
    assert told(diagnostic).isprintable()


def test_ordinary_writing_is_not_suspicious(read: Read) -> None:
    text = "👩\u200d💻 می\u200cخواهم «quotes» — naïve\u00a0text 日本語"  # noqa: RUF001
    assert keys(read, {"a.yaml": f'{MODEL}name: "{text}"\n'}) == ["a"]


# The whole


def test_the_digest_depends_on_what_is_desired_and_nothing_else(read: Read) -> None:
    one = read({"a.yaml": "model: x\nname: n\n", "b.yaml": MODEL})
    other = read({"a.yaml": "# comment\nname: 'n'\nreconciler:\nmodel:   x\n", "b.yaml": "{model: gpt-4o}\n"})
    assert one.digest == other.digest
    assert one.digest.startswith("sha256:")
    for change in ("model: y\nname: n\n", "model: x\nname: n\nreconciler: {protect: true}\n", "model: x\n"):
        assert read({"a.yaml": change}).digest != one.digest
