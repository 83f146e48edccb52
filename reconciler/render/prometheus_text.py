"""Renders metrics of a continuous run in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its samples by their labels. `counter` says that it only ever grows."""

    name: str
    help: str
    samples: Mapping[tuple[tuple[str, str], ...], float]
    counter: bool = False


def exposition(metrics: Iterable[Metric]) -> str:
    """The metrics as text, one line a sample."""
    lines: list[str] = []
    for metric in metrics:
        lines.append(f"# HELP {metric.name} {metric.help}")
        lines.append(f"# TYPE {metric.name} {'counter' if metric.counter else 'gauge'}")
        for labels, value in sorted(metric.samples.items()):
            pairs = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels)
            lines.append(f"{metric.name}{{{pairs}}} {value!r}" if pairs else f"{metric.name} {value!r}")
    return "".join(f"{line}\n" for line in lines)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
