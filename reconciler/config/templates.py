"""Texts with `{{ … }}` → values, one row at a time. The only module that knows the template library.

What a template may say is a short list, because nothing can be stopped once it runs: expressions, `if`, and `for`
loops that do not stand in one another; no calls, no assignments, no attributes, and filters that this module has.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import SandboxedEnvironment

from reconciler.config.build import copied
from reconciler.core.model import Json

MAX_TEXT: Final = 1_000_000
MAX_EXPRESSIONS: Final = 500
Fill = Callable[[Mapping[str, Json]], Json]
"""Makes a value of a row. Raises TemplateFault."""


class TemplateFault(Exception):
    """A text is no template, or a row does not fit it; the message is for people."""


class UnknownColumn(TemplateFault):
    """A template names what a row does not have."""


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _written(value: Json) -> Json:
    """A value inside a text: texts as they are, all else as JSON."""
    return value if isinstance(value, str | Undefined) else _json(value)


def _join(value: Json, separator: str = "") -> str:
    parts = [str(each) for each in value]
    _bounded(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def _replace(value: Json, old: str, new: str) -> str:
    text = str(value)
    _bounded(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _default(value: Json, other: Json = "") -> Json:
    return other if isinstance(value, Undefined) or value in ("", None) else value


_FILTERS: Final[dict[str, Callable[..., Json]]] = {
    "capitalize": lambda value: str(value).capitalize(),
    "default": _default,
    "first": lambda value: value[0],
    "float": float,
    "int": int,
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
_TESTS: Final[dict[str, Callable[..., bool]]] = {
    "defined": lambda value: not isinstance(value, Undefined),
    "none": lambda value: value is None,
}
_ARITHMETIC: Final = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod)
_ALLOWED: Final = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For),
    *(nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Getitem, nodes.Getattr, nodes.Slice),
    *(nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr),
    *(nodes.Concat, nodes.Neg, nodes.Pos, *_ARITHMETIC),
)
_LOOP: Final = ("first", "index", "index0", "last", "length")
_ONE_EXPRESSION: Final = re.compile(r"\{\{[-+]?(.*?)[-+]?\}\}", re.DOTALL)
_MARKUP: Final = re.compile(r"\{[{%#]")


class _Environment(SandboxedEnvironment):
    """The library's sandbox, less everything that is not on the list."""

    intercepted_binops = frozenset(each.operator for each in _ARITHMETIC)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """An entry of a mapping, an item or a slice of a list or text, what a loop counts; nothing else."""
        if isinstance(obj, LoopContext) and argument in _LOOP:
            return getattr(obj, argument)
        if isinstance(obj, Undefined):
            return obj  # so that what is told is the name that nothing has
        if isinstance(obj, dict | list | str):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                pass
        return self.undefined(obj=obj, name=argument)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The same as an entry: values have no attributes here."""
        return self.getitem(obj, attribute)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic, on numbers alone: a text times a billion does not end."""
        for each in (left, right):
            if isinstance(each, Undefined):
                _fail(each)
            if type(each) not in (int, float):
                raise TemplateFault(f"{operator} is for numbers; `~` joins texts, and `| int` makes a number of one")
        return super().call_binop(context, operator, left, right)


def is_template(text: str) -> bool:
    """Whether a text has any markup; one that has none stays as it is."""
    return _MARKUP.search(text) is not None


def compiled_template(text: str) -> tuple[Fill, bool]:
    """What fills a text from a row, and whether the text is one expression, which keeps the type of its value.

    Raises TemplateFault.
    """
    try:
        tree = _ENVIRONMENT.parse(text)
        _check(tree)
        whole = _ONE_EXPRESSION.fullmatch(text) if _is_one_expression(tree) else None
        if whole:
            evaluate = _ENVIRONMENT.compile_expression(whole[1], undefined_to_none=False)
            return lambda row: _guarded(lambda: _plain(evaluate(row))), True
        template = _ENVIRONMENT.from_string(text)
        return lambda row: _guarded(lambda: _text(template.generate(row))), False
    except TemplateSyntaxError as wrong:
        raise TemplateFault(f"{wrong.message or 'not a template'}{_line(wrong.lineno)}") from None
    except ValueError as wrong:
        raise TemplateFault(f"{wrong}") from None
    except (RecursionError, MemoryError, SyntaxError):
        raise TemplateFault("the template is nested too deeply") from None


def _check(tree: nodes.Template) -> None:
    """Raises TemplateFault for what is not on the list."""
    found = list(tree.find_all(nodes.Node))
    if len(found) > MAX_EXPRESSIONS:
        raise TemplateFault(f"a template of more than {MAX_EXPRESSIONS} parts; write a shorter one")
    for node in found:
        line = _line(node.lineno)
        if not isinstance(node, _ALLOWED) or (isinstance(node, nodes.Name) and node.name == "self"):
            word = getattr(node, "name", type(node).__name__.lower())
            raise TemplateFault(f"templates here have no {word}{line}: only expressions, if and for")
        if isinstance(node, nodes.For) and (node.recursive or any(node.find_all(nodes.For))):
            raise TemplateFault(f"a loop cannot stand in another{line}")
        if isinstance(node, nodes.Const):
            _plain(node.value)
        for kind, known in ((nodes.Filter, _FILTERS), (nodes.Test, _TESTS)):
            if isinstance(node, kind) and node.name not in known:
                raise TemplateFault(f"there is no {node.name}{line}; there are {', '.join(sorted(known))}")


def _line(number: int | None) -> str:
    return f" (line {number} of the text)" if number and number > 1 else ""


def _is_one_expression(tree: nodes.Template) -> bool:
    match tree.body:
        case [nodes.Output(nodes=[only])]:
            return not isinstance(only, nodes.TemplateData)
    return False


def _guarded(fill: Callable[[], Json]) -> Json:
    try:
        return fill()
    except UndefinedError as wrong:
        raise UnknownColumn(f"{wrong.message}") from None
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as wrong:
        raise TemplateFault(f"{wrong}") from None


def _text(pieces: Any) -> str:
    found, length = [], 0
    for piece in pieces:
        length += len(piece)
        _bounded(length)
        found.append(piece)
    return "".join(found)


def _plain(value: Json) -> Json:
    if isinstance(value, Undefined):
        _fail(value)
    if (isinstance(value, float) and not math.isfinite(value)) or (isinstance(value, int) and abs(value) >= 2**63):
        raise TemplateFault("the number is not one that JSON can carry")
    if isinstance(value, str):
        _bounded(len(value))
    return list(value) if isinstance(value, tuple) else copied(value)


def _fail(undefined: Undefined) -> NoReturn:
    str(undefined)  # raises, with the name in it
    raise TemplateFault("a value is undefined")


def _bounded(length: int) -> None:
    if length > MAX_TEXT:
        raise TemplateFault(f"it makes a text of more than {MAX_TEXT:,} characters")


def _environment() -> _Environment:
    # No globals: every name is a column. Nothing is loaded or included, and nothing is escaped: this is no HTML.
    made = _Environment(
        undefined=StrictUndefined,
        finalize=_written,
        autoescape=False,
        loader=None,
        keep_trailing_newline=True,
        optimized=False,
        cache_size=0,
    )
    made.globals.clear()
    made.filters = dict(_FILTERS)
    made.tests = dict(_TESTS)
    return made


_ENVIRONMENT: Final = _environment()
