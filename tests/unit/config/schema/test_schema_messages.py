"""What people read when a manifest is wrong: the exact text, at the exact place, everything at once."""

from __future__ import annotations

import pytest

from reconciler.diagnostics import Code
from tests.unit.config.conftest import Read, told

KNOWN = (
    "one of description, instructions, metadata, model, name, reasoning_effort, response_format, temperature, "
    "tool_resources, tools, top_p"
)

# Ten mistakes of a first day: the file, and every line that is told about it.
FIRST_DAY = {
    "a misspelt field": (
        "model: gpt-4o\ntemprature: 0.2\n",
        [f"assistants.d/a.yaml:2:1: error: unknown field temprature ({KNOWN}) -> did you mean temperature?"],
    ),
    "a misspelt required field": (
        "modle: gpt-4o\n",
        [f"assistants.d/a.yaml:1:1: error: unknown field modle ({KNOWN}) -> did you mean model?"],
    ),
    "no model": (
        "name: HR bot\n",
        [
            "assistants.d/a.yaml:1:1: error: model is missing (text. The id of the model. Stored as written; "
            "aliases "
            "are not resolved.) -> add `model: …`"
        ],
    ),
    "a number as label": (
        "model: gpt-4o\nmetadata:\n  team: people\n  version: 1.10\n",
        [
            "assistants.d/a.yaml:4:12: error: metadata.version must be text, not the number 1.10 (text, at most 512 "
            "characters. Labels: up to 15 text entries. The sixteenth holds the mark of this tool.) -> quote it: "
            'version: "1.10"'
        ],
    ),
    "a quoted number": (
        'model: gpt-4o\ntemperature: "0.2"\n',
        [
            'assistants.d/a.yaml:2:14: error: temperature must be a number, not the text "0.2" (a number or null, at '
            "least 0, at most 2. Sampling temperature: "
            "higher is more random.) -> remove the quotes"
        ],
    ),
    "a temperature of two thousand": (
        "model: gpt-4o\ntemperature: 2000\n",
        [
            "assistants.d/a.yaml:2:14: error: temperature is 2000; the largest value is 2 (a number or null, at "
            "least 0, at most 2. Sampling temperature: "
            "higher is more random.) -> write a number that is at most 2"
        ],
    ),
    "a tool that is not in a list": (
        "model: gpt-4o\ntools: file_search\n",
        [
            'assistants.d/a.yaml:2:8: error: tools must be a list, not the text "file_search" (a list of '
            "mappings, at most 128 items. The tools of the assistant.) -> write it as a list, each item on its "
            "own line, starting with `- `"
        ],
    ),
    "a misspelt tool": (
        "model: gpt-4o\ntools:\n  - type: file-search\n",
        [
            'assistants.d/a.yaml:3:11: error: tools[0].type cannot be "file-search" (code_interpreter, '
            "file_search or function) -> did you mean file_search?"
        ],
    ),
    "the id of a vector store where it was in another API": (
        "model: gpt-4o\ntools:\n  - type: file_search\n    vector_store_ids: [vs_1]\n",
        [
            "assistants.d/a.yaml:4:5: error: unknown field vector_store_ids in tools[0] (one of file_search, "
            "type) -> vector_store_ids belongs in tool_resources.file_search"
        ],
    ),
    "an option of ours beside the fields": (
        "model: gpt-4o\nprotect: true\n",
        [
            f"assistants.d/a.yaml:2:1: error: unknown field protect ({KNOWN}) -> "
            "write it as `reconciler: {protect: …}`"
        ],
    ),
}


@pytest.mark.parametrize(("text", "lines"), FIRST_DAY.values(), ids=FIRST_DAY.keys())
def test_mistakes_of_a_first_day(read: Read, text: str, lines: list[str]) -> None:
    assert [told(each) for each in read({"a.yaml": text}).diagnostics] == lines


def summaries(read: Read, text: str) -> list[str]:
    """What is told about one manifest."""
    return [each.summary for each in read({"a.yaml": text}).diagnostics]


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("name: true", "name must be text, not true"),
        ("name: 017", "name must be text, not the number 017"),
        ("instructions:\n  a: b", "instructions must be text, not a mapping of 1 entry"),
        ("model:", "model must be text, not null"),
        ("model: ''", "model is empty"),
        ("tools: {type: file_search}", "tools must be a list, not a mapping of 1 entry"),
        ("tools: [file_search]", 'tools[0] must be a mapping, not the text "file_search"'),
        ("tools: [{}]", "tools[0].type is missing"),
        ("tools: [{type: function}]", "tools[0].function is missing"),
        ("metadata: {reconciler: x}", "the name metadata.reconciler is reserved"),
        ("metadata: {a: b, '': c}", 'the key "" in metadata is empty'),
        ("response_format: json_object", 'response_format cannot be "json_object"'),
        ("response_format: {type: json}", 'response_format.type cannot be "json"'),
        ("response_format: {type: text, json_schema: {name: a}}", "unknown field json_schema in response_format"),
        ("reasoning_effort: hgih", 'reasoning_effort cannot be "hgih"'),
        ("created_at: 1", "created_at is given by the server and cannot be set"),
        (
            "tool_resources: {file_search: {vector_stores: []}}",
            "tool_resources.file_search.vector_stores cannot be managed",
        ),
        ("tools: [{type: function, function: {name: a b}}]", 'tools[0].function.name cannot be "a b"'),
        ('tools: [{type: function, function: {name: "ab\\n"}}]', 'tools[0].function.name cannot be "ab\\n"'),
        (
            "tools: [{type: function, function: {name: a, parameters: {type: objekt}}}]",
            'tools[0].function.parameters.type cannot be "objekt"',
        ),
        (
            "tools: [{type: function, function: {name: a, parameters: {properties: []}}}]",
            "tools[0].function.parameters.properties must be a mapping, not a list of 0 items",
        ),
        (
            "tools: [{type: file_search, file_search: {ranking_options: {score_threshold: 0, ranker: x}}}]",
            'tools[0].file_search.ranking_options.ranker cannot be "x"',
        ),
        (
            "tools:\n - type: code_interpreter\n - type: code_interpreter",
            "tools has code_interpreter twice; the first is in line 3",
        ),
        ("top_p: 1e999", "1e999 is too large for a number"),
    ],
)
def test_one_problem_is_told_once(read: Read, text: str, summary: str) -> None:
    model = "" if text.startswith("model") else "model: gpt-4o\n"
    assert summaries(read, model + text) == [summary]


LIMITS = {
    "name": (256, "name: {}", "name has 257 characters; the limit is 256"),
    "description": (512, "description: {}", "description has 513 characters; the limit is 512"),
    "instructions": (256_000, "instructions: {}", "instructions has 256,001 characters; the limit is 256,000"),
    "metadata value": (512, "metadata: {{a: {}}}", "metadata.a has 513 characters; the limit is 512"),
}


@pytest.mark.parametrize(("limit", "form", "summary"), LIMITS.values(), ids=LIMITS.keys())
@pytest.mark.parametrize("character", ["x", "é", "😀"])
def test_lengths_are_counted_in_characters(read: Read, limit: int, form: str, summary: str, character: str) -> None:
    if limit == 256_000 and character == "😀":
        pytest.skip("four bytes each: the file would be over its own limit")
    assert summaries(read, "model: x\n" + form.format(character * limit)) == []
    assert summaries(read, "model: x\n" + form.format(character * (limit + 1))) == [summary]


def test_counts_are_told_with_their_limit(read: Read) -> None:
    labels = "".join(f"  k{n}: v\n" for n in range(16))
    assert summaries(read, f"model: x\nmetadata:\n{labels}") == ["metadata has 16 entries; the limit is 15"]
    key = "k" * 65
    assert summaries(read, f"model: x\nmetadata: {{{key}: v}}") == [
        f'the key "{key}" in metadata has 65 characters; the limit is 64'
    ]
    tools = "".join(f"  - type: function\n    function: {{name: f{n}}}\n" for n in range(129))
    assert summaries(read, f"model: x\ntools:\n{tools}") == ["tools has 129 items; the limit is 128"]


def test_values_are_cut(read: Read) -> None:
    [diagnostic] = read({"a.yaml": f"model: x\nreasoning_effort: {'y' * 500_000}"}).diagnostics
    assert len(told(diagnostic)) < 320
    [diagnostic] = read({"a.yaml": f"model: x\n{'y' * 1_000}: 1"}).diagnostics
    assert len(diagnostic.summary) < 120


def test_values_cannot_write_to_the_terminal(read: Read) -> None:
    for text in ('"a\\e]8;;x\\a": 1', 'reasoning_effort: "\\e[31m\\u202e"', 'reconciler: {kind: "\\e[0m"}'):
        for diagnostic in read({"a.yaml": f"model: x\n{text}"}).diagnostics:
            assert told(diagnostic).isprintable()


def test_problems_of_all_files_are_told_at_once_by_file_and_line(read: Read) -> None:
    loaded = read(
        {
            "b.yaml": "model: x\ntop_p: 2\nname: 1\n",
            "a/z.yaml": "model: [",
            "a.md": "---\nmodel: x\ntoolz: []\n---\n",
            "c.json": '{"model": 1}',
        }
    )
    places = [str(each.source).removeprefix("assistants.d/") for each in loaded.diagnostics]
    assert places == ["a.md:3:1", "a/z.yaml:2:1", "b.yaml:2:8", "b.yaml:3:7", "c.json:1:11"]


def test_a_value_that_was_refused_is_not_told_again(read: Read) -> None:
    text = "model: !file nowhere.md\nname: !ref x\ntemperature: 1e999\ntools: !own [1]\nmetadata: {a: !env X}\n"
    assert [each.code for each in read({"a.yaml": text}).diagnostics] == [
        Code.FILE_REFUSED,
        Code.BAD_TAG,
        Code.INVALID_YAML,
        Code.BAD_TAG,
        Code.BAD_TAG,
    ]


def test_thousands_of_problems_are_told_in_part(read: Read) -> None:
    loaded = read({"a.yaml": "model: x\n" + "".join(f"k{n}: 1\n" for n in range(1_000))})
    assert len(loaded.diagnostics) == 101
    assert any(each.summary == "900 more problems in this document" for each in loaded.diagnostics)
