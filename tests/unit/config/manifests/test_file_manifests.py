"""Files to upload, as manifests name them: paths, patterns, keys, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.config.manifests.load import Loaded, load
from reconciler.config.schema.schemas import shipped
from reconciler.config.settings import load_settings
from reconciler.config.source.globs import fixed_part, matching
from reconciler.core.values.model import Address

STORE = "reconciler: {kind: vector_store}\nname: s\nfiles: "


def read(root: Path, **files: str) -> Loaded:
    (root / "assistants.d").mkdir(exist_ok=True)
    for name, text in files.items():
        (root / "assistants.d" / f"{name}.yaml").write_text(text, encoding="utf-8")
    settings = load_settings(root, [Path("assistants.d")])
    target = settings.target("local")
    return load(root, [Path("assistants.d")], settings=settings, target=target, provider=shipped().provider("local"))


def page(root: Path, path: str, content: str = "text\n") -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return file


def addresses(loaded: Loaded) -> list[str]:
    assert loaded.diagnostics == ()
    return [str(manifest.address) for manifest in loaded.manifests if manifest.address.kind == "file"]


def codes(loaded: Loaded) -> list[str]:
    return [str(diagnostic.code) for diagnostic in loaded.diagnostics]


def test_a_pattern_is_a_resource_for_each_file_with_its_address_from_the_path(tmp_path: Path) -> None:
    for path in (
        "assistants.d/a/one.txt",
        "assistants.d/a/b/two.txt",
        "assistants.d/a/.hidden.txt",
        "docs/Über uns.txt",
    ):
        page(tmp_path, path)
    assert addresses(read(tmp_path, s=STORE + "[a/*.txt]")) == ["file/a/one.txt"]
    assert addresses(read(tmp_path, s=STORE + "[a/**/*.txt]")) == ["file/a/b/two.txt", "file/a/one.txt"]
    assert addresses(read(tmp_path, s=STORE + '["../docs/*"]')) == ["file/docs/Uber-uns.txt"]
    alone = read(tmp_path, s="reconciler: {kind: file}\nsource: a/**/*.txt\n")
    assert addresses(alone) == ["file/a/b/two.txt", "file/a/one.txt"]


def test_names_in_any_script_have_addresses_of_their_own_whatever_way_they_are_composed(tmp_path: Path) -> None:
    for name in ("Отпуск.md", "Поездки.md", "休暇.md", "Straße.md", "Strae.md", "файл", "…"):
        page(tmp_path, f"assistants.d/a/{name}")
    found = addresses(read(tmp_path, s=STORE + "['a/*']"))
    assert found == [
        *("file/a/1ae37b.md", "file/a/48d8c3", "file/a/8e4240.md", "file/a/Strae-2128e8.md"),
        *("file/a/Strae.md", "file/a/ad9878.md", "file/a/x"),
    ]
    page(tmp_path, "assistants.d/b/\u0439.md")
    page(tmp_path, "assistants.d/c/\u0438\u0306.md")
    (one, other) = addresses(read(tmp_path, s=STORE + "['[bc]/*']"))
    assert one.rpartition("/")[2] == other.rpartition("/")[2]


@pytest.mark.parametrize(
    "name", ['a"b.txt', "a%22b.txt", "a\nb.txt", "a\\b.txt", "a%0ab.txt", os.fsdecode(b"a\xff.txt")]
)
def test_names_that_do_not_come_through_a_form_as_they_are(name: str, tmp_path: Path) -> None:
    page(tmp_path, f"assistants.d/a/{name}")
    loaded = read(tmp_path, s=STORE + "['a/*']")
    assert codes(loaded) == ["RC0213"]
    assert "which some servers change" in loaded.diagnostics[0].summary
    loaded.diagnostics[0].summary.encode()


def test_a_file_with_a_manifest_is_known_by_its_path_and_brings_its_labels(tmp_path: Path) -> None:
    page(tmp_path, "assistants.d/a/one.txt")
    page(tmp_path, "assistants.d/a/two.txt")
    file = "reconciler: {kind: file, key: first}\nsource: a/one.txt\nfilename: First.txt\nattributes: {x: 1, y: 1}\n"
    store = STORE + "\n  - a/*.txt\n  - {source: a/one.txt, attributes: {y: 2}}\n"
    loaded = read(tmp_path, f=file, s=store)
    assert addresses(loaded) == ["file/a/two.txt", "file/first"]
    manifests = {manifest.address: manifest for manifest in loaded.manifests}
    first = manifests[Address("file", "first")].body
    assert (first["filename"], "attributes" in first) == ("First.txt", False)
    entries = manifests[Address("vector_store", "s")].body["files"]
    assert [(key, entry.get("attributes")) for key, entry in entries.items()] == [
        ("a/two.txt", None),
        ("first", {"x": 1, "y": 2}),
    ]
    assert sorted(map(str, manifests[Address("vector_store", "s")].refs.values())) == addresses(loaded)


def test_what_the_store_says_of_chunking_counts_for_files_that_say_nothing(tmp_path: Path) -> None:
    page(tmp_path, "assistants.d/one.txt")
    page(tmp_path, "assistants.d/two.txt")
    own = "{type: static, static: {max_chunk_size_tokens: 200, chunk_overlap_tokens: 0}}"
    store = STORE + f"[one.txt, {{source: two.txt, chunking_strategy: {own}}}]\nchunking_strategy: {{type: auto}}\n"
    (entry,) = [m for m in read(tmp_path, s=store).manifests if m.address.kind == "vector_store"]
    assert [each["chunking_strategy"]["type"] for each in entry.body["files"].values()] == ["auto", "static"]


def test_the_content_decides_the_digest_of_the_whole(tmp_path: Path) -> None:
    file = page(tmp_path, "assistants.d/one.txt")
    first = read(tmp_path, s=STORE + "[one.txt]").digest
    file.write_text("other\n")
    assert read(tmp_path).digest != first
    file.write_text("text\n")
    assert read(tmp_path).digest == first


@pytest.mark.parametrize(
    ("store", "code"),
    [
        ("[no/*.txt]", "RC0111"),
        ("[no.txt]", "RC0109"),
        ("[../../secret.txt]", "RC0109"),
        ('["/etc/*"]', "RC0109"),
        ('["../../**/*.txt"]', "RC0109"),
        ("[empty.txt]", "RC0113"),
        ("[{file_id: file-abc}]", "RC0213"),
        ("[{attributes: {a: 1}}]", "RC0213"),
        ("[{source: one.txt, file_id: file-abc}]", "RC0213"),
        ("[one.txt, one.txt]", "RC0214"),
        ("[link.txt]", "RC0109"),
        ("[pipe]", "RC0109"),
        ("[a b.txt, a-b.txt]", "RC0205"),
        ("[!ref file/nobody]", "RC0212"),
        ("[!ref vector_store/s]", "RC0212"),
    ],
)
def test_what_is_refused(store: str, code: str, tmp_path: Path) -> None:
    page(tmp_path, "secret.txt")
    root = tmp_path / "project"
    for name in ("one.txt", "a b.txt", "a-b.txt"):
        page(root, f"assistants.d/{name}")
    page(root, "assistants.d/empty.txt", "")
    (root / "assistants.d/link.txt").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(root / "assistants.d/pipe")
    assert code in codes(read(root, s=STORE + store))


@pytest.mark.parametrize(
    "said",
    ["id: file-1", "protect: true", "on_remove: release", "ignore: [purpose]", "moved_from: b", "on_expired: renew"],
)
def test_what_cannot_be_said_of_a_file(said: str, tmp_path: Path) -> None:
    page(tmp_path, "assistants.d/one.txt")
    assert codes(read(tmp_path, f=f"reconciler: {{kind: file, {said}}}\nsource: one.txt\n")) == ["RC0213"]


def test_a_name_for_many_files_and_one_that_is_too_long(tmp_path: Path) -> None:
    page(tmp_path, "assistants.d/one.txt")
    assert codes(read(tmp_path, f="reconciler: {kind: file}\nsource: '*.txt'\nfilename: x.txt\n")) == ["RC0213"]
    page(tmp_path, f"assistants.d/{'ü' * 100}.txt")
    assert codes(read(tmp_path, f="reconciler: {kind: file}\nsource: '*.txt'\n")) == ["RC0213"]


def test_a_file_that_is_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (page(tmp_path, "assistants.d/big.bin")).open("r+b") as file:
        file.truncate(600 * 1024 * 1024)
    assert codes(read(tmp_path, s=STORE + "[big.bin]")) == ["RC0112"]


def test_patterns() -> None:
    paths = ["/r/a.md", "/r/x/b.md", "/r/x/y/c.md", "/r/.git/d.md", "/r/x/.e.md"]
    assert matching("/r/*.md", paths) == ["/r/a.md"]
    assert matching("/r/**/*.md", paths) == ["/r/a.md", "/r/x/b.md", "/r/x/y/c.md"]
    assert matching("/r/**", paths) == matching("/r/**/*.md", paths)
    assert matching("/r/?/[ab].md", paths) == ["/r/x/b.md"]
    assert matching("/r/.git/*", paths) == ["/r/.git/d.md"]
    assert (fixed_part("/r/x/*.md"), fixed_part("/*")) == ("/r/x", "/")
