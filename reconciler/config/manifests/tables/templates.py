"""Parses texts with `{{ … }}` and fills them with the values of a row.

The template library parses, and no more: nothing that it knows of values is ever run. What a template may say is a
short list: expressions, `if`, and `for` loops that do not stand in one another; no calls, no assignments, no
attributes. `expressions` and `statements` make functions of it that cannot run for long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from jinja2 import Environment, TemplateSyntaxError, nodes

from reconciler.config.manifests.tables.expressions import (
    ARITHMETIC,
    FILTERS,
    TESTS,
    StepBudget,
    TemplateFault,
    UnknownColumn,
    json_value,
    value_of,
)
from reconciler.config.manifests.tables.statements import pieces_of, text_of
from reconciler.core.values.model import Json

__all__ = ["CompiledTemplate", "StepBudget", "TemplateFault", "UnknownColumn", "compiled_template", "is_template"]

MAX_EXPRESSIONS: Final = 500
MAX_NESTED: Final = 100
_MAX_TOKENS: Final = 40 * MAX_EXPRESSIONS
_ALLOWED: Final[tuple[Any, ...]] = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For),
    *(nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Getitem, nodes.Getattr, nodes.Slice),
    *(nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr),
    *(nodes.Concat, nodes.Neg, nodes.Pos, *ARITHMETIC),
)
_ONE_EXPRESSION: Final = re.compile(r"\{\{[-+]?(.*?)[-+]?\}\}", re.DOTALL)
_MARKUP: Final = re.compile(r"\{[{%#]")
_LIBRARY: Final = Environment(keep_trailing_newline=True)  # noqa: S701  # it makes no HTML: it only parses
_TOO_DEEP: Final = "the template is nested too deeply"
_TOO_LONG: Final = f"a template of more than {MAX_EXPRESSIONS} parts; write a shorter one"


class CompiledTemplate(Protocol):
    """Makes a value of a row, for steps that its templates share. Raises TemplateFault."""

    def __call__(self, row: Mapping[str, Json], steps: StepBudget | None = None) -> Json:
        """The value."""
        ...


def is_template(text: str) -> bool:
    """Whether a text has any markup; one that has none stays as it is."""
    return _MARKUP.search(text) is not None


def compiled_template(text: str) -> tuple[CompiledTemplate, bool]:
    """What fills a text from a row, and whether the text is one expression, which keeps the type of its value.

    Raises TemplateFault.
    """
    try:
        for number, _ in enumerate(_LIBRARY.lexer.tokeniter(text, None)):
            if number > _MAX_TOKENS:
                raise TemplateFault(_TOO_LONG)
        tree = _LIBRARY.parse(text)
        _check(tree, MAX_NESTED, [])
    except TemplateSyntaxError as wrong:
        raise TemplateFault(f"{wrong.message or 'not a template'}{_line(wrong.lineno)}") from None
    except ValueError as wrong:
        raise TemplateFault(f"{wrong}") from None
    except RecursionError:
        raise TemplateFault(_TOO_DEEP) from None
    match tree.body:
        case [nodes.Output(nodes=[nodes.Expr() as only])] if not isinstance(
            only, nodes.TemplateData
        ) and _ONE_EXPRESSION.fullmatch(text):
            value = value_of(only)
            return _guarded(lambda row, steps: json_value(value(row, steps))), True
    pieces = pieces_of(tree.body)
    return _guarded(lambda row, steps: text_of(pieces(row, steps))), False


def _check(node: nodes.Node, levels: int, seen: list[nodes.Node]) -> None:
    """Raises TemplateFault for what is not on the list, and for too much of what is."""
    seen.append(node)
    if len(seen) > MAX_EXPRESSIONS:
        raise TemplateFault(_TOO_LONG)
    line = _line(node.lineno)
    if not isinstance(node, _ALLOWED) or (isinstance(node, nodes.Name) and node.name == "self"):
        word = getattr(node, "name", type(node).__name__.lower())
        if isinstance(node, nodes.Call):
            filters = ", ".join(sorted(FILTERS))
            raise TemplateFault(f"templates have no calls{line}: write {{{{ tenant | upper }}}}; there are {filters}")
        raise TemplateFault(f"templates have no {word}{line}: only expressions, if and for")
    if isinstance(node, nodes.For) and (node.recursive or any(node.find_all(nodes.For))):
        raise TemplateFault(f"a loop cannot be inside another{line}")
    if isinstance(node, nodes.Const):
        json_value(node.value)
    kinds: tuple[tuple[Any, Mapping[str, Any]], ...] = ((nodes.Filter, FILTERS), (nodes.Test, TESTS))
    for kind, known in kinds:
        if not isinstance(node, kind):
            continue
        if node.name not in known:
            raise TemplateFault(f"there is no {node.name}{line}; there are {', '.join(sorted(known))}")
        if node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
            raise TemplateFault(f"{node.name} takes its arguments one by one, without names{line}")
    if not levels:
        raise TemplateFault(_TOO_DEEP)
    for each in node.iter_child_nodes():
        _check(each, levels - 1, seen)


def _line(number: int | None) -> str:
    return f" (line {number} of the text)" if number and number > 1 else ""


def _guarded(fill: Callable[[Mapping[str, Any], StepBudget], Json]) -> CompiledTemplate:
    def guarded(row: Mapping[str, Json], steps: StepBudget | None = None) -> Json:
        try:
            return fill(row, steps or StepBudget())
        except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as wrong:
            raise TemplateFault(f"{wrong}") from None

    return guarded
