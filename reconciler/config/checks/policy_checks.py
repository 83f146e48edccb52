"""Checks manifests and plans against the policies, and reports each violation at its line.

Fails closed: whatever a policy refuses ends in at least one diagnostic, and a policy that cannot be evaluated refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from reconciler.config.checks.policy_files import Policies, Policy
from reconciler.config.message_text import closest, cut, dotted
from reconciler.config.schema.safe_regex import find_match
from reconciler.config.schema.schema_errors import SchemaError, most_relevant
from reconciler.config.schema.schema_messages import schema_diagnostics
from reconciler.config.schema.schemas import Schemas
from reconciler.config.syntax.document import Document
from reconciler.core.plan import Plan
from reconciler.core.values.model import Action, Change, Json, Manifest, Path
from reconciler.diagnostics import Code, Diagnostic, Source
from reconciler.drivers.provider import Provider
from reconciler.formats.dialect import compile_schema
from reconciler.formats.policy_input import change_document, refused, softened

# What `schema_diagnostics` can put into words without knowing why the policy asks for it.
_PLAIN: Final = frozenset(
    {"type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    | {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}
)


def check_manifests(
    policies: Policies, manifests: Iterable[Manifest], target: str, provider: Provider, schemas: Schemas
) -> list[Diagnostic]:
    """What the manifests for a target do against the policies over desired documents."""
    judge = _PolicyChecker(policies.all, target, provider, schemas)
    return [each for manifest in manifests for each in judge.desired(manifest)]


def check_plan(
    policies: Policies, plan: Plan, manifests: Iterable[Manifest], provider: Provider, schemas: Schemas
) -> Plan:
    """The plan with every change blocked that violates a policy, and with a diagnostic for each violation.

    It checks policies of manifests and of changes. A violation in a resource that needs no change blocks nothing.
    """
    if policies == Policies():
        return plan
    diagnostics = [*plan.diagnostics, *policies.warnings]
    judge = _PolicyChecker(policies.all, plan.target.name, provider, schemas)
    wanted = {manifest.address: manifest for manifest in manifests}
    changes: list[Change] = []
    for change in plan.changes:
        leaves = change.action in (Action.DELETE, Action.RELEASE)
        manifest = None if leaves else wanted.get(change.address)
        found = judge.desired(manifest) if manifest else []
        if change.action is not Action.NOOP:
            found += judge.change(change, manifest)
        changes.append(refused(change, found))
        diagnostics += softened(change, found)
    return replace(plan, changes=tuple(changes), diagnostics=tuple(dict.fromkeys(diagnostics)))


@dataclass(frozen=True, slots=True)
class _PolicySubject:
    """What a policy checks: the document, the places of its values, and which of them are secret."""

    address: str
    document: Document
    secret: frozenset[str]


class _PolicyChecker:
    """Policies, and what has to be known of the target to tell of what is not kept."""

    def __init__(self, policies: Sequence[Policy], target: str, provider: Provider, schemas: Schemas) -> None:
        self._policies = policies
        self._target = target
        self._provider = provider
        self._schemas = schemas
        self._secret: dict[str, frozenset[str]] = {}

    def desired(self, manifest: Manifest) -> list[Diagnostic]:
        """What the policies over desired documents refuse."""
        kind = manifest.address.kind
        policies = list(self._for("desired", kind))
        if not policies:
            return []
        body = dict(manifest.body)
        document = Document(body, manifest.source, dict(manifest.places))
        subject = _PolicySubject(str(manifest.address), document, self._secrets_of(kind))
        return [each for policy in policies for each in _violations(policy, policy.check(body), subject)]

    def change(self, change: Change, manifest: Manifest | None) -> list[Diagnostic]:
        """What the policies over changes refuse."""
        policies = list(self._for("change", change.address.kind))
        if not policies:
            return []
        value = change_document(change, self._target, manifest)
        source = change.source or (manifest.source if manifest else None)
        places = dict(manifest.places) if manifest else {}
        places |= {field.path: field.source for field in change.fields if field.source}
        document = Document(value, source or _NOWHERE, places)
        subject = _PolicySubject(str(change.address), document, self._secrets_of(change.address.kind))

        def place(path: Path) -> Path:
            return _path_in_body(path, change)

        return [
            each
            for policy in policies
            for each in _violations(policy, [_moved(one, place) for one in policy.check(value)], subject)
        ]

    def _for(self, over: str, kind: str) -> Iterator[Policy]:
        return (each for each in self._policies if each.over == over and each.is_for(kind, self._target))

    def _secrets_of(self, kind: str) -> frozenset[str]:
        """The fields of a kind that hold something sensitive."""
        if kind not in self._secret:
            fields = compile_schema(self._schemas.schema(self._provider.kinds[kind].schema))
            self._secret[kind] = frozenset(name for name, meaning in fields.items() if meaning.sensitive)
        return self._secret[kind]


_NOWHERE: Final = Source("", 0, 0)


def _path_in_body(path: Path, change: Change) -> Path:
    """A path in the document of a change as a path in the body. Paths that exist only in the document stay the same."""
    match path:
        case ("desired", *rest):
            return tuple(rest)
        case ("fields", int(index), "before" | "after", *rest):
            return (*change.fields[index].path, *rest)
        case ("fields", int(index), *_):
            return change.fields[index].path
    return path


def _moved(failure: SchemaError, place: Callable[[Path], Path]) -> SchemaError:
    context = tuple(_moved(each, place) for each in failure.context)
    return replace(failure, path=place(failure.path), context=context)


def _violations(policy: Policy, failures: list[SchemaError], subject: _PolicySubject) -> list[Diagnostic]:
    if not failures:
        return []
    violations = [each for failure in most_relevant(failures) for each in _violation(policy, failure, subject)]
    return list(dict.fromkeys(violations or [_violation_at(policy, subject, failures[0].path, "")]))


def _violation(policy: Policy, failure: SchemaError, subject: _PolicySubject) -> Iterator[Diagnostic]:
    """One failure in words; a text is never quoted for what a pattern found in it: that may be a secret."""
    if failure.keyword == "required":
        yield from _missing(policy, failure, subject)
    elif failure.keyword == "recursion":
        yield _violation_at(policy, subject, (), "it cannot be checked: its references are nested too deeply")
    elif failure.keyword in _PLAIN:
        if failure.path[:1] and failure.path[0] in subject.secret:
            failure = replace(failure, schema={**failure.schema, "x-sensitive": True})
        for each in schema_diagnostics([failure], subject.document, {}):
            yield _violation_at(policy, subject, failure.path, each.summary, each.detail, each.hint)
    else:
        yield _violation_at(policy, subject, failure.path, dotted(failure.path), at=_offset(failure))


def _missing(policy: Policy, failure: SchemaError, subject: _PolicySubject) -> Iterator[Diagnostic]:
    for name in failure.expected:
        if name not in failure.value:
            near = closest(name, failure.value)
            hint = f"did you mean {name} instead of {cut(near)}?" if near else ""
            yield _violation_at(policy, subject, failure.path, f"{dotted((*failure.path, name))} is missing", "", hint)


def _violation_at(
    policy: Policy,
    subject: _PolicySubject,
    path: Path,
    what: str,
    expected: str = "",
    hint: str = "",
    at: tuple[str, int] | None = None,
) -> Diagnostic:
    place = subject.document.place(path)
    return Diagnostic(
        severity=policy.severity,
        code=Code.POLICY,
        summary=f"policy {policy.name}: {policy.title}" + (f" ({what})" if what else ""),
        detail=expected,
        hint=policy.advice or hint,
        source=None if place == _NOWHERE else _exact(place, at),
        address=subject.address,
    )


def _offset(failure: SchemaError) -> tuple[str, int] | None:
    """The text and where in it a pattern that must not match does."""
    if failure.keyword != "not" or failure.in_key or not isinstance(failure.value, str):
        return None
    for pattern in _patterns(failure.expected):
        if (at := find_match(pattern, failure.value)) is not None:
            return failure.value, at
    return None


def _patterns(schema: Json) -> Iterator[str]:
    if isinstance(schema, dict):
        if "pattern" in schema:
            yield schema["pattern"]
        for each in schema.get("anyOf", ()):
            yield from _patterns(each)


def _exact(place: Source, at: tuple[str, int] | None) -> Source:
    """The place inside a text that has its file's own lines (those begin in column 1), else where the text begins."""
    if at is None or place.column != 1:
        return place
    before = at[0][: at[1]]
    return Source(place.file, place.line + before.count("\n"), len(before) - before.rfind("\n"))
