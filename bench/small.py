"""A few hundred assistants on the embedded server, with latency: requests, ratios, and the official SDK beside it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.measure import PYTHON, Cost, compare, process, python, ratios

FLOOR = str(Path(__file__).parent / "floor.py")
SDK = str(Path(__file__).parent / "sdk.py")
PROMPT = "\n".join(f"Rule {n}: always answer politely and cite article KB-{n:04}." for n in range(40))
PARALLEL = 16


def figures(root: Path, count: int, latency: int, runs: int) -> dict[str, dict[str, float]]:
    """The figures of one run of everything."""
    write_fleet(root, count)
    record = root / "requests.jsonl"
    with server(root, record, latency) as url:
        write_settings(root, url)
        tool("apply", "--yes", "--parallelism", str(PARALLEL), root=root)
        found = {f"create {count}, {latency} ms": {"requests": requests(record)}}
        plan = compare(lambda: tool("plan", root=root), lambda: floor("plan", url, root), runs, lambda: clear(record))
        found[f"plan, nothing changed, {count}, {latency} ms"] = plan | {"requests": requests(record)}
        with contextlib.suppress(ImportError):
            found["the same, beside the official SDK"] = compare(
                lambda: tool("plan", root=root), lambda: sdk(url, root), 1
            )
        found[f"apply {max(1, count // 10)} changed, {latency} ms"] = changes(
            root, url, record, max(1, count // 10), runs
        )
    return found


def changes(root: Path, url: str, record: Path, changed: int, runs: int) -> dict[str, float]:
    """Applying changes to a tenth, beside sending them from as many threads."""
    mine: list[Cost] = []
    for turn in range(runs):
        edit_fleet(root, changed, turn)
        clear(record)
        mine.append(tool("apply", "--yes", "--parallelism", str(PARALLEL), root=root))
    sent = requests(record)
    return ratios(mine, [floor("apply", url, root, changed) for _ in range(runs)]) | {"requests": sent}


def start_up(runs: int) -> dict[str, dict[str, float]]:
    """The installed script, beside importing what parses its command line."""
    script = str(Path(PYTHON).with_name("reconciler"))
    least = ("-c", "import click")
    words = ("--version", "--help")
    return {word: compare(lambda word=word: python(script, word), lambda: python(*least), runs) for word in words}


def write_fleet(root: Path, count: int) -> None:
    """`count` manifests of about 3 KB."""
    for number in range(count):
        file = root / "assistants.d" / f"team{number % 10}" / f"a{number}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        prompt = "".join(f"  {line}\n" for line in PROMPT.splitlines())
        file.write_text(
            f"name: Assistant {number}\nmodel: gpt-4o\ntemperature: 0.2\ninstructions: |\n{prompt}"
            f"tools:\n  - type: file_search\nmetadata:\n  team: team{number % 10}\n"
        )


def edit_fleet(root: Path, changed: int, turn: int) -> None:
    """Another temperature in the first `changed` manifests."""
    for number in range(changed):
        file = root / "assistants.d" / f"team{number % 10}" / f"a{number}.yaml"
        lines = file.read_text().splitlines(keepends=True)
        lines[2] = f"temperature: {0.3 + turn / 1000}\n"
        file.write_text("".join(lines))


def write_settings(root: Path, url: str) -> None:
    """One target without a limit of its own: the floor has none either."""
    (root / "assistants.d/reconciler.yaml").write_text(
        "owner: bench\ndefault_target: t\ntargets:\n"
        f"  t: {{provider: openai-assistants, url: '{url}',"
        " limits: {settle_seconds: 0, writes_per_minute: 1000000, reads_per_minute: 1000000}}\n"
    )


@contextlib.contextmanager
def server(root: Path, record: Path, latency: int) -> Iterator[str]:
    """The embedded server in its own process, every answer delayed."""
    chaos = root / "chaos.yaml"
    chaos.write_text(f"rules:\n  - {{on: any, latency_ms: {latency}}}\n")
    command = [sys.executable, "-m", "reconciler", "serve", "--db", str(root / "bench.db")]
    command += ["--chaos", str(chaos), "--record", str(record)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait()


def tool(*arguments: str, root: Path) -> Cost:
    """The command line, as a process."""
    return python("-m", "reconciler", "-C", str(root), *arguments)


def floor(what: str, url: str, root: Path, changed: int = 0) -> Cost:
    """The least code, as a process."""
    return python(FLOOR, what, url, str(root / "assistants.d"), str(changed), str(PARALLEL))


def sdk(url: str, root: Path) -> Cost:
    """A straight script with the official SDK, which retrieves each. Raises ImportError where that is not installed."""
    import openai

    assert openai.__version__
    return process(sys.executable, SDK, url, str(root / "assistants.d"))


def requests(record: Path) -> int:
    """How many requests the server has recorded."""
    return len(record.read_text().splitlines()) if record.exists() else 0


def clear(record: Path) -> None:
    """Forget the recorded requests."""
    if record.exists():
        os.truncate(record, 0)
