"""Many manifests and a long list, beside the least code that reads them: loading, planning, memory, growth."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.manifests import OWNER, write_fleet, write_manifests
from bench.measure import Cost, compare, python

FLOOR = str(Path(__file__).parent / "floor.py")
_WITHOUT_EXTRA = "import sys; sys.modules['jsonschema_rs'] = None; from reconciler.cli.main import main; main()"


def figures(scratch: Path, count: int, runs: int) -> dict[str, dict[str, float]]:
    """Everything for one number of manifests. The state directory is the scratch's own."""
    root = scratch / f"n{count}"
    write_manifests(root / "assistants.d", count)
    found: dict[str, dict[str, float]] = {}
    with account(count) as url:
        settings(root, url)
        for name, floor in (("validate", "parse"), ("plan, nothing changed", "plan")):
            verb = name.partition(",")[0]
            for state in ("cold", "cold, without the extra", "warm"):
                plain = state.endswith("extra")
                found[f"{name}, {count:,}, {state}"] = compare(
                    lambda verb=verb, plain=plain: tool(root, scratch, verb, plain=plain),
                    lambda floor=floor: python(FLOOR, floor, url, str(root / "assistants.d"), "0", "1"),
                    runs,
                    before=lambda state=state: forget(root) if state != "warm" else None,
                )
    shutil.rmtree(root)
    return found


WAYS = {
    "one page after the other": (" concurrency: 1,", False),
    "from both ends": ("", True),
    "from remembered places": ("", False),
}
"""How a list is read: what the settings say, and whether the places of the last read are forgotten."""


def far_away(scratch: Path, count: int, latency: int, runs: int) -> dict[str, dict[str, float]]:
    """A plan in which nothing has changed, of a remote that takes its time, beside the bare download in turn."""
    root = scratch / f"far{count}"
    write_manifests(root / "assistants.d", count)
    found: dict[str, dict[str, float]] = {}
    with account(count, latency) as url:
        for way, (more, forgetting) in WAYS.items():
            settings(root, url, more)
            tool(root, scratch, "plan")
            found[f"plan, nothing changed, {count:,}, {latency} ms, {way}"] = compare(
                lambda: tool(root, scratch, "plan"),
                lambda: python(FLOOR, "list", url, "", "0", "1"),
                runs,
                before=lambda forgetting=forgetting: forget(root, "lists") if forgetting else None,
            )
    shutil.rmtree(root)
    return found


def fleet(scratch: Path, count: int, runs: int) -> dict[str, dict[str, float]]:
    """One manifest with rows, beside reading the rows and copying its text as JSON for each."""
    root = scratch / f"fleet{count}"
    write_fleet(root / "assistants.d", count)
    found = compare(
        lambda: tool(root, scratch, "validate"),
        lambda: python(FLOOR, "rows", "", str(root / "assistants.d"), "0", "1"),
        runs,
    )
    shutil.rmtree(root)
    return {f"validate a table, {count:,} rows": found}


def tool(root: Path, scratch: Path, verb: str, *, plain: bool = False) -> Cost:
    """One run of the command line; `plain` does without the extra."""
    start = ("-c", _WITHOUT_EXTRA) if plain else ("-m", "reconciler")
    return python(*start, "-C", str(root), verb, environment={"XDG_STATE_HOME": str(scratch / "state")})


def forget(root: Path, what: str = "") -> None:
    """Make the next run a cold one, or one that does not know where pages end."""
    shutil.rmtree(root / ".reconciler" / what, ignore_errors=True)


@contextmanager
def account(count: int, latency: float = 0) -> Iterator[str]:
    """A remote with as many assistants, all as the manifests want them."""
    command = [sys.executable, "-m", "bench.pages", str(count), str(latency), "managed"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def settings(root: Path, url: str, more: str = "") -> None:
    """A target without a limit of its own; `more` goes into its limits."""
    (root / "assistants.d/reconciler.yaml").write_text(
        f"owner: {OWNER}\ndefault_target: t\ntargets:\n  t: {{provider: openai-assistants, url: '{url}',"
        f" limits: {{{more} settle_seconds: 0, writes_per_minute: 1000000, reads_per_minute: 1000000}}}}\n",
        encoding="utf-8",
    )
