"""Agents of Anthropic's Managed Agents: create, read, update, archive, list, versions."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from reconciler.server.body_validation import integer
from reconciler.server.pagination import Paging, page_of
from reconciler.server.profiles.account import Account, parsed, serialised
from reconciler.server.profiles.anthropic_agents import managed_agents_multiagent as multiagent
from reconciler.server.profiles.anthropic_agents.managed_agents_fields import (
    HIGHEST_VERSION,
    Body,
    checked_create,
    checked_update,
    fresh,
    merged,
)
from reconciler.server.store import Among, StoredObject
from reconciler.server.wire import Call, Quirks, Refusal, Reply, Request

KIND = "agent"
VERSION = "agent_version"
_STORED = "managed_agent"  # one file may hold the agents of another vendor as well


class ManagedAgents:
    """The routes below /v1/agents."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def answer(self, call: Call, request: Request, quirks: Quirks) -> Reply:
        """One of the verbs; to archive is what this API has for `delete`."""
        match call.operation:
            case "list" if call.kind == VERSION:
                self._existing(call.within)
                return self._list(request.query, quirks, _versions_of(call.within), None)
            case "list":
                return self._list(request.query, quirks, _STORED, _among(request.query))
            case "create":
                return self._create(parsed(request.body))
            case "retrieve":
                return Reply(200, self._version(call.id, request.query.get("version")).body)
            case "modify":
                return self._update(call.id, parsed(request.body), quirks)
            case _:
                return self._archive(call.id)

    def _list(self, query: dict[str, str], quirks: Quirks, kind: str, among: Among | None) -> Reply:
        limit = _whole(query.get("limit") or "20", "limit", 100)
        paging = Paging(limit=limit, descending=True, after=_id_in(query.get("page")), before=None)
        try:
            rows, more = page_of(self._account.store, kind, paging, quirks, "", among)
        except Refusal:
            raise _bad_page() from None
        token = json.dumps(_token(rows[-1].id) if more and rows else None)
        return Reply(200, f'{{"data": [{", ".join(row.body for row in rows)}], "next_page": {token}}}')

    def _create(self, body: Any) -> Reply:
        sent = checked_create(body)
        account = self._account
        with account.store.writing():
            id = account.new_id(_STORED, lambda: f"agent_01{account.entropy(22)}")
            new = fresh(id, self._now())
            stored = serialised(merged(new, self._resolved(new, sent)))
            account.store.insert(_STORED, id, account.now(), stored)
            account.store.insert(_versions_of(id), f"{id}@1", account.now(), stored)
        return Reply(200, stored)

    def _update(self, id: str, body: Any, quirks: Quirks) -> Reply:
        self._existing(id)  # an unknown id is reported before a faulty body
        sent = checked_update(body)
        account = self._account
        with account.store.writing():
            before = self._existing(id)
            stored = json.loads(before.body)
            self._refuse_conflict(stored, sent.pop("version", None))
            changed = merged(stored, self._resolved(stored, sent))
            if changed == stored:
                return Reply(200, before.body)  # no change, no version
            changed |= {"version": stored["version"] + 1, "updated_at": self._now()}
            after = serialised(changed)
            account.store.replace(_STORED, before, after)
            account.store.insert(_versions_of(id), f"{id}@{changed['version']}", account.now(), after)
        return Reply(200, before.body if quirks.stale_reply else after)

    def _archive(self, id: str) -> Reply:
        with self._account.store.writing():
            before = self._existing(id)
            stored = json.loads(before.body)
            # Whether it counts as a change of the agent is documented nowhere: it is no version here.
            after = serialised(stored | {"archived_at": stored["archived_at"] or self._now()})
            self._account.store.replace(_STORED, before, after)
        return Reply(200, after)

    def _refuse_conflict(self, stored: Body, version: int | None) -> None:
        # A 409 has no type of its own in this API.
        if version is not None and version != stored["version"]:
            message = f"version {version} does not match the agent's current version {stored['version']}"
            raise Refusal(message, status=409)
        if stored["archived_at"] is not None:
            raise Refusal("agent is archived and cannot be modified", status=409)

    def _resolved(self, agent: Body, sent: Body) -> Body:
        """What was sent, with every other agent that it names resolved to a version."""
        if sent.get("multiagent") is None:
            return sent

        def resolve(id: str, version: int | None) -> Body:
            if id in (multiagent.SELF, agent["id"]):
                return {"type": "agent", "id": agent["id"], "version": version or agent["version"]}
            return self._reference(id, version)

        return sent | {"multiagent": multiagent.resolved(agent["multiagent"], sent["multiagent"], resolve)}

    def _reference(self, id: str, version: int | None) -> Body:
        row = self._account.store.get(_STORED, id)
        other = json.loads(row.body) if row else None
        if other is None or other["archived_at"] is not None or other["multiagent"] is not None:
            # Which status each of the three has is documented nowhere.
            message = f"agent '{id}' does not exist, is archived, or has multiagent set itself"
            raise Refusal(message, param="multiagent")
        if version is not None and self._account.store.get(_versions_of(id), f"{id}@{version}") is None:
            raise Refusal(f"agent '{id}' has no version {version}", param="multiagent")
        return {"type": "agent", "id": id, "version": version or other["version"]}

    def _version(self, id: str, asked: str | None) -> StoredObject:
        current = self._existing(id)
        if not asked:
            return current
        version = _whole(asked, "version", HIGHEST_VERSION)
        if version == json.loads(current.body)["version"]:
            return current
        unknown = Refusal(f"Version {version} of agent {id} not found.", status=404)
        return self._account.existing(_versions_of(id), f"{id}@{version}", unknown)

    def _existing(self, id: str) -> StoredObject:
        return self._account.existing(_STORED, id, Refusal(f"Agent {id} not found.", status=404))

    def _now(self) -> str:
        return _stamp(datetime.fromtimestamp(self._account.clock(), UTC))


def _versions_of(id: str) -> str:
    return f"managed_agent_version/{id}"


def _among(query: dict[str, str]) -> Among | None:
    """Which agents a list is about: not the archived ones, unless asked, and those of a span of time."""
    where, values = "kind = ? AND deleted = 0", [_STORED]
    if query.get("include_archived", "false") not in ("true", "false"):
        raise Refusal("expected true or false", param="include_archived")
    if query.get("include_archived") != "true":
        where += " AND json_extract(body, '$.archived_at') IS NULL"
    for name, sign in (("created_at[gte]", ">="), ("created_at[lte]", "<=")):
        if query.get(name):
            where += f" AND json_extract(body, '$.created_at') {sign} ?"
            values.append(_moment(query[name], name))
    return f"SELECT id FROM objects WHERE {where}", tuple(values)  # noqa: S608 — constants only


def _moment(text: str, name: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal("expected a time as RFC 3339 writes it", param=name) from None
    return _stamp(moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC))


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _whole(text: str, name: str, maximum: int) -> int:
    try:
        number = int(text)
    except ValueError:
        raise Refusal("expected an integer", param=name) from None
    checked: int = integer(1, maximum)(number, name)
    return checked


def _token(id: str) -> str:
    return "page_" + base64.urlsafe_b64encode(id.encode()).decode().rstrip("=")


def _id_in(token: str | None) -> str | None:
    if not token:
        return None
    packed = token.removeprefix("page_")
    try:
        return base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except ValueError:
        raise _bad_page() from None


def _bad_page() -> Refusal:
    return Refusal("not a cursor of this list", param="page")
