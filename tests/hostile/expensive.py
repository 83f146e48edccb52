"""What a few bytes of a file may cost: each case by itself in a process of little memory and time, which prints an end.

`python -m tests.hostile.expensive CASE…` runs some of `CASES`, and prints a line of JSON for each.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from reconciler.config.manifests.tables.expressions import TemplateFault
from reconciler.config.manifests.tables.rows import RowsFile, rows_of
from reconciler.config.manifests.tables.templates import compiled_template
from reconciler.config.source.globs import matching
from reconciler.config.source.project_files import ProjectFiles
from reconciler.config.syntax.document import Document
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.diagnostics import Source

MEMORY = 600 * 1024 * 1024
CPU_SECONDS = 8

LONG = "x" * 60_000
ROW: dict[str, Any] = {
    "t": LONG,
    "l": list(range(10_000)),
    "deep": [[[n] for n in range(10_000)]],
    "words": ["word"] * 8_000,
    "n": "9" * 4_000,
}
TEMPLATES = {
    "filters in a loop": "{% for i in l %}{% if t | upper | lower | title | trim == 'x' %}{% endif %}{% endfor %}",
    "tojson in a loop": "{% for i in l %}{% if deep | tojson == 'x' %}{% endif %}{% endfor %}",
    "join in a loop": "{% for i in l %}{% if words | join(t) == 'x' %}{% endif %}{% endfor %}",
    "replace in a loop": "{% for i in l %}{% if t | replace('x', 'xx') == 'x' %}{% endif %}{% endfor %}",
    "a comparison in a loop": "{% for i in l %}{% if deep == deep and [deep] == [deep] %}{% endif %}{% endfor %}",
    "a search in a loop": "{% for i in l %}{% if i ~ 'y' in t or [i] in deep[0] %}{% endif %}{% endfor %}",
    "joined texts in a loop": "{% for i in l %}{% if (" + " ~ ".join("t" * 40) + ") == '' %}{% endif %}{% endfor %}",
    "a loop's own condition": "{% for i in l if deep[0] == [i] %}{% endfor %}",
    "copies of a list in a loop": "{% for i in l %}{% if l[:] == [i] or l[1:] == [] %}{% endif %}{% endfor %}",
    "large numbers": "{{ (" + " * ".join(["(n | int)"] * 100) + ") > 1 }}",
    "large numbers in a loop": "{% for i in l %}{% if n | int > (n | int) %}{% endif %}{% endfor %}",
    "a list of long texts": "{{ [" + ", ".join(["t ~ t ~ t ~ t"] * 90) + "] | length }}",
    "a list of long lists": "{{ [" + ", ".join(["deep[0] | tojson"] * 200) + "] | length }}",
    "many loops, one after the other": "{% for i in l %}{{ t | length }}{% endfor %}" * 60,
    "a text of a loop": "{% for i in words %}{{ i }}{{ t }}{% endfor %}",
    "a million parts": "{{ 1" + "+1" * 500_000 + " }}",
    "half a million markers": "{{ a }}" * 150_000,
}


def filling(template: str) -> Callable[[], str]:
    """A template filled from a row that is as large as a row may be."""

    def fill() -> str:
        try:
            compiled_template(template)[0](ROW)
        except TemplateFault as fault:
            return f"refused: {fault}"
        return "filled"

    return fill


def reading(name: str, content: Callable[[], str]) -> Callable[[], str]:
    """A table, read to its end."""

    def read() -> str:
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory, name)
            file.write_text(content())
            source = RowsFile("!csv" if name.endswith("csv") else "!json", str(file))
            document = Document({"reconciler": {"for_each": source}}, Source("fleet.yaml", 1, 1))
            try:
                return f"{sum(1 for _ in rows_of(document, ProjectFiles(Path(directory))))} rows"
            except UnreadableFile as refused:
                return f"refused: {refused}"

    return read


def matched(pattern: str, path: str, times: int = 1) -> Callable[[], str]:
    """A pattern held against a path."""
    wanted, there = pattern.replace("/", os.sep), path.replace("/", os.sep)
    return lambda: f"{len(matching(wanted, [there] * times))} matches"


def _patterns() -> Iterator[tuple[str, Callable[[], str], str]]:
    deep = "/" + "a/" * 60
    yield "** forty times, not there", matched("/" + "**/" * 40 + "b", deep + "c"), "0 matches"
    yield "** forty times, there", matched("/" + "**/" * 40 + "b", deep + "b"), "1 matches"
    yield "** and a name in turn", matched("/" + "**/a/" * 30 + "b", deep + "c", 100), "0 matches"
    yield "** and * in turn", matched("/" + "**/*/" * 29 + "**/b", deep + "c", 100), "0 matches"
    yield "* many times in a name", matched("/" + "*a" * 100 + "b", "/" + "a" * 250, 100), "0 matches"
    yield "? and * many times", matched("/" + "*?" * 100 + "b", "/" + "a" * 250, 100), "0 matches"


def _tables() -> Iterator[tuple[str, Callable[[], str], str]]:
    names = ",".join(f"c{n}" for n in range(30_000))
    yield "30,000 columns", reading("t.csv", lambda: f"{names}\n"), "0 rows"
    yield "two million columns", reading("t.csv", lambda: "a," * 2_000_000), "refused: the row has more than 262,144"
    yield "a row of empty cells", reading("t.csv", lambda: "a\n" + "," * 20_000_000), "refused: the row has more than"
    yield "a row of many lines", reading("t.csv", lambda: "a\n" + '"\n",' * 5_000_000), "refused: the row has more than"
    yield "rows on one line", reading("t.json", lambda: "[" + '{"a":1},' * 190_000 + "{}]"), "190001 rows"
    yield "a large row", reading("t.json", lambda: '[{"a":[' + "[]," * 9_000_000 + "0]}]"), "refused: the row has more"
    yield "an open text", reading("t.json", lambda: '[{"a":"' + "x" * 50_000_000), "refused: the row has more than"
    yield (
        "too many rows of JSON",
        reading("t.json", lambda: "[" + "{}," * 300_000 + "{}]"),
        "refused: `for_each` has at most",
    )
    yield (
        "too many rows of CSV",
        reading("t.csv", lambda: "a\n" * 300_000),
        "refused: `for_each` has at most 200,000 rows",
    )


CASES: dict[str, tuple[Callable[[], str], str]] = {
    **{name: (filling(text), "refused: ") for name, text in TEMPLATES.items()},
    **{name: (work, expected) for each in (_patterns(), _tables()) for name, work, expected in each},
}


def limit() -> None:
    """So much more memory and time, and then the end."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    seconds = int(used.ru_utime + used.ru_stime) + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def play(name: str) -> None:
    """In a fork of this process, which has imported what it needs: prints one line."""
    if not (child := os.fork()):
        limit()
        print(json.dumps({"answer": CASES[name][0]()}), flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if code := os.waitstatus_to_exitcode(status):
        print(json.dumps({"ended": code}), flush=True)


if __name__ == "__main__":
    for each in sys.argv[1:]:
        play(each)
