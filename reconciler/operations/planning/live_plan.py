"""Reading a target and planning against it: what `plan`, `apply` and `drift` share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler import allocator
from reconciler.config.checks.policy_checks import check_plan
from reconciler.config.checks.policy_files import load_policies
from reconciler.config.errors import warning
from reconciler.config.manifests.load import Loaded
from reconciler.core.plan import Plan, Scope, TargetIdentity, make_plan
from reconciler.diagnostics import Code, Diagnostic
from reconciler.engine.snapshot import Snapshot
from reconciler.operations.planning.compare_files import compare
from reconciler.operations.planning.git_base import DEFAULT_CHOICES, DriftChoices, base_source, files_at, git_ref
from reconciler.operations.planning.referenced_members import referenced_members, with_users_read
from reconciler.operations.project.session import Session


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and what it was made from."""

    plan: Plan
    snapshot: Snapshot
    loaded: Loaded


def plan_live(
    session: Session,
    addresses: Sequence[str],
    allow_deletes: int | None,
    choices: DriftChoices = DEFAULT_CHOICES,
    loaded: Loaded | None = None,
) -> Planned:
    """Load the files unless they are, read the target, and plan. Raises ConfigError and RemoteError."""
    allocator.return_freed_memory()
    loaded = loaded or session.load(lean=True)
    policies = load_policies(session.root, session.settings, session.schemas)
    scope = session.scope(addresses, loaded, allow_deletes, choices.policy)
    base, diagnostics = base_source(session, choices)
    kinds = {address.kind for m in loaded.manifests for address in (m.address, *m.refs.values())}
    members = referenced_members(session, loaded.manifests)
    snapshot = session.refresh(kinds, orphans=scope.only is None, wanted=loaded.manifests, members=members)
    scope = replace(scope, unresolved=session.unresolved())
    diagnostics = (*diagnostics, *_left_unresolved(scope, loaded))
    plan = make_plan(session.identity, scope, loaded.digest, loaded.manifests, snapshot.observed, base)
    if (seen := with_users_read(session, plan, snapshot, loaded.manifests)) is not snapshot:
        snapshot = seen
        plan = make_plan(session.identity, scope, loaded.digest, loaded.manifests, snapshot.observed, base)
    plan = replace(plan, diagnostics=(*diagnostics, *plan.diagnostics))
    return Planned(check_plan(policies, plan, loaded.manifests, session.provider, session.schemas), snapshot, loaded)


def _left_unresolved(scope: Scope, loaded: Loaded) -> Iterator[Diagnostic]:
    """Creates whose answer was lost, and whose manifest has left: what they may have made is nobody's."""
    keys = {(m.address.kind, key) for m in loaded.manifests for key in (m.address.key, m.moved_from)}
    for address in sorted(scope.unresolved if scope.only is None else ()):
        if (address.kind, address.key) not in keys:
            hint = f"delete it by hand if it is there, then `reconciler release {address} --lost-create`"
            summary = f"the response to a create of {address} was lost, and it no longer has a manifest"
            yield warning(Code.UNRESOLVED_CREATE, summary, None, hint=hint)


def plan_against(
    session: Session, addresses: Sequence[str], against: str, allow_deletes: int | None
) -> tuple[Plan, Loaded]:
    """Load the files as they are and as a commit has them, and plan from one to the other: no network, no credential.

    `against` is git:REF. Raises ConfigError and InvalidArgument.
    """
    ref = git_ref(against, "--against")
    loaded, earlier = session.load(), files_at(session, ref)
    policies = load_policies(session.root, session.settings, session.schemas)
    warnings: tuple[Diagnostic, ...] = ()
    if not earlier.ok:
        summary = f"the files at git:{ref} have errors: what could not be read is shown as new"
        warnings = (warning(Code.BASE_UNKNOWN, summary, None),)
    url = session.target.url or session.provider.url or ""
    plan = compare(
        TargetIdentity(session.target.name, session.provider.name, url),
        session.scope(addresses, loaded, allow_deletes),
        loaded.digest,
        earlier.manifests,
        loaded.manifests,
        [on_target.kind for on_target in session.kinds],
        f"git:{ref}",
    )
    plan = replace(plan, complete=earlier.ok, diagnostics=(*warnings, *plan.diagnostics))
    return check_plan(policies, plan, loaded.manifests, session.provider, session.schemas), loaded
