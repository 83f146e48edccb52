"""Searches the text of a vector store by counting words, with the same result every time.

A file is cut into passages of as many words as its chunking strategy has tokens, overlapping as it says. A passage
scores the share of the query's distinct words that it contains, from 0 to 1; passages without any are not found. Case
does not matter; nothing is stemmed, translated or rewritten. Of a file whose bytes are not text nothing is found: no
PDF or office document is parsed. Rankers and `rewrite_query` are accepted and change nothing.
"""

import heapq
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.server.attachments import AttachedFile
from reconciler.server.body_validation import (
    array,
    boolean,
    choice,
    decimal,
    integer,
    missing,
    nullable,
    scalar,
    struct,
    text,
    variants,
)
from reconciler.server.profiles.account import Body
from reconciler.server.store import StoredObject
from reconciler.server.wire import Json, Refusal

Text = Callable[[str], Iterable[str]]  # the id of a file → its text, in parts
_DEPTH = 20  # of filters in filters
_LONGEST_WORD = 10_000
_WORD = re.compile(r"\S+\s*")
_TERM = re.compile(r"\w+")
_RANKING = struct({"ranker": choice("none", "auto", "default-2024-11-15"), "score_threshold": decimal(0, 1)})
_FOUND_BY_DEFAULT = 10


@dataclass(frozen=True, slots=True)
class Search:
    """A search, checked. `filters` is None, or a filter as it was sent."""

    queries: list[str]
    filters: Body | None
    limit: int
    threshold: float


def checked_search(body: Json) -> Search:
    """The body of a search. Raises Refusal for its first fault."""
    sent: Body = _BODY(body, "")
    if "query" not in sent:
        raise missing("query")
    query = sent["query"]
    threshold = (sent.get("ranking_options") or {}).get("score_threshold", 0.0)
    limit = sent.get("max_num_results", _FOUND_BY_DEFAULT)
    return Search([query] if isinstance(query, str) else query, sent.get("filters"), limit, threshold)


def search_results(search: Search, files: Sequence[tuple[StoredObject, AttachedFile]], text_of: Text) -> list[Body]:
    """The best passages, as the wire has them: best first, and of equal ones that of the older file first."""
    wanted = {term for query in search.queries for term in _terms(query)}
    results = (
        result
        for row, attachment in files
        for result in _results(attachment, json.loads(row.body), search, wanted, text_of)
    )
    return heapq.nlargest(search.limit, results, key=lambda result: result["score"])


def _results(attachment: AttachedFile, shown: Body, search: Search, wanted: set[str], text_of: Text) -> Iterator[Body]:
    attributes = shown["attributes"]
    if search.filters is not None and not _matches(search.filters, attributes):
        return
    for passage in _passages(text_of(attachment.file), shown["chunking_strategy"]["static"]):
        score = _score(passage, wanted)
        if score > 0 and score >= search.threshold:
            yield {
                "file_id": attachment.file,
                "filename": attachment.filename,
                "score": score,
                "attributes": attributes,
                "content": [{"type": "text", "text": passage}],
            }


def _terms(text: str) -> set[str]:
    return set(_TERM.findall(text.casefold()))


def _score(passage: str, wanted: set[str]) -> float:
    return len(wanted & _terms(passage)) / len(wanted) if wanted else 0.0


def _passages(parts: Iterable[str], chunking: Body) -> Iterator[str]:
    size, overlap = chunking["max_chunk_size_tokens"], chunking["chunk_overlap_tokens"]
    window: list[str] = []
    fresh = 0
    for word in _words(parts):
        window.append(word)
        fresh += 1
        if len(window) == size:
            yield "".join(window)
            window, fresh = window[size - overlap :], 0
    if fresh:
        yield "".join(window)


def _words(parts: Iterable[str]) -> Iterator[str]:
    """Words, each with the whitespace after it, so that a passage keeps its lines."""
    rest = ""
    for part in parts:
        words = _WORD.findall(rest + part)
        # The last one may go on in the next part, unless it is no word at all but something endless.
        rest = words.pop() if words and len(words[-1]) < _LONGEST_WORD else ""
        yield from words
    if rest:
        yield rest


def _matches(filter: Body, attributes: Body) -> bool:
    if "filters" in filter:
        parts = (_matches(each, attributes) for each in filter["filters"])
        return all(parts) if filter["type"] == "and" else any(parts)
    present, value, wanted = filter["key"] in attributes, attributes.get(filter["key"]), filter["value"]
    match filter["type"]:
        case "eq":
            return present and _same(value, wanted)
        case "ne":
            return not (present and _same(value, wanted))
        case "in":
            return present and any(_same(value, each) for each in wanted)
        case "nin":
            return not (present and any(_same(value, each) for each in wanted))
        case _:
            return present and _compares(filter["type"], value, wanted)


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _compares(way: str, value: Any, wanted: Any) -> bool:
    if _sort(value) != _sort(wanted):
        return False
    less, more = value < wanted, value > wanted
    return bool({"lt": less, "lte": not more, "gt": more, "gte": not less}[way])


def _sort(value: Any) -> str:
    return "text" if isinstance(value, str) else "boolean" if isinstance(value, bool) else "number"


_VALUE = scalar(512)
_COMPARISON = struct({"type": text(), "key": text(), "value": _VALUE}, required=("type", "key", "value"))
_MEMBERSHIP = struct({"type": text(), "key": text(), "value": array(_VALUE, 1000)}, required=("type", "key", "value"))


def _filter(value: Json, path: str, depth: int = 0) -> Any:
    if depth > _DEPTH:
        raise Refusal(f"Invalid '{path}': filters are nested too deep.", param=path, code="invalid_value")
    inner = array(lambda each, where: _filter(each, where, depth + 1), 100)
    compound = struct({"type": text(), "filters": inner}, required=("type", "filters"))
    simple = dict.fromkeys(("eq", "ne", "gt", "gte", "lt", "lte"), _COMPARISON)
    shapes = simple | dict.fromkeys(("in", "nin"), _MEMBERSHIP) | dict.fromkeys(("and", "or"), compound)
    return variants(shapes)(value, path)


def _query(value: Json, path: str) -> Any:
    return array(text(), 100)(value, path) if isinstance(value, list) else text()(value, path)


_BODY = struct(
    {
        "query": _query,
        "filters": nullable(_filter),
        "max_num_results": integer(1, 50),
        "ranking_options": nullable(_RANKING),
        "rewrite_query": boolean,
    }
)
