"""The four readers of what others wrote, fed with damaged forms of what they expect: each answers, none fails.

What is damaged is kept in corpus/; a new finding is kept there as a file. Each target takes a bounded number of
examples.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.config.syntax.yaml import read_yaml
from reconciler.core.values import marks
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import Action
from reconciler.drivers.base import RemoteError
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.engine.state import planfile
from reconciler.engine.state.planfile import PlanFileError
from reconciler.formats.parse_plan import plan_from_document
from reconciler.formats.plan_document import digest_of, plan_document
from tests.world import PROVIDER

CORPUS = Path(__file__).parent / "corpus"
WORDS = (
    *(
        "[",
        "]",
        "{",
        "}",
        ":",
        "- ",
        "? ",
        "&a ",
        "*a",
        "<<",
        "!!python/name:os.system ",
        "!x",
        "|+9\n",
        ">-\n",
        "%YAML 9\n",
    ),
    *(
        "---\n",
        "...\n",
        "\t",
        "\r",
        "\0",
        "\x1b[0m",
        "\u2028",
        "\ufeff",
        "\ud800",
        '"',
        "'",
        "\\",
        "\\u",
        "\\ud800",
        "#",
        "~",
    ),
    *("1e999", "NaN", "-0", "0x", "9" * 400, "null", "true", "2026-02-30", "1 ", " ", "{" * 40, "[" * 2000, "\u202e"),
)
fuzzed = settings(deadline=None, max_examples=800, suppress_health_check=list(HealthCheck))


def corpus(name: str) -> list[bytes]:
    """The kept inputs of a target."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


@st.composite
def damaged(draw: st.DrawFn, name: str) -> bytes:
    """One of the kept inputs with some of it taken out, doubled, overwritten, or something put in."""
    kept = corpus(name)
    content = draw(st.sampled_from(kept))
    for _ in range(draw(st.integers(0, 6))):
        begin = draw(st.integers(0, len(content)))
        end = min(len(content), begin + draw(st.integers(0, 12)))
        other = draw(st.sampled_from(kept))
        put = draw(
            st.one_of(
                st.sampled_from(WORDS).map(lambda word: word.encode("utf-8", "surrogatepass")),
                st.binary(max_size=3),
                st.just(content[begin:end] * 3),
                st.just(other[begin : begin + 30]),
            )
        )
        content = content[:begin] + put + content[end:]
    return content


@fuzzed
@given(damaged("manifests"), st.sampled_from(["a.yaml", "a.json"]))
def test_the_loader_answers_with_values_that_json_can_carry_or_with_problems(content: bytes, name: str) -> None:
    documents, problems = read_yaml(content, name)
    assert all(problem.source and problem.summary for problem in problems)
    for document in documents:
        if not document.tagged:
            json.dumps(document.value, allow_nan=False, ensure_ascii=False).encode()


@fuzzed
@given(damaged("marks"))
def test_a_mark_is_read_as_something_whatever_it_says(content: bytes) -> None:
    found = marks.read(content.decode("utf-8", "surrogateescape"))
    if isinstance(found, Mark):
        assert marks.read(marks.write(found)) == found


@fuzzed
@given(content=damaged("plans"))
def test_a_damaged_plan_file_is_refused_with_a_reason(content: bytes, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed-plan.json"
    path.write_bytes(content)
    try:
        planfile.load(path)
        refused = None
    except PlanFileError as error:
        refused = error.diagnostic
    assert refused.hint if refused else any(json.loads(content) == json.loads(kept) for kept in corpus("plans"))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, each in inside for place in places(each, (*path, name)))]


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.floats(),
    st.text(max_size=3),
    st.sampled_from(["[]", "{}", "[[]]", '{"": null}', '"create"', '"delete"', '"noop"', '"a/b"', '"absent"']).map(
        json.loads
    ),
)


@fuzzed
@given(st.sampled_from(corpus("plans")), st.data())
def test_a_plan_that_was_rewritten_digest_and_all_is_refused_or_read_as_it_stands(
    kept: bytes, data: st.DataObject
) -> None:
    document = json.loads(kept)
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from([place for place in places(document) if place]))
        within = document
        for step in way:
            within = within[step]
        if isinstance(within, dict) and data.draw(st.booleans()):
            del within[last]
        else:
            within[last] = data.draw(ANYTHING)
    try:
        document["digest"] = digest_of(document)
        plan = plan_from_document(document)
    except ValueError:
        return
    kept_changes = tuple(change for change in plan.changes if change.action is not Action.NOOP)
    assert plan_from_document(plan_document(plan)) == replace(plan, changes=kept_changes)


@fuzzed
@given(
    damaged("answers"),
    st.sampled_from([200, 400, 401, 404, 409, 418, 429, 500]),
    st.text("0123456789-+.einfa: GMT", max_size=12),
)
def test_any_answer_is_understood_or_an_error_with_a_short_text(content: bytes, status: int, wait: str) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response(f"{status} x", [("retry-after", wait.strip()), ("x-should-retry", "false")])
        return [content]

    client = HttpClient(ConnectionSettings("http://embedded/v1"), wsgi_app=app, pause=lambda seconds: False)
    try:
        answer = RestDriver(PROVIDER, client).read("assistant", "asst_1")
        said = ""
    except RemoteError as error:
        answer, said = {"id": ""}, error.diagnostic.summary + error.diagnostic.detail
    assert isinstance(answer["id"], str)
    assert len(said) < 1_000
