"""A page performed in a real shell, in a directory of its own, beside an embedded server."""

from __future__ import annotations

import contextlib
import itertools
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.server import Chaos, create_app
from reconciler.server.http import serve
from tests.docs.pages import ROOT, SHELL, Block, Command, Fresh, ServerNeeded, Setup, Step, commands

_DEADLINE: Final = 900
_IDENTITY: Final = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com"}
_GIT: Final = {**_IDENTITY, **{name.replace("AUTHOR", "COMMITTER"): value for name, value in _IDENTITY.items()}}


@dataclass(frozen=True, slots=True)
class Performed:
    """One command or block as the shell ran it; `code` is None where the shell did not get past it."""

    step: Block | Setup
    command: Command
    expected: int
    code: int | None
    output: str


def perform(steps: Iterable[Step], scratch: Path) -> list[Performed]:
    """Run the steps of one page in one shell; the first that ends otherwise than it should is the last one tried."""
    with contextlib.ExitStack() as stack:
        script = _Script(scratch, stack)
        for step in steps:
            script.add(step)
        _run(script.written(), scratch, script.environment())
        return script.performed()


class _Script:
    """The page as one shell script, with a file for what each part prints and another for its exit code."""

    def __init__(self, scratch: Path, stack: contextlib.ExitStack) -> None:
        self._scratch, self._stack = scratch, stack
        self._lines: list[str] = []
        self._parts: list[tuple[Block | Setup, Command, int]] = []
        self._directories = 0
        (scratch / "home").mkdir()
        self.add(ServerNeeded())
        self.add(Fresh(empty=False))

    def add(self, step: Step) -> None:
        match step:
            case Fresh(empty):
                self._fresh(empty)
            case ServerNeeded(options):
                self._lines.append(f"export SERVER={self._server(dict(options))}")
            case Setup(text=text):
                self._part(step, Command(text), 0, whole=True)
            case Block(reason=str()):
                pass
            case Block(file=str(file)):
                self._file(file, step.text)
            case Block(language=language) if language in SHELL:
                self._part(step, Command(step.text), step.exit, whole=True)
            case Block(language="console"):
                found = commands(step)
                for command in found:
                    self._part(step, command, step.exit if command is found[-1] else 0, whole=False)

    def _fresh(self, empty: bool) -> None:
        self._directories += 1
        directory = self._scratch / f"project{self._directories}"
        directory.mkdir()
        if not empty:
            shutil.copytree(ROOT / "assistants.d", directory / "assistants.d")
        self._lines.append(f"cd {shlex.quote(str(directory))}")

    def _server(self, options: dict[str, object]) -> str:
        chaos = options.pop("chaos", None)
        ticks = itertools.count(int(time.time()))  # no two objects of one second, whose order would be chance
        rules = Chaos.from_rules(chaos) if chaos else None
        app = create_app(chaos=rules, clock=lambda: next(ticks), **options)  # type: ignore[arg-type]
        return self._stack.enter_context(serve(app)).url

    def _file(self, name: str, text: str) -> None:
        kept = self._scratch / f"file{len(self._lines)}"
        kept.write_text(text, encoding="utf-8")
        self._lines.append(f"mkdir -p {shlex.quote(os.path.dirname(name) or '.')} && cp {kept} {shlex.quote(name)}")

    def _part(self, step: Block | Setup, command: Command, expected: int, *, whole: bool) -> None:
        base = self._scratch / f"part{len(self._parts)}"
        base.with_suffix(".sh").write_text(command.text + "\n", encoding="utf-8")
        source = f". {base}.sh > {base}.out 2>&1 < /dev/null"
        if whole and not expected:  # in the shell itself, so that what it exports and where it goes stays
            self._lines += ["set -eo pipefail", source, "set +e", f"echo 0 > {base}.code"]
        else:
            ran = f"( set -eo pipefail; {source} )" if whole else source
            self._lines += [f"set -o pipefail; {ran}", f"code=$?; echo $code > {base}.code"]
            self._lines.append(f"[ $code -eq {expected} ] || exit 1")
        self._parts.append((step, command, expected))

    def written(self) -> Path:
        script = self._scratch / "page.sh"
        script.write_text("\n".join(self._lines) + "\n", encoding="utf-8")
        return script

    def environment(self) -> dict[str, str]:
        """What a reader has, and nothing of the machine that tests."""
        paths = [str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]
        home = str(self._scratch / "home")
        return {"PATH": ":".join(paths), "HOME": home, "LANG": "C.UTF-8", "COLUMNS": "100", "TZ": "UTC", **_GIT}

    def performed(self) -> list[Performed]:
        found: list[Performed] = []
        for number, (step, command, expected) in enumerate(self._parts):
            base = self._scratch / f"part{number}"
            out, code = base.with_suffix(".out"), base.with_suffix(".code")
            if not out.exists():
                break
            ended = int(code.read_text()) if code.exists() else None
            found.append(Performed(step, command, expected, ended, out.read_text(encoding="utf-8", errors="replace")))
        return found


def _run(script: Path, scratch: Path, environment: dict[str, str]) -> None:
    """The script, and the end of everything that it left running."""
    command: Sequence[str] = ("bash", "--noprofile", "--norc", str(script))
    process = subprocess.Popen(command, cwd=scratch, env=environment, start_new_session=True)
    try:
        process.wait(_DEADLINE)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
