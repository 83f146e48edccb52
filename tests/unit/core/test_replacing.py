"""What cannot be changed is replaced: made first, used first, and the old one goes last, if nothing uses it."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.matching.index import Observation, index
from reconciler.core.matching.match import How, match
from reconciler.core.ownership import Ownership
from reconciler.core.values.model import Blocker, Reason, Removal
from reconciler.core.verify import AlreadyApplied, Ready, Stale, check
from reconciler.formats.outcome import Outcome, Result
from reconciler.formats.redact import redact, restore
from reconciler.operations.applying.rollback import rollback
from tests.unit.core.build import OWNER, manifest
from tests.unit.core.filed import BOT, PAPER, SHELF, due, entry, filed, of, on_paper, on_shelf, paper, shelf
from tests.unit.core.linked import bot


def test_the_same_content_is_the_same_object_and_a_mark_is_never_rewritten() -> None:
    plan = filed([paper("a")], [on_paper("p1", "a")])
    assert due(plan) == []


def test_other_content_is_another_object_and_the_old_one_goes_once_nothing_uses_it() -> None:
    live = [on_paper("p1", "a", "old")]
    held = [on_shelf("s1", "s", [entry("p1", "a")])]
    plan = filed([paper("a", "new"), shelf("s", {"a": {}})], live, held)
    assert due(plan) == ["create paper/a", "update store/s s1", "delete paper/a p1"]
    made, put, gone = (change for change in plan.changes)
    assert made.reasons == (Reason.REPLACE,)
    assert [(field.path, field.before, field.after) for field in made.fields] == [(("text",), "old", "new")]
    assert put.patch == {"papers": {"a": {"paper": "(known after apply: paper/a)"}}}
    assert [path for path, _ in put.refs] == [("papers", "a", "paper")]
    assert gone.needs == (made.number, put.number)
    assert (gone.removal, made.replaces) == (Removal.REPLACED, ("p1",))


def test_replacing_needs_no_prune_and_is_not_counted_by_the_guard() -> None:
    live = [on_paper(f"p{n}", str(n), "old") for n in range(3)]
    plan = filed([paper(str(n), "new") for n in range(3)], live)
    assert sum(change.action == "delete" and change.is_due for change in plan.changes) == 3


def test_an_old_version_that_something_goes_on_using_stays_and_that_is_told() -> None:
    theirs = on_shelf("s9", "theirs", [entry("p1", "a")], labels={})
    plan = filed(
        [paper("a", "new")], [on_paper("p1", "a", "old")], [replace(theirs, body={**theirs.body, "labels": {}})]
    )
    assert due(plan) == ["create paper/a"]
    (said,) = plan.diagnostics
    assert said.code == "RC0417"
    assert "store s9 still uses it" in said.summary


def test_an_old_version_that_somebody_copied_stays_and_that_is_told() -> None:
    old, copy = on_paper("p1", "a", "old", nonce="n1"), on_paper("p2", "b", "old", 2, nonce="n1")
    plan = filed([paper("a", "new")], [old, copy])
    assert due(plan) == ["create paper/a"]
    (told,) = (each for each in plan.diagnostics if each.code == "RC0417")
    assert "p1 has been replaced and stays for now: p2 is a copy of it" in told.summary


def test_an_old_version_stays_without_a_word_where_nothing_can_take_its_place() -> None:
    newer = on_paper("p2", "a", "other", 2)
    newer = replace(newer, body={**newer.body, "mark": {"reconciler": f"2 {OWNER} a n9"}})
    plan = filed([paper("a", "new")], [on_paper("p1", "a", "old"), newer])
    assert [(change.action, change.blocked and change.blocked.by) for change in plan.changes] == [
        ("create", Blocker.READ_ONLY_MARK)
    ]
    assert "RC0417" not in [each.code for each in plan.diagnostics]


def test_an_old_version_left_by_a_killed_apply_goes_with_the_next_one() -> None:
    live = [on_paper("p1", "a", "old"), on_paper("p2", "a", "new", 2)]
    held = [on_shelf("s1", "s", [entry("p2", "a")])]
    plan = filed([paper("a", "new"), shelf("s", {"a": {}})], live, held)
    assert due(plan) == ["delete paper/a p1"]
    assert of(plan, "paper/a", "delete").reasons == (Reason.REPLACED,)


def test_duplicates_of_one_content_leave_the_older_one() -> None:
    live = [on_paper("p1", "a", created=1), on_paper("p2", "a", created=2)]
    plan = filed([paper("a")], live, prune=True, allow_deletes=1)
    assert due(plan) == ["delete paper/a p2"]
    assert of(plan, "paper/a", "delete").reasons == (Reason.DUPLICATE,)


def test_the_old_version_stays_where_the_new_one_may_not_be_made() -> None:
    copied = on_paper("p3", "b", "other", created=3, nonce="p1")
    plan = filed([paper("a", "new")], [on_paper("p1", "a", "old"), copied])
    blocked = of(plan, "paper/a", "delete") if len(plan.changes) > 1 else None
    assert blocked is None or blocked.blocked is None or blocked.blocked.by is Blocker.COPY


def test_a_renamed_one_is_known_by_its_content() -> None:
    moved = manifest("x/a", {"text": "a", "title": "a.txt"}, PAPER)
    live = [on_paper("p1", "a"), on_paper("p2", "z")]
    assert due(filed([moved], live)) == []
    assert match(index(PAPER, live, OWNER), {"x/a": moved}).ids == {moved.address: "p1"}
    twice = [moved, manifest("y/a", {"text": "a", "title": "a.txt"}, PAPER)]
    paired = match(index(PAPER, live, OWNER), {m.address.key: m for m in twice}).pairs
    assert [pair.how for pair in paired.values()] == [How.CONTENT, How.NEW]
    assert due(filed(twice, live)) == ["create paper/y/a"]


def test_content_that_lost_its_manifest_is_not_uploaded_again() -> None:
    again = replace(on_paper("p2", "z", "new"), body={**on_paper("p2", "z", "new").body, "title": "a.txt"})
    assert due(filed([paper("a", "new")], [on_paper("p1", "a", "old"), again])) == ["delete paper/a p1"]


def test_a_newer_mark_of_the_key_is_not_doubled() -> None:
    newer = replace(on_paper("p1", "a"), body={"id": "p1", "mark": {"reconciler": f"9 {OWNER} a more"}})
    plan = filed([paper("a")], [newer])
    assert of(plan, "paper/a").blocked is not None


def test_ownership_cannot_be_put_on_or_taken_off() -> None:
    found = index(PAPER, [on_paper("p1", "a"), on_paper("p2", "b", owner="them")], OWNER)
    ownership = Ownership(match(found, {"a": paper("a"), "b": paper("b")}), OWNER)
    refused = [ownership.adopt(paper("a"), "p1"), ownership.release("a")]
    assert [change.blocked.by for change in refused if change and change.blocked] == [Blocker.IMMUTABLE] * 2
    assert ownership.take_over(paper("b"), "them") is None


def test_a_saved_replacement_is_ready_then_applied_and_stale_beside_a_third() -> None:
    old = on_paper("p1", "a", "old")
    change = of(filed([paper("a", "new")], [old]), "paper/a", "create")
    assert isinstance(check(change, index(PAPER, [old], OWNER)), Ready)
    new, other = on_paper("p2", "a", "new", 2), on_paper("p3", "a", "third", 2)
    new = replace(new, body={**new.body, "mark": {"reconciler": f"1 {OWNER} a n2 - -"}})
    assert check(change, index(PAPER, [old, new], OWNER)) == AlreadyApplied("p2")
    assert isinstance(check(change, index(PAPER, [old, other], OWNER)), Stale)


def test_an_expired_one_is_told_and_left_and_renewed_where_its_manifest_says_so() -> None:
    files = [paper("a"), shelf("s", {"a": {}}), bot("b", refs={("store",): "store/s"})]
    live = [on_paper("p1", "a")]
    over = on_shelf("s1", "s", status="expired")
    plan = filed(files[:2], live, [over])
    assert due(plan) == []
    assert [said.code for said in plan.diagnostics] == ["RC0418"]
    renewed = replace(files[1], renew=True)
    plan = filed([files[0], renewed, files[2]], live, [over])
    assert due(plan) == ["create store/s", "create bot/b", "delete store/s s1"]
    assert of(plan, "store/s", "create").reasons == (Reason.EXPIRED,)
    made, gone = of(plan, "store/s", "create"), of(plan, "store/s", "delete")
    assert (gone.needs, gone.removal, made.replaces) == ((made.number,), Removal.REPLACED, ("s1",))


def test_what_was_renewed_stays_when_the_rest_is_rolled_back() -> None:
    over = on_shelf("s1", "s", status="expired")
    plan = filed([shelf("s", renew=True)], [], [over])
    assert due(plan) == ["create store/s", "delete store/s s1"]
    found = {kind.name: index(kind, objects, OWNER) for kind, objects in ((PAPER, []), (SHELF, [over]), (BOT, []))}
    made = {"id": "s2", "title": "s"}
    outcomes = [
        Outcome(c.address, c.action, Result.DONE, c.id or "s2", after=made, number=c.number) for c in plan.changes
    ]
    undone = rollback(plan, found, outcomes)
    assert undone.changes == ()
    assert [said.summary for said in undone.diagnostics] == ["store/s replaced an expired object: it stays"]


def test_rolling_back_says_what_is_not_kept() -> None:
    live, held = [on_paper("p1", "a", "old")], [on_shelf("s1", "s", [entry("p1", "a")], title="was")]
    plan = filed([paper("a", "new"), shelf("s", {"a": {}})], live, held)
    found = {kind.name: index(kind, objects, OWNER) for kind, objects in ((PAPER, live), (SHELF, held), (BOT, []))}
    labels = held[0].body["labels"]
    answers = {c.number: {"id": c.id or "p2", "title": "s", "labels": labels} for c in plan.changes}
    outcomes = [
        Outcome(c.address, c.action, Result.DONE, c.id or "p2", after=answers[c.number], number=c.number)
        for c in plan.changes
    ]
    back = rollback(plan, found, outcomes)
    assert [str(change.address) for change in back.changes] == ["store/s"]
    assert back.changes[0].patch == {"title": "was"}
    assert {said.code for said in back.diagnostics} == {"RC0605"}
    said = [each.summary for each in back.diagnostics if each.address == "paper/a"]
    assert said == ["the earlier content of paper/a is not stored: check out the earlier files and apply them"]
    gone = filed([], live, [on_shelf("s1", "s", [])], prune=True, allow_deletes=2)
    outcomes = [Outcome(c.address, c.action, Result.DONE, c.id, number=c.number) for c in gone.changes]
    again = rollback(gone, {**found, "store": index(SHELF, [on_shelf("s1", "s", [])], OWNER)}, outcomes)
    assert "papers" not in (again.changes[0].patch or {})


def test_a_sealed_plan_takes_its_entries_from_the_files_again() -> None:
    files = [paper("a", "new"), shelf("s", {"a": {}})]
    live, held = [on_paper("p1", "a", "old")], [on_shelf("s1", "s", [entry("p1", "a")])]
    plan = filed(files, live, held)
    kinds = {kind.name: kind for kind in (PAPER, SHELF, BOT)}
    observed = [Observation(PAPER, tuple(live), 1), Observation(SHELF, tuple(held), 1), Observation(BOT, (), 1)]
    again, lost = restore(redact(plan, kinds), filed(files, live, held), observed)
    assert lost == ()
    assert [(c.patch, c.refs) for c in again.changes] == [(c.patch, c.refs) for c in plan.changes]
