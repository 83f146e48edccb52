"""Uploads and attaches meet every fault, once and for ever: the second table in docs/reliability.md, cell by cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.exits import Exit
from tests.faults.filed import hit
from tests.faults.matrix import ALWAYS
from tests.faults.misbehaviour import FAULTS

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
HEAD = "| fault | upload | attach |"
REQUESTS = ("upload", "attach")


def rows() -> dict[str, dict[str, str]]:
    """The cells of the documented table by fault and request."""
    found: dict[str, dict[str, str]] = {}
    for line in PAGE.read_text(encoding="utf-8").split(HEAD)[1].splitlines()[2:]:
        if not line.startswith("|"):
            break
        fault, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        found[fault] = dict(zip(REQUESTS, cells, strict=True))
    return found


TABLE = rows()


def test_every_fault_has_its_row() -> None:
    assert set(TABLE) == set(FAULTS)


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_while_pages_change_ends_as_the_table_says(fault: str, request_: str) -> None:
    for times, cell in zip((1, ALWAYS), TABLE[fault][request_].split(" / "), strict=False):
        seen = hit(FAULTS[fault], request_, times=times, hanging=fault.startswith("timeout"))
        assert f"{int(seen.exit)} ({seen.sent})" == cell
        assert seen.after is Exit.DONE
