"""Evaluates the statements (`if`, `for`) of a template in a bounded number of steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from jinja2 import nodes

from reconciler.config.manifests.tables.expressions import (
    Names,
    StepBudget,
    TemplateFault,
    check_length,
    defined,
    step_cost,
    value_of,
)

Pieces: TypeAlias = Callable[[Names, StepBudget], Iterator[str]]


def pieces_of(body: Sequence[nodes.Node]) -> Pieces:
    """What makes the texts of statements, one after the other."""
    parts = [_piece(node) for node in body]

    def made(names: Names, steps: StepBudget) -> Iterator[str]:
        for part in parts:
            yield from part(names, steps)

    return made


def _piece(node: nodes.Node) -> Pieces:
    match node:
        case nodes.Output(nodes=inner):
            values = [value_of(each) for each in inner]
            return lambda names, steps: (_written(each(names, steps), steps) for each in values)
        case nodes.If(test=test, body=body, elif_=others, else_=rest):
            branches = [(value_of(test), pieces_of(body)), *((value_of(e.test), pieces_of(e.body)) for e in others)]
            otherwise = pieces_of(rest)
            return lambda names, steps: next(
                (then for asked, then in branches if defined(asked(names, steps))), otherwise
            )(names, steps)
        case nodes.For():
            return _loop(node)
    raise TemplateFault(f"templates have no {type(node).__name__.lower()}")


def _loop(node: nodes.For) -> Pieces:
    source, body, rest = value_of(node.iter), pieces_of(node.body), pieces_of(node.else_)
    wanted = value_of(node.test) if node.test is not None else None
    target: Any = node.target

    def bound(item: Any) -> dict[str, Any]:
        if isinstance(target, nodes.Name):
            return {target.name: item}
        return dict(zip([each.name for each in target.items], item, strict=True))

    def looped(names: Names, steps: StepBudget) -> Iterator[str]:
        steps.take(len(names))
        inner = dict(names)
        items = []
        for item in defined(source(names, steps)):
            steps.take(1)
            inner.update(bound(item))
            if wanted is None or defined(wanted(inner, steps)):
                items.append(item)
        for at, item in enumerate(items):
            steps.take(1)
            count = {"first": at == 0, "index": at + 1, "index0": at, "last": at + 1 == len(items)}
            inner.update(bound(item), loop={**count, "length": len(items)})
            yield from body(inner, steps)
        if not items:
            yield from rest(names, steps)

    return looped


def text_of(pieces: Iterator[str]) -> str:
    """The pieces as one text. Raises TemplateFault where it is too long."""
    found, length = [], 0
    for piece in pieces:
        length += len(piece)
        check_length(length)
        found.append(piece)
    return "".join(found)


def _written(value: Any, steps: StepBudget) -> str:
    """A value inside a text: texts as they are, all else as JSON."""
    steps.take(step_cost(defined(value)))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
