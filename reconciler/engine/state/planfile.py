"""Reads and writes saved plans: whole or not at all, private, and checked when they are read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from reconciler.core.plan import Plan
from reconciler.core.values.model import Json
from reconciler.diagnostics import Code, Diagnostic, ReconcilerError, Severity, Source
from reconciler.drivers.transport.json_encoding import MAX_DEPTH, decoded, has_too_many_values
from reconciler.formats.parse_plan import plan_from_document
from reconciler.formats.plan_document import document_text, plan_document
from reconciler.tree import PRIVATE, tree_of

LARGEST: Final = 1 << 30
"""Bytes of a saved plan: a hundred times that of 10,000 changes."""
_MOST_VALUES: Final = 10_000_000
_DEEPEST: Final = MAX_DEPTH + 10
"""A value of an answer stands a few levels deeper in a plan."""
_AGAIN: Final = "create it again with `reconciler plan --out`"


class PlanFileError(ReconcilerError):
    """A plan file that cannot be written or used; `diagnostic` says why and what to do."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__([diagnostic])


def save(plan: Plan, path: Path, root: Path | None = None) -> None:
    """Write the plan to `path` in one step: after a crash there is the old file or the new one, never a part.

    The file can be read by its owner only, because prompts may be confidential. Inside `root` no link is followed.
    Raises PlanFileError.
    """
    write_document(path, document_text(plan_document(plan)), root)


def write_document(path: Path, text: str, root: Path | None = None) -> None:
    """Write an ASCII document in the same way. Raises PlanFileError."""
    tree, name = tree_of(root or path.parent, path)
    try:
        tree.replace(name, text.encode("ascii"), PRIVATE)
    except OSError as error:
        raise _error(
            path, f"cannot be written: {error.strerror}", "choose a directory with write permission"
        ) from error


def load(path: Path, root: Path | None = None) -> Plan:
    """The plan saved at `path`, less its no-ops. Raises PlanFileError unless every byte of it is as it was saved."""
    return load_with_document(path, root)[0]


def load_with_document(path: Path, root: Path | None = None) -> tuple[Plan, dict[str, Json]]:
    """The plan and the document it stands in, which also counts the no-ops (`summary.noop`). Raises like `load`."""
    document = _parse(path, _read(path, root))
    try:
        return plan_from_document(document), document
    except ValueError as error:
        raise _error(path, f"is not a plan to apply: {error}", _AGAIN) from error


def _read(path: Path, root: Path | None) -> str:
    tree, name = tree_of(root or path.parent, path)
    try:
        return tree.read(name, LARGEST).decode("utf-8")
    except FileNotFoundError as error:
        raise _error(path, "does not exist", "create it with `reconciler plan --out`") from error
    except UnicodeDecodeError as error:
        raise _error(path, "is not a plan: it is not UTF-8 text", _AGAIN) from error
    except OSError as error:
        raise _error(path, f"cannot be read: {error.strerror}", "check the path and its permissions") from error


def _parse(path: Path, text: str) -> Json:
    if not text.strip():
        raise _error(path, "is empty", _AGAIN)
    if not text.lstrip().startswith("{"):
        raise _error(path, "is not a saved plan", _AGAIN)
    if has_too_many_values(text.encode(), _MOST_VALUES):
        raise _error(path, f"is not a plan to apply: it has more than {_MOST_VALUES:,} values", _AGAIN)
    try:
        return decoded(text, _without_doubles, _DEEPEST)
    except json.JSONDecodeError as error:
        what = "is cut off" if _is_cut_off(text.strip(), error) else f"is not JSON ({error.msg})"
        raise _error(path, what, _AGAIN, Source(str(path), error.lineno, error.colno)) from error
    except ValueError as error:
        raise _error(path, f"is not a plan to apply: {error}", _AGAIN) from error


def _is_cut_off(text: str, error: json.JSONDecodeError) -> bool:
    """Whether a document began and never came to its end."""
    ends = text.endswith("}") and error.pos < len(text) and not error.msg.startswith("Unterminated")
    return text.startswith("{") and not ends


def _without_doubles(pairs: Sequence[tuple[str, Json]]) -> dict[str, Json]:
    """A JSON object whose keys are unique: with doubles, two readers could see two plans in one file."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is twice in one of its objects")
    return found


def _error(path: Path, what: str, hint: str, source: Source | None = None) -> PlanFileError:
    return PlanFileError(Diagnostic(Severity.ERROR, Code.BAD_PLAN_FILE, f"{path} {what}", hint=hint, source=source))
