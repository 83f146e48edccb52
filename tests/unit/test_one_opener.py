"""Files are opened in one module; each other place that opens one is named here, with what it opens."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import reconciler

ROOT = Path(reconciler.__file__).parent
OPENING = {
    *("open", "read_bytes", "read_text", "write_bytes", "write_text", "unlink", "rmtree", "mkstemp", "mkdir", "rename"),
    *("replace_file", "TemporaryFile", "NamedTemporaryFile", "TemporaryDirectory", "makedirs", "symlink"),
}
ALLOWED = {
    "tree": "the one opener",
    "operations/doctor/doctor_checks": "a file without a name, to see whether the state directory can be written",
    "operations/planning/ci_base": "the event of a CI job, which its environment names",
    "operations/reference/code_pages": "pages of this package",
    "operations/commenting/ci_context": "the event of a CI job, which its environment names",
    "cli/output/destinations": "a terminal or pipe outside the project that a person names",
    "operations/project/cache_location": "modules and schemas of this package",
    "cli/standard_streams": "the null device, and standard input",
    "config/env_values": "a file of credentials that the environment names",
    "config/source/project_files": "manifests: what was opened is looked for inside the project",
    "config/manifests/validation_cache": "makes the state directory of this user",
    "config/schema/schemas": "schemas of this package, and of the project",
    "config/checks/secret_detection": "rules of this package",
    "config/edit/write_manifests": "makes a directory outside the project that a person names",
    "engine/fleet/database": "statements of this package",
    "engine/fleet/procrastinate_queue": "statements of a library",
    "engine/state/journal": "what the machine's start is known by",
    "render/html": "style and script of this package",
}


def calls(tree: ast.AST) -> Iterator[str]:
    """The names of all calls, without what they are attributes of."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Name):
                yield function.id
            elif isinstance(function, ast.Attribute) and not _is_of_a_tree(function):
                yield function.attr


def _is_of_a_tree(function: ast.Attribute) -> bool:
    """Whether a call is one of the opener's own methods: by the names that those go by here."""
    of = ast.unparse(function.value)
    return of.rpartition(".")[2] in {"tree", "files", "_files", "_directory", "_cache", "directory", "builder", "_pool"}


def test_files_are_opened_in_one_module() -> None:
    found = set()
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).with_suffix("").as_posix()
        if name.partition("/")[0] != "server" and OPENING.intersection(calls(ast.parse(path.read_text("utf-8")))):
            found.add(name)
    assert found == set(ALLOWED)
