"""One manifest and many rows: what is filled, what keeps its type, where each value came from, what is refused."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.manifests.load import Loaded
from reconciler.config.manifests.tables.expressions import TemplateFault
from reconciler.config.manifests.tables.rows import RowsFile, TableRow, rows_of
from reconciler.config.manifests.tables.templates import compiled_template
from reconciler.config.syntax.document import Document
from reconciler.core.values.model import Address, Manifest
from reconciler.diagnostics import Code, Source
from tests.unit.config.conftest import Read, told, write

HEAD = 'reconciler: {for_each: !csv tenants.csv, key: "support/{{ tenant }}"}\n'
FLEET = HEAD + 'name: "Support of {{ tenant }}"\nmodel: gpt-4o\n'
CSV = "tenant,region\nacme,eu\nzorg,us\n"


def fleet(loaded: Loaded) -> dict[str, Manifest]:
    assert [told(each) for each in loaded.diagnostics] == []
    return {each.address.key: each for each in loaded.manifests}


def summaries(loaded: Loaded) -> list[str]:
    return [told(each) for each in loaded.diagnostics]


def test_each_row_of_a_csv_file_is_one_resource(read: Read) -> None:
    found = fleet(read({"fleet.yaml": FLEET, "tenants.csv": CSV}))
    assert {key: each.body for key, each in found.items()} == {
        "support/acme": {"name": "Support of acme", "model": "gpt-4o"},
        "support/zorg": {"name": "Support of zorg", "model": "gpt-4o"},
    }


def test_json_rows_keep_the_type_of_a_value_that_is_one_expression(read: Read) -> None:
    rows = [
        {"tenant": "acme", "heat": 0.3, "vip": True, "team": {"name": "x"}, "tools": [{"type": "file_search"}]},
        {"tenant": "zorg", "heat": 1, "vip": False, "team": {"name": "y"}, "tools": []},
    ]
    text = (
        'reconciler: {for_each: !json _rows.json, key: "{{ tenant }}", protect: "{{ vip }}"}\n'
        'model: m\ntemperature: "{{ heat }}"\ntools: "{{ tools }}"\n'
        'metadata: {team: "{{ team.name }}", said: "heat {{ heat }}, {{ vip }}"}\n'
    )
    found = fleet(read({"fleet.yaml": text, "_rows.json": json.dumps(rows)}))
    assert found["acme"].body == {
        "model": "m",
        "temperature": 0.3,
        "tools": [{"type": "file_search"}],
        "metadata": {"team": "x", "said": "heat 0.3, true"},
    }
    assert (found["acme"].protect, found["zorg"].protect) == (True, False)


def test_rows_can_stand_in_the_manifest_and_are_no_templates_themselves(read: Read) -> None:
    text = (
        'reconciler:\n  key: "bot-{{ n }}"\n  for_each:\n    - {n: 1, say: "{{ n }}!"}\n    - {n: 2, say: hi}\n'
        'model: m\ninstructions: "{{ say }}"\n'
    )
    found = fleet(read({"fleet.yaml": text}))
    assert [each.body["instructions"] for each in found.values()] == ["{{ n }}!", "hi"]
    assert str(found["bot-2"].source) == "assistants.d/fleet.yaml:5:7"


def test_cells_are_text_until_a_filter_makes_a_number_of_them(read: Read) -> None:
    text = HEAD + 'model: m\ntemperature: "{{ heat | float }}"\nmetadata: {heat: "{{ heat }}"}\n'
    found = fleet(read({"fleet.yaml": text, "tenants.csv": "tenant,heat\nacme,0.5\n"}))
    assert found["support/acme"].body == {"model": "m", "temperature": 0.5, "metadata": {"heat": "0.5"}}


def test_places_are_the_template_or_the_row_for_what_is_one_expression(read: Read) -> None:
    text = FLEET + 'description: "{{ region }}"\n'
    manifest = fleet(read({"fleet.yaml": text, "tenants.csv": CSV}))["support/zorg"]
    assert manifest.source == Source("assistants.d/tenants.csv", 3, 1)
    assert str(manifest.place(("name",))) == "assistants.d/fleet.yaml:2:7"
    assert str(manifest.place(("description",))) == "assistants.d/tenants.csv:3:1"


def test_only_what_stands_in_the_manifest_is_a_template(read: Read) -> None:
    files = {
        "fleet.yaml": FLEET + "instructions: !file text.txt\ndescription: !var greeting\n",
        "plain.yaml": 'model: m\nname: "{{ tenant }}!"\n',
        "tenants.csv": CSV,
        "text.txt": "Say {{ tenant }}.",
        "reconciler.yaml": 'targets: {local: {provider: local, vars: {greeting: "{{ hi }}!"}}}\n',
    }
    found = fleet(read(files))
    assert found["support/acme"].body["instructions"] == "Say {{ tenant }}."
    assert found["support/acme"].body["description"] == "{{ hi }}!"
    assert found["plain"].body["name"] == "{{ tenant }}!"


def test_prose_below_front_matter_is_a_template_and_its_keys_are_not(read: Read) -> None:
    prose = "{% if region == 'eu' %}Europe{% endif %}!\n\nBye\n"
    text = f"---\n{HEAD}model: m\nmetadata: {{'{{{{ x }}}}': v}}\n---\n{prose}"
    found = fleet(read({"fleet.md": text, "tenants.csv": CSV}))
    assert [each.body["instructions"] for each in found.values()] == ["Europe!\n\nBye", "!\n\nBye"]
    assert found["support/acme"].body["metadata"] == {"{{ x }}": "v"}


def test_a_reference_of_a_fleet_is_to_the_resource_of_the_row(read: Read) -> None:
    stores = 'reconciler: {kind: vector_store, for_each: !csv tenants.csv, key: "{{ tenant }}"}\nname: "{{ tenant }}"\n'
    search = (
        "tools: [{type: file_search}]\n"
        'tool_resources: {file_search: {vector_store_ids: [!ref "vector_store/{{ tenant }}"]}}\n'
    )
    settings = "default_target: t\nowner: x\ntargets: {t: {provider: openai-assistants, url: http://localhost/v1}}\n"
    files = {"reconciler.yaml": settings, "a.yaml": FLEET + search, "s.yaml": stores, "tenants.csv": CSV}
    found = fleet(read(files))
    path = ("tool_resources", "file_search", "vector_store_ids", 0)
    assert found["support/zorg"].refs == {path: Address("vector_store", "zorg")}
    assert found["support/acme"].refs == {path: Address("vector_store", "acme")}


def test_layers_lie_over_the_manifest_of_a_fleet_and_over_one_row(read: Read, tmp_path: Path) -> None:
    over = (
        'reconciler: {key: "support/{{ tenant }}"}\ndescription: "{{ region }}!"\n---\n'
        "reconciler: {key: support/zorg, protect: true}\nname: Zorg alone\n"
    )
    write(tmp_path, {"over/any.yaml": over})
    settings = "targets: {local: {provider: local, layers: [over]}}\n"
    found = fleet(read({"reconciler.yaml": settings, "fleet.yaml": FLEET, "tenants.csv": CSV}))
    assert {key: (each.body["name"], each.body["description"], each.protect) for key, each in found.items()} == {
        "support/acme": ("Support of acme", "eu!", False),
        "support/zorg": ("Zorg alone", "us!", True),
    }
    assert str(found["support/zorg"].place(("name",))) == "over/any.yaml:5:7"


def test_a_fleet_extends_shared_defaults(read: Read) -> None:
    files = {
        "_base.yaml": 'model: m\nname: "{{ tenant }} bot"\n',
        "fleet.yaml": 'reconciler: {extends: _base.yaml, for_each: !csv tenants.csv, key: "{{ tenant }}"}\n',
        "tenants.csv": CSV,
    }
    assert [each.body["name"] for each in fleet(read(files)).values()] == ["acme bot", "zorg bot"]


# What is refused


def test_a_key_that_stands_in_two_rows_is_told_at_the_second(read: Read) -> None:
    (problem,) = read({"fleet.yaml": FLEET, "tenants.csv": CSV + "acme,us\n"}).diagnostics
    assert problem.code is Code.DUPLICATE_ADDRESS
    assert str(problem.source) == "assistants.d/tenants.csv:4:1"
    assert problem.summary.endswith("the first is assistants.d/tenants.csv:2:1")


def test_an_unknown_column_is_told_once_with_what_there_is(read: Read) -> None:
    text = FLEET + "description: >-\n  In {{ regoin }}\n"
    assert summaries(read({"fleet.yaml": text, "tenants.csv": CSV})) == [
        "assistants.d/fleet.yaml:4:14: error: description cannot be rendered: 'regoin' is undefined (row "
        "assistants.d/tenants.csv:2) (one of tenant, region)"
    ]


def test_a_row_that_the_schema_refuses_is_named(read: Read) -> None:
    text = HEAD + 'model: m\ntemperature: "{{ heat | float }}"\nname: "{{ name }}"\n'
    rows = f"tenant,heat,name\nacme,1,A\nzorg,7,B\nwide,1,{'x' * 300}\n"
    hot, wide = sorted(summaries(read({"fleet.yaml": text, "tenants.csv": rows})))
    assert hot.startswith("assistants.d/tenants.csv:3:1: error: temperature is 7.0; the largest value is 2")
    assert wide.startswith("assistants.d/tenants.csv:4:1: error: name has 300 characters")


def test_what_is_wrong_in_every_row_is_told_once_and_many_bad_rows_end_it(read: Read) -> None:
    rows = "tenant\n" + "".join(f"t{n}\n" for n in range(500))
    loaded = read({"fleet.yaml": FLEET + "temprature: 1\n", "tenants.csv": rows})
    assert [each.summary for each in loaded.diagnostics] == [
        "unknown field temprature (row assistants.d/tenants.csv:2)",
        "20 rows have problems; the rows after this one were not checked",
    ]
    assert str(loaded.diagnostics[1].source) == "assistants.d/tenants.csv:22:1"


MANIFESTS = {
    "a key for all rows": ("reconciler: {for_each: !csv tenants.csv, key: a}\nmodel: m\n", "needs its own key"),
    "no key": ("reconciler: {for_each: !csv tenants.csv}\nmodel: m\n", 'write `key: "some/{{ column }}"`'),
    "a bad key": (FLEET.replace("support/{{ tenant }}", "{{ tenant }}/!"), "the key acme/! is not a valid key"),
    "no tag": (FLEET.replace("!csv ", ""), 'for_each needs rows, not "tenants.csv" -> write !csv FILE'),
    "a file": (FLEET.replace("!csv", "!file"), 'for_each needs rows, not "tenant,region'),
    "a mapping": (FLEET.replace("!csv tenants.csv", "{a: b}"), "for_each needs rows, not a mapping of 1 entry"),
    "rows of text": (FLEET.replace("!csv tenants.csv", "[a, b]"), 'a row is a mapping of columns, not "a"'),
    "no such file": (FLEET.replace("tenants", "tenant"), "did you mean tenants.csv?"),
    "a file elsewhere": (FLEET.replace("tenants.csv", "../../x.csv"), "points outside the project"),
    "rows in the body": ("model: m\nname: !csv tenants.csv\n", "!csv can only be used for the rows of `for_each`"),
    "no template": (FLEET + 'description: "{{ tenant"\n', "description is not a template: unexpected end of template"),
    "a call": (FLEET + 'description: "{{ range(9) }}"\n', "templates have no call"),
    "not a number": (FLEET + 'top_p: "{{ tenant | float }}"\n', "could not convert string to float: 'acme'"),
}


@pytest.mark.parametrize("case", MANIFESTS)
def test_what_a_fleet_cannot_say(read: Read, case: str) -> None:
    text, expected = MANIFESTS[case]
    loaded = read({"fleet.yaml": text, "tenants.csv": "tenant,region\nacme,eu\n"})
    (problem,) = summaries(loaded)
    assert expected in problem
    assert problem.startswith(("assistants.d/fleet.yaml:", "assistants.d/tenants.csv:"))
    assert loaded.manifests == ()


ROWS = {
    "a cell too few": ("_t.csv", "a,b\n1\n", "_t.csv:2:1", "the row has 1 cell, but there are 2 columns"),
    "after blank lines": ("_t.csv", 'a,b\n\nx,"2\ny"\n\n1,2,3\n', "_t.csv:6:1", "the row has 3 cells"),
    "a column twice": ("_t.csv", "a,a\n", "_t.csv:1:1", '"a" is given twice'),
    "a column without a name": ("_t.csv", "a,\n", "_t.csv:1:1", '"" has no name'),
    "an open quote": ("_t.csv", 'a\n1\n"x\n', "_t.csv:3:1", "not valid CSV: unexpected end of data"),
    "a long row": ("_t.csv", f"a\n{'x' * 70_000}\n", "_t.csv:2:1", "the row has 70,000 characters"),
    "no list": ("_t.json", "\n{}", "_t.json:1:1", "rows are a list of mappings"),
    "no mapping": ("_t.json", '[{"a": 1},\n  2]', "_t.json:2:3", "a row is a mapping of columns, not 2"),
    "no comma": ("_t.json", '\n[{"a": 1}\n  {"a": 2}]', "_t.json:3:3", "expected a comma or the end of the list"),
    "a comma at the end": ("_t.json", '[{"a": 1},\n]', "_t.json:2:1", "not valid JSON: Expecting value"),
    "bad JSON": ("_t.json", '[{"a": 1},\n {"a" 2}]', "_t.json:2:7", "not valid JSON: Expecting ':' delimiter"),
    "more after the list": ("_t.json", '[{"a": 1}]\n]', "_t.json:1:10", "the end of the list"),
    "no number": ("_t.json", '[{"a": NaN}]', "_t.json:1:2", "NaN is not a number that JSON can represent"),
    "a large number": ("_t.json", '[{"a": 1}, {"a": 1e999}]', "_t.json:1:12", "1e999 is too large"),
    "a key twice": ("_t.json", '[{"a": 1, "a": 2}]', "_t.json:1:2", "a key is given twice"),
    "deep": ("_t.json", '[{"a": ' + "[" * 40 + "]" * 40 + "}]", "_t.json:1:2", "nested deeper than 32 levels"),
    "too deep to read": ("_t.json", '[{"a": ' + "[" * 90_000 + "]" * 90_000 + "}]", "_t.json:1:2", "cannot be read"),
    "half a character": ("_t.json", '[{"a": "\\ud800"}]', "_t.json:1:2", "half of a surrogate pair"),
    "not UTF-8": ("_t.csv", b"a\n\xff\n", "_t.csv:2:1", "the file is not UTF-8"),
}


@pytest.mark.parametrize("case", ROWS)
def test_rows_that_cannot_be_read_are_told_with_their_line(read: Read, case: str) -> None:
    name, content, place, expected = ROWS[case]
    manifest = f'reconciler: {{for_each: !{name[3:]} {name}, key: "k{{{{ a }}}}"}}\nmodel: m\n'
    loaded = read({"fleet.yaml": manifest, name: content})
    (problem,) = loaded.diagnostics
    assert str(problem.source) == f"assistants.d/{place}"
    assert expected in problem.summary
    assert not loaded.ok


@pytest.mark.parametrize(
    ("name", "content"), [("_t.csv", ""), ("_t.csv", "a,b\n"), ("_t.json", "[]"), ("_t.json", " [ ] ")]
)
def test_no_rows_are_no_resources(read: Read, name: str, content: str) -> None:
    manifest = f'reconciler: {{for_each: !{name[3:]} {name}, key: "k{{{{ a }}}}"}}\nmodel: m\n'
    assert fleet(read({"fleet.yaml": manifest, name: content})) == {}


# Reading rows

cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


def rows_in(tmp_path: Path, name: str, text: str) -> list[TableRow]:
    from reconciler.config.source.project_files import ProjectFiles

    file = tmp_path / name
    file.write_bytes(text.encode())
    document = Document({"reconciler": {"for_each": RowsFile(f"!{name[2:]}", str(file))}}, Source("fleet.yaml", 1, 1))
    return list(rows_of(document, ProjectFiles(tmp_path)))


@given(st.lists(st.tuples(cells, cells), max_size=6))
def test_cells_are_read_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, written: list[tuple[str, str]]
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("a", "b"), *written])
    read = rows_in(tmp_path_factory.mktemp("rows"), "t.csv", text.getvalue())
    assert [(row.values["a"], row.values["b"]) for row in read] == written


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | cells,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(cells, inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(cells, values, max_size=3), max_size=5), st.sampled_from([None, 0, 2]))
def test_json_rows_are_read_back_each_with_the_line_it_starts_at(
    tmp_path_factory: pytest.TempPathFactory, written: list[dict[str, Any]], indent: int | None
) -> None:
    text = "\n" + json.dumps(written, indent=indent, ensure_ascii=False)
    read = rows_in(tmp_path_factory.mktemp("rows"), "t.json", text)
    assert [row.values for row in read] == written
    lines = text.split("\n")
    assert all(lines[row.place.line - 1][row.place.column - 1] == "{" for row in read)


# Templates

ROW: dict[str, Any] = {
    "a": "x",
    "n": 3,
    "l": ["p", "q"],
    "m": {"k": {"z": 1}},
    "self": "me",
    "result": "r",
    "row": {"a b": 1},
}
FILLED: dict[str, Any] = {
    "{{ a }}": "x",
    "{{- n -}}": 3,
    "{{ n + 1 }}": 4,
    "{{ n > 2 }}": True,
    "{{ m.k }}": {"z": 1},
    "{{ m['k'].z }}": 1,
    "{{ row['a b'] }}": 1,
    "{{ l[:1] }}": ["p"],
    "{{ result }}": "r",
    "{{ '}}' }}": "}}",
    "{{ a }}{{ n }}": "x3",
    "{{ a ~ n }}": "x3",
    "{{ a | upper }}\n": "X\n",
    "{{ none }}": None,
    "{{ nope | default('d') }}": "d",
    "{{ nope is defined }}": False,
    "{% for i in l %}{{ i }}{% if not loop.last %}, {% endif %}{% endfor %}": "p, q",
    "{{ l | join('+') }} {{ l | length }} {{ l }}": 'p+q 2 ["p", "q"]',
    "<{{ a }}> & '{{ a | replace('x', '\"') }}'": "<x> & '\"'",
    "{# aside #}{% raw %}{{ a }}{% endraw %}": "{{ a }}",
    "{{ a if n > 5 else n }}": 3,
}


@pytest.mark.parametrize("text", FILLED)
def test_a_template_is_filled(text: str) -> None:
    fill, _ = compiled_template(text)
    assert fill(ROW) == FILLED[text]
    assert type(fill(ROW)) is type(FILLED[text])


REFUSED = {
    "{{ nope }}": "'nope' is undefined",
    "{{ nope.b }}": "'nope' is undefined",
    "{{ a.__class__ }}": "has no attribute '__class__'",
    "{{ a['__class__'] }}": "__class__",
    "{{ a.upper }}": "has no attribute 'upper'",
    "{{ m.items() }}": "no call",
    "{{ range(1000000000) }}": "no call",
    "{{ cycler }}": "'cycler' is undefined",
    "{{ self }}": "no self",
    "{{ self._TemplateReference__context }}": "no self",
    "{{ a * 1000000000 }}": "* is for numbers",
    "{{ l * 1000000000 }}": "* is for numbers",
    "{{ '%999999999d' % n }}": "% is for numbers",
    "{{ 9 ** 9 ** 9 }}": "no pow",
    "{{ n / 0 }}": "division by zero",
    "{{ n * 9000000000000000000 }}": "not one that JSON can carry",
    "{{ 1e999 }}": "not one that JSON can carry",
    "{{ 'inf' | float }}": "not one that JSON can carry",
    "{% set b = a %}": "no assign",
    "{% macro b() %}{% endmacro %}": "no b",
    "{% include 'x' %}": "no include",
    "{% import 'x' as y %}": "no import",
    "{% extends 'x' %}": "no extends",
    "{% for i in l %}{% for j in l %}{% endfor %}{% endfor %}": "a loop cannot be inside another",
    "{% for i in l recursive %}{% endfor %}": "a loop cannot be inside another",
    "{% for i in n %}{% endfor %}": "not iterable",
    "{{ a | attr('x') }}": "there is no attr",
    "{{ a | map('upper') }}": "there is no map",
    "{{ a | center(1000000000) }}": "there is no center",
    "{{ n is divisibleby 3 }}": "there is no divisibleby",
    "{{ a }}\n\n{{ a b }}": "(line 3 of the text)",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}": "nested too deeply",
    "{{ n" + " and n" * 240 + " }}": "nested too deeply",
    "{% if n %}" * 150 + "{% endif %}" * 150: "nested too deeply",
    "{{ a }}" * 600: "more than 500 parts",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_template_that_asks_for_more_than_values_is_refused(text: str) -> None:
    with pytest.raises(TemplateFault) as fault:
        compiled_template(text)[0](ROW)
    assert REFUSED[text] in str(fault.value)


@pytest.mark.parametrize(
    "text", ["{{ a" + " | replace('y', 'yyyyyyyyyy')" * 9 + " }}", "{{ l | join(a * 1) }}", "{{ a }} {{ a }} {{ a }}"]
)
def test_no_text_grows_without_end(text: str) -> None:
    with pytest.raises(TemplateFault):
        compiled_template(text)[0]({"a": "y" * 400_000, "l": ["y"] * 60_000})


@given(st.text(max_size=40))
def test_any_text_is_filled_or_refused(text: str) -> None:
    for each in (text, "{{" + text + "}}", "{%" + text + "%}", "{{ a | " + text + " }}"):
        try:
            compiled_template(each)[0](ROW)
        except TemplateFault:
            continue
