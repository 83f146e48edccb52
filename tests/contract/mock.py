"""A server made of a description of what a vendor's documents and clients say of the wire (`vendors/*.yaml`).

It never looks at our provider data, so that the two can disagree. Requests are checked by the schema that the
description has of them (`request`, as an OpenAPI 3.1 document would write it), parts of parts included.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qs, unquote

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

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
    made: dict[str, datetime] = field(default_factory=dict)
    """When each was made, more exactly than it is shown."""
    vanishing: str | None = None
    """One that lists show, and that is gone when it is asked for."""


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
        query = {name: values if len(values) > 1 else values[0] for name, values in _asked(environ).items()}
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

    def _admit(self, environ: dict[str, Any], query: Mapping[str, Json]) -> None:
        for name, value in self.vendor.get("headers", {}).items():
            if environ.get(f"HTTP_{name.upper().replace('-', '_')}") != value:
                raise Refused(401, {"detail": f"{name} is missing or wrong"})
        for name, value in self.vendor.get("query", {}).items():
            if query.get(name) != value:
                raise Refused(400, {"detail": f"the query has no {name}"})

    def _do(self, shelf: Shelf, verb: str, query: Mapping[str, Json], body: Json, id: str) -> tuple[int, Json]:
        if verb == "list":
            return 200, _page(shelf, query if body is None else body)
        if verb == "create":
            made = self._create(shelf, body)
            ids = shelf.said["id"]["field"]
            answer = {ids: made[ids]} if shelf.said.get("answers_id") else _whole(shelf, made)
            return shelf.said.get("created", 200), _wrapped(shelf, answer)
        if id not in shelf.objects or id == shelf.vanishing:
            raise Refused(404, self.vendor["missing"])
        if verb == "update":
            return 200, _wrapped(shelf, _whole(shelf, self._update(shelf, shelf.objects[id], body)))
        if verb == "read":
            return 200, _wrapped(shelf, _whole(shelf, shelf.objects[id]))
        if verb == "archive":
            shelf.objects[id][shelf.said["archived"]] = self._now("rfc3339", next(self._numbers))
            return 200, _wrapped(shelf, shelf.objects[id])
        del shelf.objects[id]
        return shelf.said.get("deleted", 204), {}

    def _create(self, shelf: Shelf, body: dict[str, Json]) -> dict[str, Json]:
        said, number = shelf.said, next(self._numbers)
        if missing := [name for name in said["required"] if body.get(name) is None]:
            raise Refused(422, {"detail": f"{missing} are required"})
        _check(said, body, whole=True)
        id = f"{said['id']['prefix']}{number:08x}"
        stamps = {name: self._now(style, number) for name, style in said.get("stamps", {}).items()}
        made = {said["id"]["field"]: id, **stamps, **copy.deepcopy(said["shown"]), **said.get("constants", {})}
        if counter := said.get("counts"):
            made[counter] = 1
        shelf.objects[id] = made
        shelf.made[id] = datetime.fromtimestamp(1_700_000_000 + number // 3, UTC) + timedelta(microseconds=number % 3)
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
        _check(said, body, whole=said.get("absent") == "clear")
        _merge(said, stored, {name: value for name, value in body.items() if name != counter})
        if counter:
            stored[counter] += 1
        return stored

    def _now(self, style: str, number: int) -> Json:
        moment = datetime.fromtimestamp(1_700_000_000 + number // 3, UTC)  # several share a second
        return moment.isoformat().replace("+00:00", "Z") if style == "rfc3339" else int(moment.timestamp())


def _asked(environ: Mapping[str, Any]) -> dict[str, list[str]]:
    return parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)


def _check(said: Mapping[str, Any], body: Json, *, whole: bool) -> None:
    """Refuse what the vendor's schema of the request does not take; a change need not say what a create has to."""
    schema = said.get("request", {})
    if not whole:
        schema = {word: value for word, value in schema.items() if word != "required"}
    if wrong := best_match(Draft202012Validator(schema).iter_errors(body)):
        raise Refused(422, {"detail": [{"loc": ["body", *map(str, wrong.absolute_path)], "msg": wrong.message[:300]}]})


def _whole(shelf: Shelf, stored: dict[str, Json]) -> dict[str, Json]:
    """An object as it is shown by itself: what it took as ids stands there as objects, in other fields."""
    shown_as = shelf.said.get("shown_as", {})
    hidden = {*shown_as, *shelf.said.get("only_listed", ())}
    shown = {name: value for name, value in stored.items() if name not in hidden}
    named = {field: [{"id": id, "name": f"the {id}"} for id in stored[ids]] for ids, field in shown_as.items()}
    return {**shown, **named}


def _known(schema: Mapping[str, Any], value: Json) -> Json:
    """A value without the parts that the schema does not name, for vendors that drop them in silence."""
    named = schema.get("properties")
    if not (named and isinstance(value, dict)):
        return value
    return {name: _known(named[name], part) for name, part in value.items() if name in named}


def _filled(said: Mapping[str, Any], stored: dict[str, Json]) -> None:
    """What the vendor fills in by itself, in entries of lists that say so."""
    for fill in said.get("fills", ()):
        stored[fill["in"]] = [
            _merged(copy.deepcopy(fill["with"]), entry, "deep") if fill["where"].items() <= entry.items() else entry
            for entry in stored[fill["in"]]
        ]


def _merge(said: Mapping[str, Any], stored: dict[str, Json], body: Mapping[str, Json]) -> None:
    known = {*said["shown"], *said["required"], *said.get("unseen", ())}
    if said.get("drops_unknown"):
        body = _known(said["request"], body)
    body = {name: value for name, value in body.items() if name not in said.get("unseen", ())}
    if said.get("ignores_null"):
        body = {name: value for name, value in body.items() if value is not None}
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
    _filled(said, stored)


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
    elif cursor is not None and said["style"] == "last":
        start = next((at for at, each in enumerate(objects, 1) if each[ids] == cursor), 0)
    elif cursor is not None and said["style"] == "offset":
        start = int(cursor)
    elif cursor is not None:
        objects = [each for each in objects if shelf.made[each[ids]] <= datetime.fromisoformat(cursor)]
    page = [
        {name: each[name] for name in said["shows"]} if "shows" in said else _whole(shelf, each)
        for each in objects[start : start + size]
    ]
    more = len(objects) > start + len(page)
    answer: Json = page
    if said["items"]:
        answer = {said["items"]: page}
        if said["style"] == "token":
            answer[said["more"]] = page[-1][ids] if more and page else None
        elif said.get("more"):
            answer[said["more"]] = more
    return answer
