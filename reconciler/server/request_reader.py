"""Reads requests: head and query, a bounded JSON body, or a multipart form with a file."""

import json
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import WSGIEnvironment

from reconciler.server.multipart import is_form, read_form
from reconciler.server.wire import Call, Json, Refusal, Repeating, Request, Unparsable

BODY_LIMIT = 8 * 1024 * 1024


def request_head(environ: WSGIEnvironment) -> Request:
    """The request without its body."""
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    path = _decoded(environ.get("PATH_INFO", "") or "/")
    query = environ.get("QUERY_STRING", "")
    pairs = parse_qsl(query, keep_blank_values=True) if query else []
    names = [name for name, _ in pairs]
    repeated = next((name for index, name in enumerate(names) if name in names[:index]), None)
    return Request(environ["REQUEST_METHOD"], path, dict(pairs), headers, Unparsable(), None, repeated)


def read_body(request: Request, environ: WSGIEnvironment, call: Call) -> Refusal | None:
    """Read the body into the request, or say why it cannot be served."""
    if call.takes_form and is_form(environ):
        try:
            form = read_form(environ)
        except Refusal as refusal:
            return refusal
        request.body, request.sent = form, form.recorded()
        return None
    raw = _read(environ)
    if len(raw) > BODY_LIMIT:
        return _too_large(BODY_LIMIT)
    request.body = _parsed(raw)
    request.sent = None if isinstance(request.body, Unparsable) else request.body
    return None


def _too_large(limit: int) -> Refusal:
    """The refusal of a body of more than `limit` bytes."""
    return Refusal(f"The request body is larger than {limit} bytes.", status=413)


def _decoded(path: str) -> str:
    # WSGI hands bytes over as if they were Latin-1; some in-process transports hand over text, which then stays.
    if path.isascii():
        return path
    try:
        return path.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return path


def _read(environ: WSGIEnvironment) -> bytes:
    length = environ.get("CONTENT_LENGTH")
    if length:
        wanted = min(int(length), BODY_LIMIT + 1)
    elif environ.get("wsgi.input_terminated") or "HTTP_TRANSFER_ENCODING" in environ:
        wanted = BODY_LIMIT + 1  # of unknown length: to its end
    else:
        return b""
    raw: bytes = environ["wsgi.input"].read(wanted)
    return raw


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    repeating = Repeating(found)
    repeating.key = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
    return repeating


_DECODER = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_object)


def _parsed(raw: bytes) -> Json:
    try:
        return _DECODER.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return Unparsable()
