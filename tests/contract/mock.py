"""A server made of a description of what a vendor's documents and clients say of the wire (`vendors/*.yaml`).

It never looks at our provider data, so that the two can disagree.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, unquote

Json = Any


class Refused(Exception):
    """A request that the vendor would refuse."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


@dataclass
class Sent:
    """A request as it arrived."""

    method: str
    path: str
    body: Json


@dataclass
class Shelf:
    """The objects of one kind, oldest first."""

    said: Mapping[str, Any]
    objects: dict[str, dict[str, Json]] = field(default_factory=dict)


class Mock:
    """A WSGI application; `requests` are all that arrived."""

    def __init__(self, vendor: Mapping[str, Any]) -> None:
        self.vendor = vendor
        self.shelves = {name: Shelf(said) for name, said in vendor["kinds"].items()}
        self.requests: list[Sent] = []
        self._numbers = count(1)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            status, body = self._answer(environ)
        except Refused as refused:
            status, body = refused.status, refused.body
        content = b"" if status == 204 else json.dumps(body).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
        start_response(f"{status} X", headers)
        return [content]

    def _answer(self, environ: dict[str, Any]) -> tuple[int, Json]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        body = json.loads(raw) if raw else None
        self.requests.append(Sent(method, path, body))
        self._admit(environ, query)
        for shelf in self.shelves.values():
            for verb, route in shelf.said["routes"].items():
                wanted, _, template = route.partition(" ")
                pattern = re.escape(self.vendor["root"] + template).replace(":id", "([^/]+)")
                found = re.fullmatch(pattern, path)
                if wanted == method and found:
                    return self._do(shelf, verb, query, body, unquote(found[1]) if found.groups() else "")
        raise Refused(404, self.vendor["no_route"])

    def _admit(self, environ: dict[str, Any], query: Mapping[str, str]) -> None:
        for name, value in self.vendor.get("headers", {}).items():
            if environ.get(f"HTTP_{name.upper().replace('-', '_')}") != value:
                raise Refused(401, {"detail": f"{name} is missing or wrong"})
        for name, value in self.vendor.get("query", {}).items():
            if query.get(name) != value:
                raise Refused(400, {"detail": f"the query has no {name}"})

    def _do(self, shelf: Shelf, verb: str, query: Mapping[str, str], body: Json, id: str) -> tuple[int, Json]:
        if verb == "list":
            return 200, _page(shelf, query if body is None else body)
        if verb == "create":
            return shelf.said.get("created", 200), _wrapped(shelf, self._create(shelf, body))
        if id not in shelf.objects:
            raise Refused(404, self.vendor["missing"])
        if verb == "update":
            return 200, _wrapped(shelf, self._update(shelf, shelf.objects[id], body))
        if verb == "read":
            return 200, _wrapped(shelf, shelf.objects[id])
        if verb == "archive":
            shelf.objects[id][shelf.said["archived"]] = self._now("rfc3339", next(self._numbers))
            return 200, _wrapped(shelf, shelf.objects[id])
        del shelf.objects[id]
        return shelf.said.get("deleted", 204), {}

    def _create(self, shelf: Shelf, body: dict[str, Json]) -> dict[str, Json]:
        said, number = shelf.said, next(self._numbers)
        if missing := [name for name in said["required"] if body.get(name) is None]:
            raise Refused(422, {"detail": f"{missing} are required"})
        id = f"{said['id']['prefix']}{number:08x}"
        stamps = {name: self._now(style, number) for name, style in said.get("stamps", {}).items()}
        made = {said["id"]["field"]: id, **stamps, **copy.deepcopy(said["shown"]), **said.get("constants", {})}
        if counter := said.get("counts"):
            made[counter] = 1
        shelf.objects[id] = made
        _merge(said, made, body)
        return made

    def _update(self, shelf: Shelf, stored: dict[str, Json], body: dict[str, Json]) -> dict[str, Json]:
        said = shelf.said
        counter = said.get("counts")
        if counter and counter in body and body[counter] != stored[counter]:
            raise Refused(409, {"detail": "another version"})
        if said.get("absent") == "clear":
            if missing := [name for name in said["required"] if body.get(name) is None]:
                raise Refused(422, {"detail": f"{missing} are required"})
            stored |= copy.deepcopy(said["shown"])
        _merge(said, stored, {name: value for name, value in body.items() if name != counter})
        if counter:
            stored[counter] += 1
        return stored

    def _now(self, style: str, number: int) -> Json:
        moment = datetime.fromtimestamp(1_700_000_000 + number // 3, UTC)  # several share a second
        return moment.isoformat().replace("+00:00", "Z") if style == "rfc3339" else int(moment.timestamp())


def _merge(said: Mapping[str, Any], stored: dict[str, Json], body: Mapping[str, Json]) -> None:
    known = {*said["shown"], *said["required"]}
    if unknown := sorted(set(body) - known):
        raise Refused(422, {"detail": [{"loc": ["body", *unknown], "msg": "Extra inputs are not permitted"}]})
    for name, value in body.items():
        if value is None and name in said.get("not_null", ()):
            raise Refused(422, {"detail": [{"loc": ["body", name], "msg": "may not be null"}]})
        style = said.get("maps", {}).get(name) or said.get("nested", {}).get(name, "replace")
        if value is None:
            stored[name] = copy.deepcopy(said["shown"].get(name))
        elif style == "replace" or not isinstance(value, dict):
            stored[name] = value
        else:
            stored[name] = _merged(stored.get(name), value, style)


def _merged(stored: Json, sent: Json, style: str) -> Json:
    """One object value merged into another: `merge` keeps nulls, `patch` deletes what is null, `deep` goes on below."""
    if not (isinstance(stored, dict) and isinstance(sent, dict)):
        return sent
    after = dict(stored)
    for name, value in sent.items():
        if value is None and style == "patch":
            after.pop(name, None)
        else:
            after[name] = _merged(stored.get(name), value, style) if style == "deep" else value
    return after


def _wrapped(shelf: Shelf, body: Json) -> Json:
    for step in reversed(shelf.said.get("envelope", "").split(".") if shelf.said.get("envelope") else []):
        body = {step: body}
    return body


def _page(shelf: Shelf, asked: Mapping[str, Any]) -> Json:
    said, ids = shelf.said["list"], shelf.said["id"]["field"]
    archived = shelf.said.get("archived")
    objects = [each for each in shelf.objects.values() if not archived or each.get(archived) is None]
    objects = objects[::-1] if said["order"] == "desc" else objects
    size = min(int(asked.get(said["size"], 20)), said["most"])
    start, cursor = 0, asked.get(said["cursor"])
    if cursor is not None and said["style"] in ("after", "token"):
        at = [each[ids] for each in objects]
        if cursor not in at:
            raise Refused(400, {"detail": "unknown cursor"})
        start = at.index(cursor) + 1
    elif cursor is not None and said["style"] == "offset":
        start = int(cursor)
    elif cursor is not None:
        objects = [each for each in objects if each[said["stamp"]] <= cursor]
    page = objects[start : start + size]
    more = len(objects) > start + len(page)
    answer: Json = page
    if said["items"]:
        answer = {said["items"]: page}
        if said["style"] == "token":
            answer[said["more"]] = page[-1][ids] if more and page else None
        elif said.get("more"):
            answer[said["more"]] = more
    return answer
