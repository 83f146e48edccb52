"""Every answer to a write is compared with what was sent and what was there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.values.model import Body
from reconciler.core.values.semantics import Kind
from reconciler.core.verify import verify
from reconciler.diagnostics import Code, Severity
from tests.strategies import bodies, law
from tests.unit.core.build import ASSISTANT, SCHEMA, WIDGET, sent_to

NOT_KEPT, UNASKED = Code.NOT_KEPT, Code.CHANGED_UNASKED


def findings(sent: Body, prior: Body | None, answer: Body, kind: Kind = ASSISTANT) -> list[tuple[Code, str]]:
    found = verify(kind, "assistant/k", sent, prior, answer)
    assert all((f.severity, f.address) == (Severity.WARNING, "assistant/k") for f in found)
    return [(f.code, f.summary.split()[0]) for f in found]


def test_a_kept_field_in_another_shape_is_no_finding() -> None:
    assert findings({"temperature": 1, "tools": []}, {"temperature": 0}, {"temperature": 1.0}) == []


def test_a_field_sent_but_not_kept_is_a_finding_that_says_what_came_back() -> None:
    [other] = verify(ASSISTANT, "assistant/k", {"model": "a"}, None, {"model": "b"})
    assert (other.code, other.summary) == (NOT_KEPT, "model was sent, but the remote returned another value")
    [nothing] = verify(ASSISTANT, "assistant/k", {"model": "a"}, None, {})
    assert nothing.summary == "model was sent, but the remote returned nothing"
    assert nothing.hint.startswith("a gateway may override it")
    [null] = verify(ASSISTANT, "assistant/k", {"model": "a"}, None, {"model": None})
    assert null.summary == nothing.summary


def test_a_field_not_sent_but_changed_is_a_finding() -> None:
    assert findings({"name": "n"}, {"model": "a"}, {"name": "n", "model": "b"}) == [(UNASKED, "model")]
    assert findings({"name": "n"}, {}, {"name": "n", "model": "b"}) == [(UNASKED, "model")]
    assert findings({"name": "n"}, {"model": "a"}, {"name": "n"}) == [(UNASKED, "model")]


def test_values_are_never_quoted() -> None:
    [found] = verify(ASSISTANT, "assistant/k", {"instructions": "s3cret"}, None, {"instructions": "0ther"})
    assert "s3cret" not in repr(found)
    assert "0ther" not in repr(found)


def test_what_a_create_leaves_out_is_the_remotes_to_fill_in() -> None:
    answer = {"id": "x", "model": "m", "temperature": 0.3, "metadata": {"more": "x"}}
    assert findings({"model": "m"}, None, answer) == []


def test_server_owned_unknown_and_write_only_fields_are_not_compared() -> None:
    assert findings({"model": "m"}, {"id": "a", "beta": 1}, {"id": "b", "beta": 2, "model": "m"}) == []
    assert findings({"secret": "s"}, {}, {}, WIDGET) == []
    assert findings({"title": "t"}, {"secret": "a"}, {"title": "t", "secret": "b"}, WIDGET) == []


def test_a_mark_that_was_not_kept_is_a_finding() -> None:
    sent = {"metadata": {"reconciler": "1 acme k n1 - -"}}
    assert findings(sent, {}, {"metadata": {}}) == [(NOT_KEPT, "metadata.reconciler")]
    assert findings(sent, {}, {"metadata": None}) == [(NOT_KEPT, "metadata.reconciler")]
    assert findings(sent, {}, sent) == []


def test_a_mark_that_was_not_sent_is_not_looked_for() -> None:
    mark = {"metadata": {"reconciler": "1 acme k n1 - -"}}
    assert findings({"name": "n"}, mark, {"name": "n"}) == []


def test_an_entry_taken_away_that_stays_was_not_kept() -> None:
    prior = {"metadata": {"a": "1", "b": "2"}}
    assert findings({"metadata": {"b": "2"}}, prior, prior) == [(NOT_KEPT, "metadata.a")]
    assert findings({"metadata": {"b": "2"}}, prior, {"metadata": {"b": "2"}}) == []


def test_an_entry_nobody_sent_that_appears_is_a_finding() -> None:
    assert findings({"metadata": {}}, {"metadata": {}}, {"metadata": {"a": "1"}}) == [(UNASKED, "metadata.a")]


def test_entries_of_a_map_that_was_not_sent_are_compared_one_by_one() -> None:
    prior, answer = {"metadata": {"a": "1", "b": "2"}}, {"metadata": {"a": "1", "b": "3"}, "name": "n"}
    assert findings({"name": "n"}, prior, answer) == [(UNASKED, "metadata.b")]


@law
@given(bodies(SCHEMA), st.none() | bodies(SCHEMA))
def test_a_remote_that_does_what_it_is_asked_gives_no_findings(sent: Body, prior: Body | None) -> None:
    if isinstance(sent.get("metadata", {}), dict):
        assert findings(sent, prior, sent_to(prior or {}, sent, ASSISTANT)) == []


@law
@given(bodies(SCHEMA), st.data())
def test_a_remote_that_ignores_one_field_is_found_out(sent: Body, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(sent.keys() - {"metadata"})))
    answer = {**sent, name: "something else"}
    assert findings(sent, None, answer) == ([] if sent[name] == "something else" else [(NOT_KEPT, name)])


@pytest.mark.parametrize("carrier", [None, [], "text"])
def test_an_answer_without_a_map_where_one_was_sent_is_a_finding(carrier: object) -> None:
    assert findings({"metadata": {"a": "1"}}, {}, {"metadata": carrier}) == [(NOT_KEPT, "metadata.a")]
