"""Records submissions, outcomes and paused targets: the tables that people look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.values.model import Address
from reconciler.diagnostics import Diagnostic
from reconciler.engine.fleet.database import Database, columns
from reconciler.formats.outcome import Outcome

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0

_SUBMIT: Final = """
    INSERT INTO reconciler_target AS known (target, submission, total, submitted_at)
    VALUES (%(target)s, 1, %(total)s, now())
    ON CONFLICT (target) DO UPDATE SET submission = known.submission + 1, total = excluded.total, submitted_at = now(),
        surveyed_at = NULL, failures = 0, paused_until = 'epoch', trouble = NULL
    RETURNING submission
"""
_STATE: Final = """
    SELECT submission, surveyed_at IS NOT NULL, failures, coalesce(trouble, ''),
        greatest(0, extract(epoch FROM paused_until - now()))::float8
    FROM reconciler_target WHERE target = %(target)s
"""
# Of all that want to look whether a resting target is well again, one does; the others rest on.
_ADMIT: Final = """
    UPDATE reconciler_target SET paused_until = now() + make_interval(secs => %(longest)s)
    WHERE target = %(target)s AND failures > 0 AND paused_until <= now() RETURNING true
"""
_REST: Final = """
    SELECT CASE WHEN failures = 0 THEN 0 ELSE extract(epoch FROM paused_until - now())::float8 END
    FROM reconciler_target WHERE target = %(target)s
"""
_FAILED: Final = """
    UPDATE reconciler_target SET trouble = %(trouble)s,
        failures = failures + (%(probing)s OR paused_until <= now())::int,
        paused_until = CASE WHEN %(probing)s OR paused_until <= now() THEN
            now() + make_interval(secs => least(%(longest)s, %(first)s * 2 ^ least(failures, 16))) ELSE paused_until END
    WHERE target = %(target)s
    RETURNING extract(epoch FROM paused_until - now())::float8
"""
_WORKED: Final = """
    UPDATE reconciler_target SET failures = 0, paused_until = 'epoch', trouble = NULL
    WHERE target = %(target)s AND failures > 0
"""
_SURVEYED: Final = """
    UPDATE reconciler_target SET surveyed_at = now(), objects = %(objects)s, orphans = %(orphans)s
    WHERE target = %(target)s AND submission = %(submission)s
"""
_RECORD: Final = """
    INSERT INTO reconciler_result AS known (target, kind, key, submission, action, result, id, code, said)
    SELECT %(target)s, found.kind, found.key, %(submission)s, found.action, found.result, found.id, found.code,
        found.said
    FROM unnest(%(kinds)s::text[], %(keys)s::text[], %(actions)s::text[], %(results)s::text[], %(ids)s::text[],
        %(codes)s::text[], %(said)s::text[]) AS found (kind, key, action, result, id, code, said)
    ON CONFLICT (target, kind, key) DO UPDATE SET submission = excluded.submission, action = excluded.action,
        result = excluded.result, id = excluded.id, code = excluded.code, said = excluded.said, at = now()
    WHERE known.submission <= excluded.submission
"""
_HAVE_RESULT: Final = """
    SELECT kind, key FROM reconciler_result WHERE target = %(target)s AND submission = %(submission)s
    AND (kind, key) IN (SELECT * FROM unnest(%(kinds)s::text[], %(keys)s::text[]))
"""
_FORGET: Final = """
    DELETE FROM reconciler_result WHERE target = %(target)s AND submission = %(submission)s AND kind = %(kind)s
    AND key = ANY(%(keys)s)
"""
_DOUBLED: Final = """
    SELECT key FROM reconciler_object WHERE target = %(target)s AND kind = %(kind)s AND key IS NOT NULL
    GROUP BY key HAVING count(*) > 1
"""
_STATUS: Final = """
    SELECT t.target, t.submission, t.total, t.surveyed_at IS NOT NULL, t.objects, t.orphans, t.failures,
        greatest(0, extract(epoch FROM t.paused_until - now()))::float8, coalesce(t.trouble, ''),
        extract(epoch FROM now() - t.submitted_at)::float8,
        extract(epoch FROM (
            SELECT max(r.at) FROM reconciler_result r WHERE r.target = t.target) - t.submitted_at)::float8,
        (SELECT coalesce(json_object_agg(outcome, n), '{}') FROM (
            SELECT CASE WHEN r.result IN ('done', 'already-applied') AND r.action = 'noop' THEN 'unchanged'
                ELSE r.result END AS outcome, count(*) AS n
            FROM reconciler_result r WHERE r.target = t.target AND r.submission = t.submission GROUP BY 1) counted)
    FROM reconciler_target t ORDER BY t.target
"""
_PROBLEMS: Final = """
    SELECT r.target, r.kind, r.key, r.result, r.code, r.said FROM reconciler_result r
    JOIN reconciler_target t ON t.target = r.target AND t.submission = r.submission
    WHERE r.code IS NOT NULL ORDER BY r.at DESC, r.kind, r.key LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class State:
    """A target's newest submission, how often in a row it could not be worked with, and how long it rests for that."""

    submission: int
    surveyed: bool
    failures: int
    trouble: str
    rests_seconds: float


@dataclass(frozen=True, slots=True)
class TargetProgress:
    """How far a target is. Times are in seconds: since it was submitted, and from then to the last result.

    `results` counts addresses by what became of them.
    """

    target: str
    submission: int
    total: int
    surveyed: bool
    objects: int
    orphans: int
    failures: int
    rests_seconds: float
    trouble: str
    age_seconds: float
    busy_seconds: float | None
    results: dict[str, int]

    @property
    def finished(self) -> bool:
        """Whether every address has a result, and the survey can take none of them back (or was given up)."""
        return sum(self.results.values()) >= self.total and (self.surveyed or bool(self.trouble))


@dataclass(frozen=True, slots=True)
class Problem:
    """An address that was not done, and why."""

    target: str
    address: Address
    result: str
    code: str
    message: str


class Ledger:
    """Submissions, results and rests. All of it raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def submit(self, target: str, total: int) -> int:
        """Begin a submission of so many addresses; its number. What is left of the one before is dropped."""
        row = self._database.one(_SUBMIT, {"target": target, "total": total})
        assert row is not None
        return int(row[0])

    def state(self, target: str) -> State:
        """Where a target stands; submission 0 where there was none."""
        row = self._database.one(_STATE, {"target": target})
        return State(*row) if row else State(0, False, 0, "", 0.0)

    def rest(self, target: str) -> float:
        """Seconds a target is to be left alone; below 0 for the one who may look whether it is well again."""
        if self._database.one(_ADMIT, {"target": target, "longest": LONGEST_PAUSE_SECONDS}):
            return -1.0
        row = self._database.one(_REST, {"target": target})
        return max(0.0, float(row[0])) if row else 0.0

    def failed(self, target: str, trouble: Diagnostic, *, probing: bool) -> float:
        """Take down that a target could not be worked with; seconds it rests."""
        pauses = {"longest": LONGEST_PAUSE_SECONDS, "first": FIRST_PAUSE_SECONDS, "probing": probing}
        summary = _clean(f"{trouble.summary} [{trouble.code}]")
        row = self._database.one(_FAILED, {"target": target, "trouble": summary, **pauses})
        return max(FIRST_PAUSE_SECONDS, float(row[0])) if row else FIRST_PAUSE_SECONDS

    def worked(self, target: str) -> None:
        """Take down that a target works."""
        self._database.run(_WORKED, {"target": target})

    def surveyed(self, target: str, submission: int, objects: int, orphans: int) -> None:
        """Open a submission's chunks to the workers: the whole target has been read."""
        self._database.run(
            _SURVEYED, {"target": target, "submission": submission, "objects": objects, "orphans": orphans}
        )

    def record(self, target: str, submission: int, outcomes: Iterable[Outcome]) -> None:
        """Keep what became of addresses; where an address has several outcomes, the worst."""
        worst: dict[Address, Outcome] = {}
        for outcome in outcomes:
            if outcome.address not in worst or outcome.error is not None:
                worst[outcome.address] = outcome
        if not worst:
            return
        kinds, keys, actions, results, ids, codes, messages = columns(map(_record, worst.values()), 7)
        values = {"kinds": kinds, "keys": keys, "actions": actions, "results": results}
        more = {"ids": ids, "codes": codes, "said": messages}
        self._database.run(_RECORD, {"target": target, "submission": submission} | values | more)

    def without_result(self, target: str, submission: int, addresses: Sequence[Address]) -> list[Address]:
        """The addresses that this submission has not got to yet."""
        kinds, keys = columns(addresses, 2)
        here = {"target": target, "submission": submission, "kinds": kinds, "keys": keys}
        have = {Address(kind, key) for kind, key in self._database.rows(_HAVE_RESULT, here)}
        return [address for address in addresses if address not in have]

    def forget_doubled(self, target: str, submission: int, kind: str) -> None:
        """Drop results of addresses that turned out to have several objects: they need a chunk after all."""
        keys = [key for (key,) in self._database.rows(_DOUBLED, {"target": target, "kind": kind})]
        if keys:
            self._database.run(_FORGET, {"target": target, "submission": submission, "kind": kind, "keys": keys})

    def progress(self) -> list[TargetProgress]:
        """How far each target is."""
        return [TargetProgress(*row) for row in self._database.rows(_STATUS)]

    def problems(self, most: int = 20) -> list[Problem]:
        """The last addresses that were not done."""
        rows = self._database.rows(_PROBLEMS, {"most": most})
        return [Problem(target, Address(kind, key), *rest) for target, kind, key, *rest in rows]


def _record(outcome: Outcome) -> tuple[object, ...]:
    error = outcome.error
    action, result = outcome.action.value, outcome.result.value
    trouble = (error.code.value, _clean(f"{error.summary} {error.hint}"[:1000])) if error else (None, None)
    return (*outcome.address, action, result, outcome.id, *trouble)


def _clean(text: str) -> str:
    """A text as PostgreSQL can hold it."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
