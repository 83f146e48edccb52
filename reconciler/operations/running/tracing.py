"""Traces of a continuous run, over OpenTelemetry where that is asked for. The only module that imports it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeAlias

Spans: TypeAlias = Callable[[str, Mapping[str, str]], AbstractContextManager[object]]
"""Opens a span of a name with attributes; exceptions that pass through it are kept."""


@contextmanager
def no_spans() -> Iterator[Spans]:
    """Spans that lead nowhere."""
    yield lambda name, attributes: nullcontext()


@contextmanager
def exported_spans() -> Iterator[Spans]:
    """Spans that are exported over OTLP, as the standard OTEL_* variables say. Raises ConfigError without the extra."""
    from reconciler.config.errors import ConfigError, error, install_hint
    from reconciler.diagnostics import Code

    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as missing:
        summary = f"traces need {missing.name}, which is not installed"
        raise ConfigError([error(Code.MISSING_EXTRA, summary, None, "", install_hint("traces"))]) from None
    provider = TracerProvider(resource=Resource.create({"service.name": "reconciler"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("reconciler")
    try:
        yield lambda name, attributes: tracer.start_as_current_span(f"reconciler.{name}", attributes=dict(attributes))
    finally:
        provider.shutdown()
