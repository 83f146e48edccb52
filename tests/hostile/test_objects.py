"""Objects of the remote that nobody would make in good faith, beside and in place of our own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.values import marks
from reconciler.core.values.marks import Mark
from reconciler.server.http import serve
from tests.conftest import Project

UNITS = marks.codes([("name",), ("model",), ("instructions",), ("tools",), ("metadata", "team")])
OURS = marks.write(Mark("acme", "a", "0123456789ab", units=UNITS))
PLAIN = {
    "id": "asst_1",
    "object": "assistant",
    "created_at": 1_700_000_000,
    "name": "a",
    "description": None,
    "model": "gpt-4o",
    "instructions": "x",
    "tools": [],
    "tool_resources": {},
    "metadata": {"reconciler": OURS, "team": "people"},
    "temperature": 1.0,
    "top_p": 1.0,
    "response_format": "auto",
}
MANIFEST = """
name: a
model: gpt-4o
instructions: y
tools: [{type: file_search}, {type: function, function: {name: f, parameters: {type: object}}}]
metadata: {team: support}
"""


class Account:
    """Lists these objects, and says that every write did what it was to."""

    def __init__(self) -> None:
        self.objects: list[Any] = []
        self.writes = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.writes += environ["REQUEST_METHOD"] != "GET"
        found = {"object": "list", "data": self.objects, "has_more": False}
        text = json.dumps(found if environ["REQUEST_METHOD"] == "GET" else self.objects[0])
        content = text.replace('"[[', "[[").replace(']]"', "]]").encode()
        start_response("200 OK", [("content-type", "application/json"), ("content-length", str(len(content)))])
        return [content]


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[Account, str]]:
    there = Account()
    with serve(there) as server:  # type: ignore[arg-type]
        yield there, server.url


JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=8),
        st.sampled_from(
            ["a", "people", OURS, OURS[:-1], OURS + " ", "1", "1 acme a", "2 x", "\x1b]0;x\x07", "\ud800", "::error::x"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["type", "function", "name", "reconciler", "team", "__x", "", "a']['b"]), inner, max_size=3
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.lists(st.dictionaries(st.sampled_from([*PLAIN, "unheard-of"]), JUNK, max_size=3), min_size=1, max_size=3))
def test_whatever_objects_hold_a_plan_is_made_or_refused(
    account: tuple[Account, str], project: Project, changed: list[dict[str, Any]]
) -> None:
    there, url = account
    there.objects = [{**PLAIN, "id": f"asst_{number}", **each} for number, each in enumerate(changed)]
    there.writes = 0
    project.target(url)
    project.write("assistants.d/a.yaml", MANIFEST)
    ran = project.run("plan", "--detailed-exitcode", "--format", "text", "--format", "json=plan.json")
    assert ran.code in (1, 2, 4), ran.err
    assert "\x1b" not in ran.out + ran.err
    assert there.writes == 0


@pytest.mark.parametrize("levels", [40, 400, 4000])
@pytest.mark.parametrize("field", ["tools", "metadata", "response_format", "unheard-of"])
def test_nesting_without_end_ends_in_an_error(
    field: str, levels: int, account: tuple[Account, str], project: Project
) -> None:
    there, url = account
    deeply = {"a": "[" * levels + "]" * levels}
    there.objects = [{**PLAIN, field: [deeply] if field == "tools" else deeply}]
    project.target(url)
    project.write("assistants.d/a.yaml", MANIFEST)
    for verb in (["plan", "--format", "json=plan.json"], ["apply", "--yes"]):
        ran = project.run(*verb)
        assert ran.code in (0, 1, 2, 4, 5), ran.err
