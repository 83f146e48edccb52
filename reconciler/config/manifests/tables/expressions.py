"""Evaluates the expressions of a template in a bounded number of steps.

A step is one part, or four characters that it looks at or makes. What a row has of them is spent by all its templates
together, in every loop, filter and operator alike: so whatever a pull request writes ends in time, and holds little.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from jinja2 import nodes

from reconciler.config.syntax.document_builder import copied
from reconciler.core.values.model import Json

MAX_TEXT: Final = 1_000_000
MAX_STEPS: Final = 1_000_000
"""For all templates of one row: half a second, and four million characters."""
_CHARACTERS: Final = 4

Names: TypeAlias = Mapping[str, Any]


class TemplateFault(Exception):
    """A text is no template, or a row does not fit it; the message is for people."""


class UnknownColumn(TemplateFault):
    """A template names what a row does not have."""


class StepBudget:
    """What the templates of one row may still do."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def take(self, count: int) -> None:
        """So many are done. Raises TemplateFault where there are no more."""
        self._left -= count
        if self._left < 0:
            raise TemplateFault(f"it takes more than {MAX_STEPS:,} steps: too many loops or long texts")


Value: TypeAlias = Callable[[Names, StepBudget], Any]


class _Missing:
    """What a name stands for that nothing has, and the words for that."""

    def __init__(self, words: str) -> None:
        self.words = words


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _join(value: Json, separator: str = "") -> str:
    parts = [str(each) for each in value]
    check_length(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def _replace(value: Json, old: str, new: str) -> str:
    text = str(value)
    check_length(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _number(make: type[int] | type[float], value: Any) -> int | float:
    if value == "":
        raise ValueError(f"an empty text is not a number: write `default(0)` before `{make.__name__}`")
    return make(value)


FILTERS: Final[dict[str, Callable[..., Json]]] = {
    "capitalize": lambda value: str(value).capitalize(),
    "default": lambda value, other="": other if isinstance(value, _Missing) or value in ("", None) else value,
    "first": lambda value: value[0],
    "float": lambda value: _number(float, value),
    "int": lambda value: _number(int, value),
    "join": _join,
    "last": lambda value: value[-1],
    "length": len,
    "lower": lambda value: str(value).lower(),
    "replace": _replace,
    "title": lambda value: str(value).title(),
    "tojson": _json,
    "trim": lambda value: str(value).strip(),
    "upper": lambda value: str(value).upper(),
}
_AT_ONCE: Final = ("default", "first", "last", "length")
"""They take one step, however large a value is."""
TESTS: Final[dict[str, Callable[..., bool]]] = {
    "defined": lambda value: not isinstance(value, _Missing),
    "none": lambda value: defined(value) is None,
}
ARITHMETIC: Final[dict[type[nodes.BinExpr], Callable[[Any, Any], Any]]] = {
    nodes.Add: operator.add,
    nodes.Sub: operator.sub,
    nodes.Mul: operator.mul,
    nodes.Div: operator.truediv,
    nodes.FloorDiv: operator.floordiv,
    nodes.Mod: operator.mod,
}
_COMPARED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
    "in": lambda left, right: left in right,
    "notin": lambda left, right: left not in right,
}


def value_of(node: nodes.Node) -> Value:
    """What makes the value of an expression."""
    make = _value(node)

    def made(names: Names, steps: StepBudget) -> Any:
        steps.take(1)
        return make(names, steps)

    return made


def _value(node: nodes.Node) -> Value:
    match node:
        case nodes.Const(value=constant) | nodes.TemplateData(data=constant):
            return lambda names, steps: constant
        case nodes.Name(name=name):
            return lambda names, steps: names[name] if name in names else _Missing(f"{name!r} is undefined")
        case nodes.List(items=items) | nodes.Tuple(items=items):
            each = [value_of(item) for item in items]
            return lambda names, steps: [defined(one(names, steps)) for one in each]
        case nodes.Getattr(node=inner, attr=attribute):
            whole = value_of(inner)
            return lambda names, steps: _item(whole(names, steps), attribute)
        case nodes.Getitem(node=inner, arg=nodes.Slice() as cut):
            ends = (cut.start, cut.stop, cut.step)
            return _slice(value_of(inner), [None if end is None else value_of(end) for end in ends])
        case nodes.Getitem(node=inner, arg=argument):
            whole, place = value_of(inner), value_of(argument)
            return lambda names, steps: _item(whole(names, steps), defined(place(names, steps)))
        case nodes.Filter(node=nodes.Expr() as inner, name=name, args=arguments):
            return _called(FILTERS[name], [inner, *arguments], missing=name == "default", at_once=name in _AT_ONCE)
        case nodes.Test(node=inner, name=name, args=arguments):
            return _called(TESTS[name], [inner, *arguments], missing=True, at_once=True)
    return _operation(node)


def _operation(node: nodes.Node) -> Value:
    match node:
        case nodes.BinExpr(operator=word) if type(node) in ARITHMETIC:
            return _arithmetic(word, ARITHMETIC[type(node)], value_of(node.left), value_of(node.right))
        case nodes.And():
            left, right = value_of(node.left), value_of(node.right)
            return lambda names, steps: defined(left(names, steps)) and right(names, steps)
        case nodes.Or():
            left, right = value_of(node.left), value_of(node.right)
            return lambda names, steps: defined(left(names, steps)) or right(names, steps)
        case nodes.Not(node=inner):
            denied = value_of(inner)
            return lambda names, steps: not defined(denied(names, steps))
        case nodes.Neg(node=inner):
            return _arithmetic("-", operator.sub, lambda names, steps: 0, value_of(inner))
        case nodes.Pos(node=inner):
            return _arithmetic("+", operator.add, lambda names, steps: 0, value_of(inner))
        case nodes.CondExpr(test=test, expr1=one, expr2=other):
            asked, then = value_of(test), value_of(one)
            rest = value_of(other) if other is not None else lambda names, steps: _Missing("the condition has no else")
            return lambda names, steps: (then if defined(asked(names, steps)) else rest)(names, steps)
        case nodes.Concat(nodes=parts):
            return _concat([value_of(part) for part in parts])
        case nodes.Compare(expr=first, ops=operands):
            return _compare(value_of(first), [(_COMPARED[each.op], value_of(each.expr)) for each in operands])
    raise TemplateFault(f"templates have no {type(node).__name__.lower()}")


def _item(whole: Any, place: Any) -> Any:
    """An entry of a mapping, an item of a list or text; nothing else."""
    if isinstance(whole, dict | list | str):
        try:
            return whole[place]
        except (LookupError, TypeError):
            pass
    if isinstance(whole, _Missing):
        return whole  # so that the error names what is not defined
    return _Missing(f"a {type(whole).__name__} has no attribute {place!r}")


def _slice(whole: Value, parts: Sequence[Value | None]) -> Value:
    def cut(names: Names, steps: StepBudget) -> Any:
        ends = [None if part is None else defined(part(names, steps)) for part in parts]
        found = defined(whole(names, steps))[slice(*ends)]
        steps.take(len(found))
        return found

    return cut


def _called(function: Callable[..., Any], given: Sequence[nodes.Node], *, missing: bool, at_once: bool) -> Value:
    arguments = [value_of(each) for each in given]

    def called(names: Names, steps: StepBudget) -> Any:
        values = [each(names, steps) for each in arguments]
        if not missing:
            values = [defined(each) for each in values]
        if at_once:
            return function(*values)
        steps.take(sum(map(step_cost, values)))
        result = _bearable(function(*values))
        steps.take(step_cost(result))
        return result

    return called


def _arithmetic(word: str, function: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
    """Arithmetic, on numbers alone: a text times a billion does not end."""

    def made(names: Names, steps: StepBudget) -> Any:
        values = [defined(each(names, steps)) for each in (left, right)]
        if not all(type(each) in (int, float) for each in values):
            raise TemplateFault(f"{word} is for numbers; `~` joins texts, `| int` converts a text to a number")
        return _bearable(function(*values))

    return made


def _concat(parts: Sequence[Value]) -> Value:
    def joined(names: Names, steps: StepBudget) -> str:
        texts = []
        for part in parts:
            value = defined(part(names, steps))
            steps.take(step_cost(value))
            texts.append(str(value))
        return "".join(texts)

    return joined


def _compare(first: Value, operands: Sequence[tuple[Callable[[Any, Any], bool], Value]]) -> Value:
    def compared(names: Names, steps: StepBudget) -> bool:
        left = defined(first(names, steps))
        for holds, operand in operands:
            right = defined(operand(names, steps))
            steps.take(step_cost(left) + step_cost(right))
            if not holds(left, right):
                return False
            left = right
        return True

    return compared


def json_value(value: Any) -> Json:
    """A value that JSON can carry, and that no row shares. Raises TemplateFault."""
    if isinstance(_bearable(defined(value)), str):
        check_length(len(value))
    return copied(value)


def _bearable(value: Any) -> Any:
    """The value. Raises TemplateFault for a number that JSON cannot carry: larger ones would grow for ever."""
    if (type(value) is float and not math.isfinite(value)) or (type(value) is int and abs(value) >= 2**63):
        raise TemplateFault("the number is not one that JSON can carry")
    return value


def defined(value: Any) -> Any:
    """The value. Raises UnknownColumn where there is none."""
    if type(value) is _Missing:
        raise UnknownColumn(value.words)
    return value


def step_cost(value: Any) -> int:
    """How many steps it takes to look at all of a value."""
    if type(value) is str:
        return len(value) // _CHARACTERS
    if type(value) is list:
        return sum(map(step_cost, value)) + len(value)
    if type(value) is dict:
        return sum(map(step_cost, value.values())) + sum(map(step_cost, value)) + len(value)
    return 0


def check_length(length: int) -> None:
    """Raises TemplateFault for a text of such a length."""
    if length > MAX_TEXT:
        raise TemplateFault(f"it makes a text of more than {MAX_TEXT:,} characters")
