"""Reads chaos rules: the faults that the embedded server injects.

    seed: 7                       # optional; makes `probability` repeatable
    rules:
      - {on: create, nth: 2, drop: after_commit}
      - {on: list, stale_list: 5}
      - {on: [modify, delete], every: 3, times: 4, status: 429, headers: {Retry-After: "1"}}

A rule matches requests with `on` (list, retrieve, create, modify, delete, cancel, content, search, any, or several;
default any) and `kind` (assistant, file, vector_store, vector_store_file, file_batch, or several; default every one),
and picks among them with at most one of `nth` (1-based), `every` or `probability`; `times` bounds how often it plays.
It has exactly one effect. Of several rules with the same effect that apply to a request, the first plays. To attach a
file is to create a `vector_store_file`, to detach it is to delete that.

| effect | what happens |
|---|---|
| `latency_ms: N` | the answer takes so much longer |
| `status: N` | this status, with `body` (text, mapping or list) and `headers`; `commit: true` does the work first |
| `drop: before_commit`, `after_commit` | the connection ends without an answer |
| `truncate: BYTES` | the work is done, the body is cut there, the connection ends |
| `garbage: TEXT` | the work is done, and answered 200 with this text as HTML; `commit: false` leaves it undone |
| `sunset: true` | 404 `Invalid URL`, whatever was asked |
| `stale_list: SECONDS` | lists show the state of that long ago |
| `slow_visibility: SECONDS` | new objects are in lists only after that, and a file just attached is a 404 until then |
| `empty_page: true` | a list answers no items, and `has_more: true` |
| `deleted_cursor: unknown` | the id of a deleted object as a cursor is a 404 |
| `metadata: merge` | modify merges metadata instead of replacing it |
| `stale_reply: true` | modify commits, and answers with the object as it was |
| `override: {FIELD: VALUE}` | a gateway's override_params: merged over what create and modify send |
| `ignore: [FIELD]` | these fields are dropped from what create and modify send |
| `ignore_null: true` | nulls are dropped from what create and modify send: null never clears |
| `answer: {FIELD: VALUE}` | merged over the top level of a successful answer, such as `has_more: true` |
| `attach_limit: N` | beyond N attaches (or batches) a minute to one vector store a 429; the vendor has 300 |
| `expired: gone` | an expired vector store is in no list and a 404, instead of saying that it expired |
| `index_seconds: N` | the files that a request attaches stay `in_progress` so long, by the server's clock |
| `index_reads: N` | they stay so until N reads have shown it; without chaos until one has |
| `index_never: true` | they stay so for ever |
| `index_fails: TEXT` | they fail with this reason; `code` is server_error, unsupported_file or invalid_file |

The four of indexing take `name`, a pattern of file names (`*.pdf`), and then play for those files alone.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.server.chaos.chaos_effects import Effects
from reconciler.server.wire import Call

OPERATIONS = ("list", "retrieve", "create", "modify", "delete", "cancel", "content", "search", "any")
KINDS = ("assistant", "file", "vector_store", "vector_store_file", "file_batch")


class ChaosError(ValueError):
    """The rules say something that has no meaning."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")


def _is_count(value: Any) -> bool:
    return _is_number(value) and isinstance(value, int) and value > 0


def _are_among(known: tuple[str, ...]) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        names = [value] if isinstance(value, str) else value
        return isinstance(names, list) and bool(names) and all(name in known for name in names)

    return check


def _is_header_map(value: Any) -> bool:
    # Headers go out as they are: a line break would be a header of its own, or a body.
    return isinstance(value, dict) and all(
        isinstance(part, str) and part.isascii() and part.isprintable() for pair in value.items() for part in pair
    )


_Expectation = tuple[str, Callable[[Any], bool]]
_YES: _Expectation = ("true", lambda value: value is True)
_FIELDS: _Expectation = ("a mapping of fields", lambda value: isinstance(value, dict))
_SECONDS: _Expectation = ("a number of seconds", _is_number)
_EFFECTS: dict[str, _Expectation] = {
    "latency_ms": ("a number of milliseconds", _is_number),
    "status": ("an HTTP status from 200 to 599", lambda value: _is_count(value) and 200 <= value <= 599),
    "drop": ("before_commit or after_commit", lambda value: value in ("before_commit", "after_commit")),
    "truncate": ("a number of bytes", lambda value: _is_number(value) and isinstance(value, int)),
    "garbage": ("a text", lambda value: isinstance(value, str)),
    "sunset": _YES,
    "stale_list": _SECONDS,
    "slow_visibility": _SECONDS,
    "empty_page": _YES,
    "deleted_cursor": ("unknown", lambda value: value == "unknown"),
    "metadata": ("merge", lambda value: value == "merge"),
    "stale_reply": _YES,
    "override": _FIELDS,
    "ignore": ("a list of fields", lambda value: isinstance(value, list)),
    "ignore_null": _YES,
    "answer": _FIELDS,
    "attach_limit": ("a count from 1", _is_count),
    "expired": ("gone", lambda value: value == "gone"),
    "index_seconds": _SECONDS,
    "index_reads": ("a count from 0", lambda value: _is_number(value) and isinstance(value, int)),
    "index_never": _YES,
    "index_fails": ("a text", lambda value: isinstance(value, str)),
}
_INDEXING = ("index_seconds", "index_reads", "index_never", "index_fails")
_CODES = ("server_error", "unsupported_file", "invalid_file")
_SELECTORS: dict[str, _Expectation] = {
    "nth": ("a count from 1", _is_count),
    "every": ("a count from 1", _is_count),
    "probability": ("a number from 0 to 1", lambda value: _is_number(value) and value <= 1),
}
_ALWAYS: dict[str, _Expectation] = _SELECTORS | {
    "on": (f"one of {', '.join(OPERATIONS)}, or several in a list", _are_among(OPERATIONS)),
    "kind": (f"one of {', '.join(KINDS)}, or several in a list", _are_among(KINDS)),
    "times": ("a count from 1", _is_count),
}
_COMPANIONS: dict[str, tuple[tuple[str, ...], _Expectation]] = {
    "body": (("status",), ("a text, mapping or list", lambda value: isinstance(value, str | dict | list))),
    "headers": (("status",), ("a mapping of printable ASCII texts", _is_header_map)),
    "commit": (("status", "garbage"), ("true or false", lambda value: isinstance(value, bool))),
    "name": (_INDEXING, ("a pattern of file names", lambda value: isinstance(value, str))),
    "code": (("index_fails",), (f"one of {', '.join(_CODES)}", lambda value: value in _CODES)),
}


@dataclass(slots=True)
class _ChaosRule:
    effect: str
    options: Mapping[str, Any]
    operations: frozenset[str]
    kinds: frozenset[str]
    dice: random.Random
    matched: int = 0
    played: int = 0

    def plays(self, call: Call) -> bool:
        if "any" not in self.operations and call.operation not in self.operations:
            return False
        if self.kinds and call.kind not in self.kinds:
            return False
        self.matched += 1
        chosen: bool = (
            self.matched == self.options.get("nth", self.matched)
            and self.matched % self.options.get("every", 1) == 0
            and ("probability" not in self.options or self.dice.random() < self.options["probability"])
            and self.played < self.options.get("times", float("inf"))
        )
        self.played += chosen
        return chosen


@dataclass(slots=True)
class Chaos:
    """Rules and how often each has matched: one `Chaos` is for one server. The format is this module's docstring."""

    rules: list[_ChaosRule]
    sleep: Callable[[float], None] = time.sleep
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def load(cls, path: str | Path, *, sleep: Callable[[float], None] = time.sleep) -> "Chaos":
        """Read a YAML file of rules."""
        import yaml  # only who plays chaos pays for it

        try:
            written = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
            return cls.from_rules(written, sleep=sleep)
        except (yaml.YAMLError, UnicodeDecodeError, ChaosError) as error:
            raise ChaosError(f"{path}: {error}") from error

    @classmethod
    def from_rules(cls, rules: Mapping[str, Any], *, sleep: Callable[[float], None] = time.sleep) -> "Chaos":
        """The same rules as a mapping with `rules` and perhaps `seed`."""
        if not isinstance(rules, Mapping) or not isinstance(rules.get("rules"), list):
            raise ChaosError("expected a mapping with a list named `rules`")
        if unknown := sorted(map(str, set(rules) - {"rules", "seed"})):
            raise ChaosError(f"unknown key `{unknown[0]}`; known are `rules` and `seed`")
        seed = rules.get("seed", 0)
        return cls([_checked(rule, number, seed) for number, rule in enumerate(rules["rules"], 1)], sleep)

    @property
    def history_seconds(self) -> float:
        """How far back the rules need to look."""
        looking_back = [rule for rule in self.rules if rule.effect in ("stale_list", "slow_visibility")]
        return max((float(rule.options[rule.effect]) for rule in looking_back), default=0.0)

    def effects_for(self, call: Call) -> Effects:
        """Count this request against every rule, and say what plays."""
        playing: dict[str, Mapping[str, Any]] = {}
        indexing: list[tuple[str, Mapping[str, Any]]] = []
        with self._lock:
            for rule in self.rules:
                if not rule.plays(call):
                    continue
                if rule.effect in _INDEXING:
                    indexing.append((rule.effect, rule.options))
                else:
                    playing.setdefault(rule.effect, rule.options)
        return Effects(playing, indexing, self.sleep)


def _checked(written: Any, number: int, seed: Any) -> _ChaosRule:
    where = f"rule {number}"
    if not isinstance(written, dict):
        raise ChaosError(f"{where}: expected a mapping")
    # YAML 1.1, which PyYAML reads, takes a bare `on` for the boolean true.
    options = {"on" if key is True else str(key): value for key, value in written.items()}
    effects = [key for key in options if key in _EFFECTS]
    if len(effects) != 1:
        raise ChaosError(f"{where}: expected exactly one effect, found {', '.join(effects) or 'none'}")
    if len([key for key in options if key in _SELECTORS]) > 1:
        raise ChaosError(f"{where}: at most one of nth, every and probability")
    for key, value in options.items():
        _check_option(where, effects[0], key, value)
    dice = random.Random(f"{seed}:{number}")  # noqa: S311 — a repeatable die, not a secret
    return _ChaosRule(effects[0], options, _names(options.get("on", "any")), _names(options.get("kind", [])), dice)


def _names(written: str | list[str]) -> frozenset[str]:
    return frozenset([written] if isinstance(written, str) else written)


def _check_option(where: str, effect: str, key: str, value: Any) -> None:
    if key in _COMPANIONS and effect in _COMPANIONS[key][0]:
        expected, right = _COMPANIONS[key][1]
    elif key in _ALWAYS or key in _EFFECTS:
        expected, right = (_ALWAYS | _EFFECTS)[key]
    else:
        raise ChaosError(f"{where}: unknown key `{key}` beside `{effect}`")
    if not right(value):
        raise ChaosError(f"{where}: `{key}` should be {expected}")
