"""Nothing outside: whatever of a project's files is a link, no verb opens, writes or removes what it leads to.

Every verb that the command line has is run with every fixed name replaced by every sort of link. An audit hook sees
each file that this process opens, makes, renames or removes; what lies outside says the same, and nothing of it shows.
"""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
import pytest

from reconciler.cli.exits import Exit
from reconciler.cli.main import root as command_line
from tests.conftest import Project, Ran, Remote

resource: Any = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="directories are known by /proc")

OURS, THEIRS = "harmless", "precious"
"""A word in every file of the project, and what stands in its place outside."""
FILES: Final = {
    "assistants.d/a.yaml": f"name: a {OURS}\nmodel: gpt-4o\ninstructions: !file prompts/a.md\n",
    "assistants.d/b.json": f'{{"reconciler": {{"extends": "_base.yaml"}}, "name": "b {OURS}"}}\n',
    "assistants.d/c.md": f"---\nname: c {OURS}\nmodel: gpt-4o\n---\nBe {OURS}.\n",
    "assistants.d/_base.yaml": f"model: gpt-4o\ndescription: {OURS}\n",
    "assistants.d/many.yaml": (
        "reconciler: {for_each: !csv many.csv, key: '{{ n }}'}\nname: '{{ word }} {{ n }}'\nmodel: gpt-4o\n"
    ),
    "assistants.d/many.csv": f"n,word\nx,{OURS}\n",
    "assistants.d/pages.yaml": "reconciler: {kind: vector_store}\nname: Pages\nfiles: [pages/*.md]\n",
    "assistants.d/pages/page.md": f"A page, {OURS}.\n",
    "assistants.d/prompts/a.md": f"Be {OURS}.\n",
    "overlays/test/a.yaml": f"description: {OURS}\n",
    "policies/models.yaml": f"title: {OURS}\nproperties: {{name: {{type: string}}}}\n",
    "providers/mine.yaml": f"extends: openai-assistants\n# {OURS}\n",
    ".gitignore": f"# {OURS}\n",
    ".vscode/settings.json": f'{{"{OURS}": 1}}\n',
    "named/export": f'[{{"id": "asst_1", "object": "assistant", "name": "{OURS}", "model": "gpt-4o"}}]\n',
    "named/file": f"<!-- reconciler:plan -->\n{OURS}\n",
    "named/chaos": f"rules: []\n# {OURS}\n",
}
NAMES: Final = (
    *FILES,
    *("assistants.d", "assistants.d/reconciler.yaml", "assistants.d/prompts", "assistants.d/pages", "overlays"),
    *("overlays/test", "policies", "providers", "assistants.lock.json", ".vscode", ".vscode/reconciler"),
    *(".github", ".github/workflows", ".github/workflows/gitops.yml", ".gitlab-ci.yml"),
    *(".reconciler", ".reconciler/.gitignore", ".reconciler/journal", ".reconciler/lists", ".reconciler/cache"),
    *(".reconciler/lock-file.run", ".reconciler/local.db", ".reconciler/local.db-wal", ".reconciler/local.db-shm"),
    *("named", "named/plan.json", "named/out", "named/report", "named/rollback-out", "named/formats", "named/split"),
    *("named/db", "named/record"),
)
"""Every name that the tool knows by itself, and one for each file that an option of a verb names."""
ARGUMENTS: Final[Mapping[str, list[list[str]]]] = {
    "apply": [["--yes"], ["--yes", "--target", "local"], ["--yes", "ROOT/named/plan.json"]],
    "adopt": [["assistant/a", "asst_x"]],
    "release": [["assistant/a"]],
    "takeover": [["--from", "other"]],
    "plan": [[], ["--target", "local"], ["--against", "git:HEAD"]],
    "pull": [["--yes"], ["--yes", "--target", "local"]],
    "show": [["ROOT/named/plan.json"]],
    "explain": [["assistant.name"]],
    "convert": [["--to", "openai-agents", "--write"]],
    "init": [["--editor", "vscode", "--ci", "github"], ["--ci", "gitlab"]],
    "comment": [["--provider", "github", "--repository", "a/b", "--pull-request", "1"]],
    "serve": [["--host", "203.0.113.1"]],
    "run": [["--passes", "1", "--interval", "0.1"]],
    "report merge": [["ROOT/named/report"]],
    "completion": [["bash"]],
}
"""What a verb cannot do without; one that is not here is run as it stands."""
BEFORE: Final = {"formats": "json=", "split": "2="}
"""Options that name a file behind something else."""
WITHOUT: Final = {("plan", "--against"): {"out"}}
SORTS: Final = ("copy", "zero", "copy", "other", "copy", "new", "git")
"""What a link leads to, most often a copy of what was there. They take turns: each name meets all, each verb too."""


def verbs(group: click.Group = command_line, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every verb of the command line, those of groups as well."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from verbs(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


VERBS: Final = dict(verbs())


def runs(verb: str, root: Path) -> Iterator[list[str]]:
    """The arguments of each run of a verb: every option of it that names a file is there."""
    for said in ARGUMENTS.get(verb, [[]]):
        left_out = next((names for (of, option), names in WITHOUT.items() if of == verb and option in said), set())
        files = []
        for option in VERBS[verb].params:
            name = option.name or ""
            if isinstance(option, click.Option) and name not in left_out:
                before = BEFORE.get(name)
                if before or isinstance(option.type, click.Path):
                    files += [option.opts[0], f"{before or ''}{root}/named/{name.replace('_', '-')}"]
        yield [*verb.split(), *(each.replace("ROOT", str(root)) for each in said), *files]


MEMORY: Final = 6 << 30


class Watch:
    """What this process opens, makes, renames or removes beyond a project, while it is `on`."""

    def __init__(self) -> None:
        self.allowed: tuple[str, ...] = ()
        self.forbidden: tuple[str, ...] = ()
        self.seen: list[str] = []
        self.heard: set[str] = set()
        """The last part of every name, whatever is done with it."""
        self.is_on = False
        sys.addaudithook(self._hear)

    @contextmanager
    def on(self, root: Path, *forbidden: Path) -> Iterator[None]:
        self.allowed = (str(root), f"{root}-state")
        self.forbidden = ("/dev/zero", *map(str, forbidden))
        self.seen = []
        self.heard = set()
        self.is_on = True
        try:
            yield
        finally:
            self.is_on = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.is_on and (heard := getattr(self, f"_{event.replace('.', '_')}", None)):
            self.is_on = False  # what is asked here is not to be heard
            try:
                heard(*arguments)
            finally:
                self.is_on = True

    def _open(self, path: Any, mode: str | None, flags: int) -> None:
        if isinstance(path, int):
            return
        if flags & os.O_NOFOLLOW and "/" not in os.fsdecode(path):
            self.heard.add(os.fsdecode(path))
            return  # by the descriptor of its directory, which was opened like this as well
        wrote = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        self._touched("open", path, -1, writing=bool(wrote), follows=not flags & os.O_NOFOLLOW)

    def _os_listdir(self, path: Any) -> None:
        self._touched("list", path, -1, writing=False)

    _os_scandir = _os_listdir

    def _os_remove(self, path: Any, directory: int) -> None:
        self._touched("remove", path, directory)

    def _os_rmdir(self, path: Any, directory: int) -> None:
        self._touched("rmdir", path, directory)

    def _os_mkdir(self, path: Any, mode: int, directory: int) -> None:
        self._touched("mkdir", path, directory)

    def _os_chmod(self, path: Any, mode: int, directory: int) -> None:
        self._touched("chmod", path, directory)

    def _os_truncate(self, path: Any, length: int) -> None:
        self._touched("truncate", path, -1, follows=True)

    def _os_rename(self, old: Any, new: Any, old_directory: int, new_directory: int) -> None:
        self._touched("rename", old, old_directory)
        self._touched("rename", new, new_directory)

    _os_link = _os_rename

    def _os_symlink(self, old: Any, new: Any, directory: int) -> None:
        self._touched("symlink", new, directory)

    def _shutil_rmtree(self, path: Any, directory: int | None) -> None:
        self._touched("rmtree", path, -1 if directory is None else directory)

    def _sqlite3_connect(self, path: Any) -> None:
        if path != ":memory:":
            self._touched("database", path, -1, follows=True)

    def _touched(self, what: str, path: Any, directory: int, *, writing: bool = True, follows: bool = False) -> None:
        if isinstance(path, int):
            real = os.readlink(f"/proc/self/fd/{path}")
        else:
            name = os.path.join(os.readlink(f"/proc/self/fd/{directory}") if directory >= 0 else "", os.fsdecode(path))
            ahead, last = os.path.split(os.path.abspath(name))
            real = os.path.realpath(name) if follows else os.path.join(os.path.realpath(ahead), last)
        self.heard.add(os.path.basename(real))
        elsewhere = writing and not (_is_below(real, (*self.allowed, os.devnull)) or "__pycache__" in real)
        if elsewhere or _is_below(real, self.forbidden):
            self.seen.append(f"{what} {real}")


def _is_below(path: str, directories: tuple[str, ...]) -> bool:
    return any(path == each or path.startswith(each + os.sep) for each in directories)


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    before, most = resource.getrlimit(resource.RLIMIT_AS)
    least = min(each for each in (MEMORY, before, most) if each != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, (least, most))  # who reads zeros without an end is stopped
    yield Watch()
    resource.setrlimit(resource.RLIMIT_AS, (before, most))


class Scene:
    """A project as it is before each run, and what is beside it."""

    def __init__(self, project: Project, remote: Remote) -> None:
        self.project, self.remote = project, remote
        self.root, self.outside = project.root, Path(f"{project.root}-outside")
        self.git = self.root / ".git"
        nobody = "postgresql://127.0.0.1:1/x?connect_timeout=1"
        project.environment |= {"GITHUB_TOKEN": "x", "GITHUB_API_URL": remote.url, "RECONCILER_FLEET_DATABASE": nobody}
        for path, text in FILES.items():
            project.write(path, text)
        mine = f"  mine: {{provider: mine, url: {remote.url}/v1, owner: mine}}\n"
        project.target(remote.url, more=f"    layers: [overlays/test]\n    marks: lock-file\n{mine}")
        settings = self.root / "assistants.d/reconciler.yaml"
        settings.write_text(f"# {OURS}\n{settings.read_text()}")
        git = ["git", "-C", str(self.root), "-c", "user.name=t", "-c", "user.email=t@t"]
        for words in (["init", "-q", "--template="], ["add", "."], ["commit", "-qm", "first"]):
            subprocess.run([*git, *words], check=True)
        project.ok("apply", "--yes", "--report", "named/report")
        project.ok("apply", "--yes", "--target", "local")
        project.write("assistants.d/a.yaml", FILES["assistants.d/a.yaml"] + "temperature: 0.5\n")
        project.ok("plan", "--out", "named/plan.json")
        self.kept = everything(self.root)

    def restore(self) -> None:
        """Everything as it was before the first run."""
        shutil.rmtree(self.outside, ignore_errors=True)
        found = everything(self.root)
        for path in [each for each in found if found[each] != self.kept.get(each, b"none")]:
            if os.path.islink(path) or not os.path.isdir(path):
                Path(path).unlink(missing_ok=True)  # it may be gone with the directory that it was in
            else:
                shutil.rmtree(path)
        for path, content in self.kept.items():
            if not os.path.lexists(path):
                os.mkdir(path) if content is None else Path(path).write_bytes(content)

    def link(self, name: str, sort: str) -> None:
        """One name is a link: to a copy of what it was, to something of another sort, to nothing, and so on."""
        there, copy = self.root / name, self.outside / "copy"
        self.outside.mkdir()
        (self.outside / "file").write_text(THEIRS)
        is_directory = there.is_dir()
        if is_directory is (sort == "copy"):
            shutil.copytree(there, copy) if is_directory else copy.mkdir()
        else:
            copy.write_bytes(there.read_bytes() if there.is_file() else THEIRS.encode())
        for each in [copy, *copy.rglob("*")]:
            if each.is_file():
                each.write_bytes(each.read_bytes().replace(OURS.encode(), THEIRS.encode()))
        if is_directory:
            shutil.rmtree(there)
        there.unlink(missing_ok=True)
        there.parent.mkdir(parents=True, exist_ok=True)
        places = {"new": self.outside / "new", "zero": Path("/dev/zero"), "git": self.git / "config"}
        there.symlink_to(places.get(sort, copy))

    def shown(self, ran: Ran) -> bytes:
        """All that was said, written or sent."""
        written = (each for each in everything(self.root).values() if each)
        sent = (repr(request).encode() for request in self.remote.app.requests)
        return b"\n".join([ran.out.encode(), ran.err.encode(), *written, *sent])

    def play(self, said: list[str], name: str, sort: str, watch: Watch) -> Iterator[str]:
        """What goes wrong where a name is a link."""
        if "local" in said:
            gc.collect()  # an embedded server that is forgotten closes its database, and removes the files beside it
        self.restore()
        self.link(name, sort)
        before = everything(self.outside), everything(self.git)
        self.remote.forget()
        with watch.on(self.root, self.outside, self.git):
            ran = self.project.run(*said)
        yield from watch.seen
        if before != (everything(self.outside), everything(self.git)):
            yield "something outside has changed"
        if THEIRS.encode() in self.shown(ran):
            yield f"something outside is shown: {ran.out}{ran.err}"
        if ran.code == Exit.BUG:
            yield ran.err[-600:]


def everything(top: Path | str) -> dict[str, bytes | None]:
    """All that is below a directory, links not followed: the bytes of files, None for directories.

    It is asked six times for each run, so it makes no `Path`.
    """
    found: dict[str, bytes | None] = {}
    with contextlib.suppress(FileNotFoundError), os.scandir(top) as entries:
        for entry in entries:
            if entry.is_symlink():
                found[entry.path] = b"-> " + os.fsencode(os.readlink(entry.path))
            elif entry.is_dir():
                found[entry.path] = None
                found |= everything(entry.path)
            else:
                with open(entry.path, "rb") as file:
                    found[entry.path] = file.read()
    return found


def test_no_verb_and_no_file_is_left_out() -> None:
    assert set(ARGUMENTS) <= set(VERBS)
    words = [word.partition("=")[2] or word for verb in VERBS for said in runs(verb, Path()) for word in said]
    assert {word for word in words if word.startswith("named/")} <= set(NAMES)


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_outside_is_touched(verb: str, project: Project, remote: Remote, watch: Watch) -> None:
    scene = Scene(project, remote)
    wrong = []
    for turn, said in enumerate(runs(verb, scene.root), list(VERBS).index(verb)):
        scene.restore()
        with watch.on(scene.root):
            project.run(*said)
        heard = watch.heard
        for number, name in enumerate(NAMES):
            if Path(name).name not in heard and str(scene.root / name) in scene.kept:
                continue  # this verb does not come by
            sort = SORTS[(number + turn) % len(SORTS)]
            found = scene.play(said, name, sort, watch)
            wrong += [f"{' '.join(said)} where {name} is a link ({sort}): {each}" for each in found]
    assert not wrong, "\n".join(wrong)
