"""Taking up a saved plan: it fits one target, one owner and one state of the files, or it is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.config.checks.policy_checks import check_plan
from reconciler.config.checks.policy_files import load_policies
from reconciler.config.errors import ConfigError, error
from reconciler.config.manifests.load import Loaded
from reconciler.core.last_applied import BaseSource
from reconciler.core.matching.index import Observation
from reconciler.core.plan import Plan, Scope, TargetIdentity, make_plan, match_all, without_kept, world_of
from reconciler.core.references import has_place, refuse_used
from reconciler.core.rules.change_rules import refusal
from reconciler.core.rules.consistency import find_mismatch
from reconciler.core.rules.guard import guard, release_guard
from reconciler.core.rules.world import World
from reconciler.core.values.model import Action, Change, Removal
from reconciler.diagnostics import Code, Diagnostic
from reconciler.engine.snapshot import Snapshot
from reconciler.engine.stale_check import StalePlan, bound_objects
from reconciler.formats.redact import restore
from reconciler.operations.planning.referenced_members import with_users_read
from reconciler.operations.project.session import Session
from reconciler.render.escape import visible


def load_saved_plan(session: Session, plan: Plan, allow_deletes: int | None) -> tuple[Plan, Snapshot]:
    """A plan that was made some time ago, ready to be carried out, and what is live now.

    A plan that rolls back is not of the files' making, so the files may say anything. Raises ConfigError where the plan
    is for another target or owner, or holds what no plan does, and StalePlan where the files say something else by now.
    """
    _check_target(session, plan, replace(plan.target, account=session.identity.account))
    loaded = None if plan.rollback else session.load()
    written = {(c.address.kind, c.id, unit[0]) for c in plan.changes for unit in c.units}
    if loaded is not None and loaded.digest != plan.config_digest:
        raise StalePlan((_stale("the files have changed since the plan was made"),))
    _check_changes(session, plan)
    manifests = loaded.manifests if loaded else ()
    snapshot = session.refresh(
        _kinds(plan, loaded),
        members=lambda kind, name, live: (kind.name, live.id, name) in written,
        manifests=manifests,
    )
    _check_target(session, plan, plan.target)
    snapshot = with_users_read(session, plan, snapshot, manifests)
    scope = session.scope((), loaded, allow_deletes, plan.policy)
    scope = replace(scope, owner=plan.owner, unresolved=session.unresolved())
    if sealed := plan.sealed:
        again = make_plan(plan.target, scope, "", manifests, snapshot.observed, BaseSource())
        plan = _restored(plan, again, snapshot.observed)
    world = world_of(scope, match_all(scope, manifests, snapshot.observed))
    _check_shown(plan, world, sealed=sealed)
    plan = _judged(session, plan, loaded)
    managed = sum(len(found.managed) for found in world.found.values())
    changes = guard(release_guard(plan.changes, allow_deletes), managed, allow_deletes, world.found)
    plan = replace(plan, changes=tuple(without_kept(refuse_used(changes, snapshot.observed))[0]))
    _check_prune(plan, scope)
    _check_world(plan, replace(world, bound=world.bound | bound_objects(plan)))
    return plan, snapshot


def _check_world(plan: Plan, world: World) -> None:
    """Refuse a plan of which something must not happen by now, although it might when it was made. Raises StalePlan."""
    refused = [(change, refusal(change, world)) for change in plan.changes if change.is_due]
    if stale := [_stale(f"{change.address}: {block.hint}") for change, block in refused if block]:
        raise StalePlan(tuple(stale))


def _check_shown(plan: Plan, world: World, *, sealed: bool) -> None:
    """Refuse a plan that does other things than it shows. Raises ConfigError."""
    for change in plan.changes:
        found = world.found.get(change.address.kind)
        if found is None or not change.is_due:
            continue
        replaced = [each.live for each in found.candidates(change.address.key) if each.live.id in change.replaces]
        live = found.by_id.get(change.id or "") or next(reversed(replaced), None)
        if wrong := find_mismatch(change, found.kind, live, plan.owner, sealed=sealed):
            summary = f"the plan cannot be applied: {change.action} {change.address}: {wrong}"
            hint = "it was edited: create it again with `reconciler plan --out`"
            raise ConfigError([error(Code.BAD_PLAN_FILE, summary, None, hint=hint)])


def _check_prune(plan: Plan, scope: Scope) -> None:
    """Refuse deletes of what has no manifest where the settings do not ask for them. Raises StalePlan."""
    pruned = [c for c in plan.changes if c.is_due and c.action is Action.DELETE and c.removal is Removal.ORPHAN]
    if pruned and not (scope.prune or plan.rollback):
        raise StalePlan(tuple(_stale(f"{change.address}: `prune: none` deletes nothing") for change in pruned))


def _check_target(session: Session, plan: Plan, expected: TargetIdentity) -> None:
    """Refuse a plan for another target; the account is known once the target has been read."""
    if (expected, plan.owner) != (session.identity, session.owner):
        summary = f"the plan is for {_target_text(plan.target, plan.owner)}"
        detail = f"this is {_target_text(session.identity, session.owner)}"
        other = expected.name != session.identity.name
        hint = f"choose its target with --target {visible(expected.name)}, or plan again" if other else "plan again"
        raise ConfigError([error(Code.BAD_PLAN_FILE, summary, None, detail, hint)])


def _check_changes(session: Session, plan: Plan) -> None:
    """Refuse what no plan of this target holds: somebody wrote it by hand, digest and all."""
    unknown = sorted(_kinds(plan, None) - {each.kind.name for each in session.kinds})
    wrong = [f"the target has no kind {visible(kind)}" for kind in unknown]
    numbers = {change.number for change in plan.changes}
    if len(numbers) < len(plan.changes):
        wrong.append("two changes have the same number")
    for change in plan.changes:
        if change.patch is None and change.is_due and change.action is not Action.DELETE and not plan.sealed:
            wrong.append(f"the desired state of {change.address} is missing")
        if change.patch is not None and not all(has_place(change.patch, path) for path, _ in change.refs):
            wrong.append(f"{change.address} has a reference at a place that does not exist")
        if change.former_owner is not None:
            wrong.append(f"{change.address} is taken over from another owner, which a saved plan cannot do")
        if change.patch is not None and plan.sealed:
            wrong.append(f"{change.address} has values, but the plan is sealed")
        if change.action is Action.RELEASE and change.removal is None and not plan.rollback:
            wrong.append(f"{change.address} is released without a reason")
        if not _has_entries(session, change):
            wrong.append(f"{change.address} has entries that are not valid")
        if not numbers.issuperset(change.needs):
            wrong.append(f"{change.address} waits for a change that is not in the plan")
    if wrong:
        hint = "create it again with `reconciler plan --out`"
        raise ConfigError([error(Code.BAD_PLAN_FILE, f"the plan cannot be applied: {wrong[0]}", None, hint=hint)])


def _has_entries(session: Session, change: Change) -> bool:
    """Whether the patch of every managed map has entries as they are put in, or null."""
    members = next((each.members for each in session.kinds if each.kind.name == change.address.kind), {})
    patch = change.patch or {}
    maps = [(style.id_field, patch[name]) for name, style in members.items() if name in patch]
    return all(
        isinstance(entries, dict)
        and all(e is None or (isinstance(e, dict) and isinstance(e.get(id_field), str)) for e in entries.values())
        for id_field, entries in maps
    )


def _kinds(plan: Plan, loaded: Loaded | None) -> set[str]:
    """The kinds a plan is about, and those that its changes, or their manifests, refer to."""
    changed = {change.address for change in plan.changes}
    manifests = (m for m in (loaded.manifests if loaded else ()) if m.address in changed)
    named = {address.kind for manifest in manifests for address in manifest.refs.values()}
    return named | {at.kind for c in plan.changes for at in (c.address, *(at for _, at in c.refs))}


def _judged(session: Session, plan: Plan, loaded: Loaded | None) -> Plan:
    """The plan checked with the current policies: a policy may be new, and a plan may be written by hand."""
    policies = load_policies(session.root, session.settings, session.schemas)
    manifests = loaded.manifests if loaded else ()
    return check_plan(policies, plan, manifests, session.provider, session.schemas)


def _restored(plan: Plan, again: Plan, observed: Sequence[Observation]) -> Plan:
    plan, lost = restore(plan, again, observed)
    if lost:
        why = "the files and the target no longer match the sealed plan"
        raise StalePlan(tuple(_stale(f"{change.address}: {why}") for change in lost))
    return plan


def _stale(summary: str) -> Diagnostic:
    return error(Code.STALE_PLAN, f"the plan is stale: {summary}", None, "", "plan again and review what changed")


def _target_text(target: TargetIdentity, owner: str) -> str:
    account = f", account {target.account}" if target.account else ""
    return f"target {target.name} ({target.provider}, {target.url}{account}), owner {owner}"
