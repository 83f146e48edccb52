"""Finds objects, ids and error texts in responses, in any of the shapes that remotes use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.core.values.model import Body, Json
from reconciler.drivers.base import BadResponse, is_usable_id
from reconciler.drivers.provider import ProviderKind
from reconciler.drivers.transport.response import Response

_TEXTS: Final = ("message", "detail", "msg")


def value_at(body: Json, path: str) -> Json:
    """What stands at a dotted path; None where nothing does. The empty path is the body itself."""
    for step in path.split(".") if path else ():
        body = body.get(step) if isinstance(body, dict) else None
    return body


def has_value_at(body: Json, path: str) -> bool:
    """Whether anything stands at a dotted path, be it null."""
    above, _, name = path.rpartition(".")
    found = value_at(body, above)
    return isinstance(found, dict) and name in found


def object_in(spec: ProviderKind, response: Response) -> Body:
    """The object an answer is about, with its `id`. Raises BadResponse where there is none."""
    body = value_at(response.body, spec.envelope)
    if not isinstance(body, dict) or not isinstance(body.get(spec.id_field), str):
        summary = f"the response is not an object with an id{_why(response)}"
        raise BadResponse(summary, detail=one_line(response.text))
    return with_ids(spec, body)


def page_in(spec: ProviderKind, response: Response) -> list[Body]:
    """The objects of a list's page, each with its `id`. Raises BadResponse where they are not there."""
    page = value_at(response.body, spec.list.items)
    if not isinstance(page, list) or not all(isinstance(body, dict) for body in page):
        hint = "" if response.flaw else "check the url: the server there is not this API"
        summary = f"the list of {spec.path} has no {spec.list.items!r}{_why(response)}"
        raise BadResponse(summary, detail=one_line(response.text), hint=hint)
    for body in page:
        id = body.get(spec.id_field)
        if not is_usable_id(id):
            raise BadResponse(f"the list has an object whose id cannot be used: {response.mask(repr(id)):.80}")
    return [with_ids(spec, body) for body in page]


def _why(response: Response) -> str:
    return f": it cannot be read, {response.flaw}" if response.flaw else ""


def created(body: Body, field: str | None) -> float | None:
    """When an object was made, where the list is sorted by that and the remote says it as a number."""
    found = body.get(field) if field else None
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def is_live(spec: ProviderKind, body: Body) -> bool:
    """Whether an object is there, or only archived."""
    return spec.delete.archived_field is None or body.get(spec.delete.archived_field) in (None, False)


def error_text(response: Response) -> str:
    """What an error answer says, out of any of the shapes remotes use; cut to a readable length."""
    return one_line("; ".join(dict.fromkeys(_error_texts(response.body))) or response.text) or "no text"


def _error_texts(body: Json) -> Iterator[str]:
    """The texts of an error: of one object, of a list of them, or of what they are wrapped in."""
    if isinstance(body, str) and body:
        yield body
    elif isinstance(body, list):
        for each in body[:5]:
            yield from _error_texts(each)
    elif isinstance(body, dict):
        found = next((body[name] for name in ("error", *_TEXTS) if isinstance(body.get(name), dict | list)), None)
        text = next((body[name] for name in _TEXTS if isinstance(body.get(name), str) and body[name]), None)
        if found is not None:
            yield from _error_texts(found)
        elif text is not None:
            code, place = body.get("code"), body.get("loc")
            where = ".".join(map(str, place)) + ": " if isinstance(place, list) else ""
            yield where + text + (f" [{code}]" if isinstance(code, str) else "")
        elif isinstance(body.get("error"), str):
            yield from _error_texts(body["error"])


def one_line(text: str, limit: int = 300) -> str:
    """A text on one line, cut where it is long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def with_ids(spec: ProviderKind, body: Body) -> Body:
    """An object with its `id`, and with the ids of the objects that it shows in other fields than it takes them."""
    if spec.id_field in body:
        body = {"id": body[spec.id_field], **body}
    ids = {field: _ids(body.get(shown)) for field, shown in spec.ids_of.items()}
    return {**body, **{field: found for field, found in ids.items() if found is not None}}


def _ids(shown: Json) -> list[str] | None:
    if not isinstance(shown, list):
        return None
    return [each["id"] for each in shown if isinstance(each, dict) and isinstance(each.get("id"), str)]
