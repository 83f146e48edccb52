"""Answers in every legal shape but the expected one, so that tests compare meanings, not spellings."""

import json
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

Body = dict[str, Any]
_SAFE_WHOLE = 2**53  # beyond it a float is another number
_AUTO = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
_DEFAULTS: dict[str, Body] = {
    "file": {"expires_at": None, "status_details": None},
    "vector_store": {
        "name": None,
        "description": None,
        "expires_after": None,
        "expires_at": None,
        "metadata": {},
    },
    "vector_store.file": {"last_error": None, "attributes": {}, "chunking_strategy": _AUTO},
    "vector_store.file_batch": {},
}
_FOUND: Body = {"attributes": {}}  # one result of a search; it has no `object`


class Adversary:
    """A seed; the shape of answer number n is a function of the seed and n alone."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def shape(self, number: int) -> "Shape":
        """The shape of one answer."""
        return Shape(random.Random(f"{self._seed}:{number}"))  # noqa: S311 — repeatable, not secret


class Shape:
    """How one answer is spelled. It changes spelling only: what a field means stays."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def page_size(self, limit: int) -> int:
        """How many items a page really gets: at most what was asked, so that page boundaries shift."""
        largest = self._dice.choice((limit, limit, limit, min(limit, 3)))
        return limit if self._dice.random() < 0.5 else self._dice.randint(1, largest)

    def reshaped(self, text: str) -> str:
        """The answer, respelled."""
        answer = json.loads(text)
        for each in answer["data"] if isinstance(answer.get("data"), list) else [answer]:
            self._object(each)
        self._grow(answer)
        return json.dumps(self._respelled(answer))

    def attached_late(self) -> bool:
        """Whether a read does not know yet of files that were just attached."""
        return self._dice.random() < 0.25

    def _object(self, answer: Body) -> None:
        kind = answer.get("object", "")
        if kind == "assistant":
            self._assistant(answer)
        elif "deleted" not in answer and (kind in _DEFAULTS or "score" in answer):
            for field, default in _DEFAULTS.get(kind, _FOUND).items():
                self._null_or_absent(answer, field, default)
            for part in ("file_counts", "last_error", "expires_after", "chunking_strategy"):
                if isinstance(answer.get(part), dict):
                    self._grow(answer[part])
            self._grow(answer)

    def _assistant(self, assistant: Body) -> None:
        self._tools(assistant)
        self._resources(assistant)
        if isinstance(assistant["response_format"], dict) and "json_schema" in assistant["response_format"]:
            self._null_or_absent(assistant["response_format"]["json_schema"], "strict", False)
            self._null_or_absent(assistant["response_format"]["json_schema"], "description", None)
        for field in ("name", "description", "instructions", "reasoning_effort"):
            self._null_or_absent(assistant, field, None)
        for field, default in (("temperature", 1), ("top_p", 1), ("response_format", "auto"), ("metadata", {})):
            self._null_or_absent(assistant, field, default)
        self._null_or_absent(assistant, "tools", [])
        self._grow(assistant)

    def _tools(self, assistant: Body) -> None:
        self._dice.shuffle(assistant["tools"])
        for tool in assistant["tools"]:
            if tool["type"] == "function":
                self._null_or_absent(tool["function"], "strict", False)
                self._null_or_absent(tool["function"], "description", None)
                self._grow(tool["function"])
            elif tool["type"] == "file_search":
                self._file_search(tool)
            self._grow(tool)

    def _file_search(self, tool: Body) -> None:
        search = tool["file_search"]
        ranking = search["ranking_options"]
        if ranking == {"ranker": "default_2024_08_21", "score_threshold": 0} and self._heads():
            self._either(lambda: search.pop("ranking_options"), lambda: search.update(ranking_options=None))
        else:
            if self._heads():
                ranking["hybrid_search"] = None
            self._grow(ranking)
        self._null_or_absent(search, "max_num_results", None)
        self._grow(search)
        if not search and self._heads():
            del tool["file_search"]

    def _resources(self, assistant: Body) -> None:
        resources = assistant["tool_resources"]
        for part, ids in (("code_interpreter", "file_ids"), ("file_search", "vector_store_ids")):
            found = resources.get(part, {}).get(ids, [])
            self._dice.shuffle(found)
            if found:
                self._grow(resources[part])
            else:
                resources.pop(part, None)
                if self._heads():
                    resources[part] = self._dice.choice((None, {}, {ids: []}))
        if not resources:
            self._null_or_absent(assistant, "tool_resources", {})

    def _null_or_absent(self, where: Body, field: str, default: Any) -> None:
        """Spell a default as it is, as null, or not at all."""
        if where.get(field) not in (None, default):
            return
        where[field] = deepcopy(default)
        self._either(lambda: None, lambda: where.update({field: None}), lambda: where.pop(field))

    def _grow(self, where: Body) -> None:
        """Add a field that no schema knows yet."""
        if self._dice.random() < 0.3:
            where[f"x_grown_{self._dice.randrange(3)}"] = self._dice.choice((None, True, "new", {}, [], 7))

    def _respelled(self, value: Any) -> Any:
        if isinstance(value, dict):
            keys = list(value)
            self._dice.shuffle(keys)
            return {key: self._respelled(value[key]) for key in keys}
        if isinstance(value, list):
            return [self._respelled(each) for each in value]
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _SAFE_WHOLE:
            return value
        if value == int(value):
            return int(value) if self._heads() else float(value)
        return value

    def _heads(self) -> bool:
        return self._dice.random() < 0.5

    def _either(self, *spellings: Callable[[], object]) -> None:
        self._dice.choice(spellings)()
