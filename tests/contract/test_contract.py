"""The contract: what every kind of every provider has to do. A new provider needs a description here, and no test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from reconciler.config.schema.schemas import shipped
from reconciler.core.matching.index import index, mark_text
from reconciler.core.matching.match import match
from reconciler.core.ownership import Ownership
from reconciler.core.plan import Plan
from reconciler.core.values.model import ABSENT, Action, Blocker, Body, Reason
from reconciler.core.values.semantics import Kind, can_clear, is_mark, meaning_of, same, units
from reconciler.core.verify import planned_writes
from reconciler.diagnostics import Code
from reconciler.formats.outcome import Result
from tests.contract.account import Account, due
from tests.contract.sites import Case, Site, cases, opened, scratch

EXAMPLES = 6
contract = settings(
    deadline=None,
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.generate],  # one of the servers is real: no minutes of shrinking
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(params=cases(), ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def site(case: Case) -> Iterator[Site]:
    with opened(case) as found:
        yield found


def settled(account: Account, files: dict[str, Body]) -> None:
    """Nothing is left to do."""
    assert [(c.address, c.action, c.patch, c.blocked) for c in due(account.plan(files))] == []


def done(account: Account, files: dict[str, Body]) -> None:
    """Carried out, without findings, and nothing is left to do."""
    outcomes = account.apply(files)
    assert [(o.result, o.error) for o in outcomes if o.result is not Result.DONE] == []
    assert [finding.summary for outcome in outcomes for finding in outcome.findings] == []
    settled(account, files)


def possible(account: Account, plan: Plan) -> None:
    """Go on where the remote has a request for what is planned; where it has none, that was said by now."""
    blocked = {change.blocked.by for change in plan.changes if change.blocked}
    assert blocked <= {Blocker.INEXPRESSIBLE, Blocker.IMMUTABLE}
    if blocked:
        account.apply({})
    assume(not blocked)


def differing(kind: Kind, wanted: Body, shown: Body) -> list[Any]:
    """The units of a body that an object does not have."""
    found = units(kind, shown)
    return [
        (unit, value, found.get(unit))
        for unit, value in units(kind, wanted).items()
        if not meaning_of(kind, unit).uncompared and not same(meaning_of(kind, unit), value, found.get(unit))
    ]


def test_every_kind_of_every_provider_is_tried_here() -> None:
    providers = [shipped().provider(name) for name in shipped().provider_names()]
    speaking = {
        (each.name, name)
        for each in providers
        for name, kind in each.kinds.items()
        if not (each.embedded or kind.upload)  # what is uploaded has bodies of another sort: tests/laws, tests/cli
    }
    assert speaking <= {(case.provider, case.kind) for case in cases()}


@contract
@given(data=st.data())
def test_a_body_is_made_changed_and_removed_and_each_time_nothing_is_left_to_do(
    case: Case, site: Site, data: st.DataObject
) -> None:
    first, second = data.draw(case.bodies), data.draw(case.bodies)
    with scratch() as directory:
        account = Account(site, directory)
        done(account, {"a": first})
        id = account.id_of("a")
        assert differing(account.kind, first, site.read(id)) == []
        plan = account.plan({"a": second})
        possible(account, plan)
        before = site.read(id)
        assert {outcome.result for outcome in account.carry_out(plan)} <= {Result.DONE}
        settled(account, {"a": second})
        assert account.id_of("a") == id
        assert differing(account.kind, second, site.read(id)) == []
        for change in due(plan):
            coupled = {field.path for field in change.fields if field.reason is Reason.COUPLED}
            for unit, value in planned_writes(change, account.kind).items():
                wanted = None if value is ABSENT else value
                live = units(account.kind, before).get(unit)
                if not is_mark(account.kind, unit) and unit not in coupled:
                    assert not same(meaning_of(account.kind, unit), wanted, live), f"{unit} was sent unchanged"
        account.apply({})
        settled(account, {})
        assert id not in {live.id for live in account.see().objects}


@contract
@given(data=st.data())
def test_what_leaves_the_file_is_cleared_or_said_to_stay(case: Case, site: Site, data: st.DataObject) -> None:
    full = data.draw(case.bodies)
    least = {name: value for name, value in full.items() if name in case.schema.get("required", ())}
    with scratch() as directory:
        account = Account(site, directory)
        done(account, {"a": full})
        plan = account.plan({"a": least})
        possible(account, plan)
        given_up = [unit for unit in units(account.kind, full) if unit[0] not in least]
        stays = {each.summary.split(" ")[0] for each in plan.diagnostics if each.code is Code.CANNOT_CLEAR}
        account.carry_out(plan)
        settled(account, {"a": least})
        shown = units(account.kind, site.read(account.id_of("a")))
        for unit in given_up:
            meaning = meaning_of(account.kind, unit)
            if not can_clear(account.kind, unit):
                assert ".".join(unit) in stays or same(meaning, None, shown.get(unit))
            elif not meaning.uncompared:
                cleared = None if len(unit) > 1 and account.kind.maps != "merge" else meaning.on_remove
                assert same(meaning, cleared, shown.get(unit))
        account.apply({})


def test_a_list_of_many_objects_is_read_to_its_end_each_once(case: Case, site: Site) -> None:
    body = case.least()
    made = [site.make(with_name(case, body, f"n{number}")) for number in range(230)]
    with scratch() as directory:
        account = Account(site, directory)
        listed = [live["id"] for live in account.driver.list(case.kind)]
        assert len(listed) == len(set(listed))
        assert set(made) <= set(listed)
        for id in made:
            site.remove(id)
        assert not set(made) & {live["id"] for live in account.driver.list(case.kind)}


def test_others_keep_what_is_theirs_and_the_mark_survives_them(case: Case, site: Site) -> None:
    body = case.least()
    with scratch() as directory:
        account = Account(site, directory)
        field = None if account.kind.marked_beside else account.kind.mark_field
        if field is None:
            pytest.skip("its objects have no map for marks and labels")
        done(account, {"a": body | {field: {"ours": "1"}}})
        id = account.id_of("a")
        whole = case.vendor["kinds"][case.kind].get("hands_send_whole_maps", True)
        before = site.read(id)[field] if whole else {}
        site.edit(id, {field: {**before, "theirs": "kept"}})
        settled(account, {"a": body | {field: {"ours": "1"}}})
        done(account, {"a": body | {field: {"ours": "2"}}})
        assert site.read(id)[field] | {"reconciler": ""} == {"ours": "2", "theirs": "kept", "reconciler": ""}
        done(account, {"a": body})
        kept = {name: value for name, value in site.read(id)[field].items() if value is not None}
        assert kept | {"reconciler": ""} == {"theirs": "kept", "reconciler": ""}
        account.apply({})


def test_a_released_object_keeps_all_but_the_mark(case: Case, site: Site) -> None:
    body = case.least()
    with scratch() as directory:
        account = Account(site, directory)
        done(account, {"a": body})
        id, plan = account.id_of("a"), account.plan({})
        found = index(account.kind, account.see().objects, "acme")
        release = Ownership(match(found, {}), "acme").release("a")
        assert release is not None
        outcomes = account.carry_out(replace(plan, changes=(release,)))
        assert [(o.action, o.result, o.findings) for o in outcomes] == [(Action.RELEASE, Result.DONE, ())]
        (live,) = (live for live in account.see().objects if live.id == id)
        assert mark_text(account.kind, live) in (None, "")
        assert differing(account.kind, body, live.body) == []
        site.remove(id)


def with_name(case: Case, body: Body, name: str) -> Body:
    field = case.schemas.provider(case.provider).kinds[case.kind].name_field
    return body | {field: name} if field else body
