"""Taking up a saved plan: it fits one target, one owner and one state of the files, or it is refused."""

from __future__ import annotations

import pathlib
from dataclasses import replace

from reconciler.commands.reading import users_seen
from reconciler.commands.session import Session
from reconciler.config.errors import ConfigError, error
from reconciler.config.judging import judge_plan
from reconciler.config.load import Loaded
from reconciler.config.policies import load_policies
from reconciler.core.dependencies import needed, without_broken, without_kept, without_used
from reconciler.core.model import (
    Action,
    Json,
    Path,
    Plan,
    Reason,
    TargetIdentity,
)
from reconciler.core.pairing import index
from reconciler.core.policy import refuse_unresolved, release_guard
from reconciler.core.seal import unsealed
from reconciler.diagnostics import Code, Diagnostic
from reconciler.engine import planfile
from reconciler.engine.apply import StalePlan
from reconciler.engine.observe import Snapshot
from reconciler.render.visible import visible


def saved_plan(session: Session, file: pathlib.Path, allow_deletes: int | None) -> tuple[Plan, Snapshot]:
    """The plan in a file, ready to be carried out, and what is live now. Raises what `load_saved_plan` raises."""
    return load_saved_plan(session, planfile.load(session.root / file), allow_deletes)


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
    _check_orphans(plan, loaded)
    sight = session.refresh(_kinds(plan), members=lambda kind, name, live: (kind.name, live.id, name) in written)
    _check_target(session, plan, plan.target)
    sight = users_seen(session, plan, sight)
    if plan.sealed and loaded is not None:
        plan = _unsealed(session, plan, loaded, sight)
    plan = _judged(session, plan, loaded)
    wanted = {manifest.address: manifest for manifest in loaded.manifests} if loaded else {}
    held = refuse_unresolved(release_guard(plan.changes, allow_deletes), wanted, session.unresolved())
    changes, _ = without_kept(without_used(without_broken(held), sight.observed))
    return replace(plan, changes=tuple(changes)), sight


def _check_target(session: Session, plan: Plan, expected: TargetIdentity) -> None:
    """Refuse a plan for another target; the account is known once the target has been read."""
    if (expected, plan.owner) != (session.identity, session.owner):
        summary = f"the plan is for {_told(plan.target, plan.owner)}"
        detail = f"this is {_told(session.identity, session.owner)}"
        other = expected.name != session.identity.name
        hint = f"choose its target with --target {visible(expected.name)}, or plan again" if other else "plan again"
        raise ConfigError([error(Code.BAD_PLAN_FILE, summary, None, detail, hint)])


def _check_changes(session: Session, plan: Plan) -> None:
    """Refuse what no plan of this target holds: somebody wrote it by hand, digest and all."""
    unknown = sorted(_kinds(plan) - {each.kind.name for each in session.kinds})
    wrong = [f"the target has no kind {visible(kind)}" for kind in unknown]
    for change in plan.changes:
        if change.patch is None and change.is_due and change.action is not Action.DELETE and not plan.sealed:
            wrong.append(f"nothing is said of what {change.address} is to be")
        if change.patch is not None and not all(_is_in(change.patch, path) for path, _ in change.refs):
            wrong.append(f"{change.address} refers to another where nothing is")
    if wrong:
        hint = "make it again with `reconciler plan --out`"
        raise ConfigError([error(Code.BAD_PLAN_FILE, f"the plan cannot be applied: {wrong[0]}", None, hint=hint)])


def _check_orphans(plan: Plan, loaded: Loaded | None) -> None:
    """Refuse to remove what got a manifest for another target since the plan was made."""
    elsewhere = loaded.elsewhere if loaded else frozenset()
    taken = (c.address for c in plan.changes if Reason.ORPHAN in c.reasons and c.is_due and c.address in elsewhere)
    if stale := tuple(_stale(f"{address} has a manifest for another target by now") for address in taken):
        raise StalePlan(stale)


def _is_in(value: Json, path: Path) -> bool:
    """Whether there is a value at a path that leads through maps and lists."""
    for step in path:
        within = isinstance(value, dict) and step in value
        if not (within or (isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value))):
            return False
        value = value[step]
    return bool(path)


def _kinds(plan: Plan) -> set[str]:
    """The kinds a plan is about, and those its changes refer to."""
    return {address.kind for c in plan.changes for address in (c.address, *needed(c))}


def _judged(session: Session, plan: Plan, loaded: Loaded | None) -> Plan:
    """The plan held against the policies as they are now: one may be new, and a plan may be written by hand."""
    policies = load_policies(session.root, session.settings, session.schemas)
    manifests = loaded.manifests if loaded else ()
    return judge_plan(policies, plan, manifests, session.provider, session.schemas)


def _unsealed(session: Session, plan: Plan, loaded: Loaded, sight: Snapshot) -> Plan:
    found = {o.kind.name: index(o.kind, o.objects, plan.owner) for o in sight.observed}
    manifests = {manifest.address: manifest for manifest in loaded.manifests}
    plan, lost = unsealed(plan, manifests, found, digests=session.digests)
    if lost:
        said = (
            f"{change.address}: the files and the target do not give the sealed contents any more" for change in lost
        )
        raise StalePlan(tuple(_stale(each) for each in said))
    return plan


def _stale(summary: str) -> Diagnostic:
    return error(Code.STALE_PLAN, f"the plan is stale: {summary}", None, "", "plan again and review what changed")


def _told(target: TargetIdentity, owner: str) -> str:
    account = f", account {target.account}" if target.account else ""
    return f"target {target.name} ({target.provider}, {target.url}{account}), owner {owner}"
