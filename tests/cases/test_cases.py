"""Runs every case below this directory: what happens is in the files, and so is what has to come of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.config.syntax.yaml import read_yaml
from tests.cases.stage import Stage
from tests.conftest import Project

HERE = Path(__file__).parent
SCHEMA = jsonschema.Draft202012Validator(json.loads((HERE / "case.schema.json").read_text()))
RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


def read(text: str) -> dict[str, Any]:
    """A case. Whatever the format does not know is an error, so that a typo lets no case pass."""
    documents, problems = read_yaml(text.encode(), "case")
    assert not problems, problems
    (case,) = (document.value for document in documents)
    SCHEMA.validate(case)
    return dict(case)


def cases() -> Iterator[Any]:
    for file in sorted(HERE.rglob("*.yaml")):
        reason = re.search(r"^xfail: (.*)", file.read_text(), re.MULTILINE)
        marks = [pytest.mark.xfail(strict=True, reason=reason[1], raises=AssertionError)] if reason else []
        yield pytest.param(file, id=file.relative_to(HERE).with_suffix("").as_posix(), marks=marks)


@pytest.mark.parametrize("file", list(cases()))
def test_case(file: Path, project: Project) -> None:
    perform(read(file.read_text(encoding="utf-8")), project)


def perform(case: Mapping[str, Any], project: Project) -> None:
    """Everything that a case says, in an empty directory."""
    with ExitStack() as stack:
        stage = Stage(project.root, project.environment, stack, case)
        for number, step in enumerate(case.get("given", []), 1):
            with at(f"given {number}"):
                prepare(stage, step)
        for number, step in enumerate(case["steps"], 1):
            with at(f"step {number}"):
                play(stage, step)
        with at("live"):
            check_live(repeated(case["live"]), stage.live())


GOOD = """
about: One is made.
steps:
  - files: {a.yaml: {name: A, model: gpt-4o}}
    run: apply --yes
    expect:
      outcomes: {create assistant/a: done}
      diagnostics: []
      says: [1 done]
      requests: [{POST /assistants: {name: A, model: gpt-4o, metadata: {reconciler: <mark acme a>}}}]
live: {A: {model: gpt-4o}}
"""


def test_the_case_that_the_next_tests_break_is_right(project: Project) -> None:
    perform(read(GOOD), project)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("expect:", "expect:\n      exit: 4"),
        ("create assistant/a: done", "create assistant/a: failed"),
        ("create assistant/a: done", ""),
        ("diagnostics: []", "diagnostics: [RC0401]"),
        ("1 done", "2 done"),
        ("requests: [{POST /assistants:", "requests: [{POST /assistants/A:"),
        ("<mark acme a>", "<mark acme b>"),
        ("requests: [{POST /assistants: {name: A, model: gpt-4o, metadata: {reconciler: <mark acme a>}}}]", ""),
        ("live: {A: {model: gpt-4o}}", "live: {A: {model: other}}"),
        ("live: {A: {model: gpt-4o}}", "live: {}"),
        ("live: {A: {model: gpt-4o}}", "live: {A: {}, B: {}}"),
    ],
)
def test_a_wrong_expectation_fails(right: str, wrong: str, project: Project) -> None:
    assert right in GOOD
    with pytest.raises(AssertionError):
        perform(read(GOOD.replace(right, wrong)), project)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("steps:", "setting: {}\nsteps:"),
        ("run: apply", "running: apply"),
        ("says:", "say:"),
        ("diagnostics: []", "says: []"),
        ("diagnostics: []", "diagnostics: [RC1]"),
        ("    run: apply --yes\n", ""),
        ("POST /assistants", "PUT /assistants"),
        ("create assistant", "make assistant"),
    ],
)
def test_a_typo_is_an_error(right: str, wrong: str) -> None:
    assert right in GOOD
    with pytest.raises((AssertionError, jsonschema.ValidationError)):
        read(GOOD.replace(right, wrong))


@contextmanager
def at(place: str) -> Iterator[None]:
    """Say of an error where in the case it happened."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"at {place}")
        raise


def change(stage: Stage, step: Mapping[str, Any]) -> str:
    """Do what a step does before its command, and answer with who does it."""
    who: str = step.get("by", "us")
    if "settings" in step:
        stage.settle(who, step["settings"])
    stage.write(who, repeated(step.get("files", {})))
    stage.by_hand(step)
    if "commit" in step:
        stage.commit(who, step["commit"])
    return who


def prepare(stage: Stage, step: Mapping[str, Any]) -> None:
    who = change(stage, step)
    if "run" in step:
        ran, _, _ = stage.run(who, step["run"])
        assert ran.code == 0, f"{step['run']}: exit {ran.code}\n{ran.out}\n{ran.err}"


def play(stage: Stage, step: Mapping[str, Any]) -> None:
    who = change(stage, step)
    if "run" in step:
        expected = step.get("expect", {})
        ran, document, sent = stage.run(who, step["run"], step.get("meanwhile"))
        told = stage.without_ids(f"{ran.out}\n{ran.err}")
        assert ran.code == expected.get("exit", 0), told
        assert sent == repeated(expected.get("requests", [])), told
        if "diagnostics" in expected:
            assert sorted(set(re.findall(r"\bRC\d{4}\b", ran.err))) == expected["diagnostics"], told
        for text in expected.get("says", []):
            assert " ".join(text.split()) in " ".join(told.split())
        check_document(expected, document)


def check_document(expected: Mapping[str, Any], document: Any) -> None:
    """Hold what a command says in JSON against what was expected of it."""
    if "changes" in expected:
        found = keyed(document["changes"])
        wanted = repeated(expected["changes"])
        assert {name: shown(each, wanted.get(name, {})) for name, each in found.items()} == wanted
    if "outcomes" in expected:
        outcomes = keyed(document["outcomes"])
        assert {name: each["outcome"] for name, each in outcomes.items()} == repeated(expected["outcomes"])
    if "blocked" in expected:
        assert {name: each["by"] for name, each in keyed(document["blocked"]).items()} == expected["blocked"]


def keyed(entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Entries about changes by `ACTION ADDRESS`."""
    found = {f"{entry['action']} {entry['address']}": entry for entry in entries}
    assert len(found) == len(entries), "two changes of one address with one action"
    return found


def shown(entry: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What a change is, as far as somebody wants to know; always who blocks it."""
    fields = {".".join(map(str, field["path"])): field["reason"] for field in entry["fields"]}
    told = {"reasons": entry["reasons"], "fields": fields}
    blocked = {"blocked": entry["blocked"]["by"]} if "blocked" in entry else {}
    return {name: value for name, value in told.items() if name in wanted} | blocked


def check_live(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> None:
    """Hold what is live against what is wanted: every object, and of each the fields that are named."""
    assert {n: {field: body.get(field) for field in wanted.get(n, body)} for n, body in live.items()} == wanted


def repeated(entries: Any) -> Any:
    """Entries of a mapping or a list, those with a range such as `{00..39}` in them once for each number."""
    if isinstance(entries, dict):
        return {name: value for entry in entries.items() for name, value in _each(list(entry), RANGE.search(entry[0]))}
    return [each for entry in entries for each in _each(entry, RANGE.search(json.dumps(entry)))]


def _each(entry: Any, found: re.Match[str] | None) -> list[Any]:
    if not found:
        return [entry]
    text, (first, last) = json.dumps(entry), found.groups()
    return [json.loads(text.replace(found[0], f"{n:0{len(first)}}")) for n in range(int(first), int(last) + 1)]
