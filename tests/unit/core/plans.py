"""Arbitrary plans for property tests: any text anywhere, and every action, reason and blocker."""

from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from reconciler.core.decide import ConflictPolicy, OnDrift, Resolve
from reconciler.core.plan import Plan, ReadCount, TargetIdentity
from reconciler.core.values.model import (
    ABSENT,
    MAX_KEY,
    Action,
    Address,
    Block,
    Blocker,
    Change,
    FieldChange,
    Reason,
    Removal,
)
from reconciler.diagnostics import Code, Diagnostic, Severity, Source
from reconciler.formats.outcome import Outcome, Result

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no reason to fail."""

NASTY = "\x00\x1b\x07\x9b\x7f\r\n\t\u202e\u2066\u200b\ufeff\U000e0041\ud800\u2028 :#[a"
texts = st.text(max_size=20) | st.text(alphabet=NASTY, max_size=12)
names = texts.filter(bool)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
sources = st.none() | st.builds(Source, texts, st.integers(1, 99), st.integers(1, 3))
paths = st.lists(names | st.integers(0, 9), min_size=1, max_size=3).map(tuple)
fields = st.builds(
    FieldChange,
    path=paths,
    before=json_values | st.just(ABSENT) | st.text(alphabet=NASTY, min_size=61, max_size=300),
    after=json_values | st.just(ABSENT) | st.text(alphabet=NASTY, min_size=61, max_size=300),
    reason=st.sampled_from(Reason),
    source=sources,
    sensitive=st.booleans(),
)
kinds = names.filter(lambda kind: "/" not in kind)
addresses = st.builds(Address, kinds, names)
keys = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*", fullmatch=True).filter(
    lambda key: len(key) <= MAX_KEY
)
saved_addresses = st.builds(Address, kinds, keys)
units = st.lists(names, min_size=1, max_size=2).map(tuple)
digests = st.dictionaries(units | st.just(()), st.just("sha256:" + "0" * 64), max_size=2)
changes = st.builds(  # what is replaced is folded where people look, so that it is in saved plans alone
    Change,
    address=addresses,
    action=st.sampled_from([action for action in Action if action is not Action.NOOP]),
    id=st.none() | texts,
    reasons=st.lists(st.sampled_from(Reason), max_size=2).map(tuple),
    source=sources,
    fields=st.lists(fields, max_size=3).map(tuple),
    units=st.lists(units, max_size=2).map(tuple),
    patch=st.none() | st.dictionaries(texts, json_values, max_size=3),
    expects=digests,
    blocked=st.none() | st.builds(Block, st.sampled_from(Blocker), texts),
    seals=digests,
    refs=st.lists(st.tuples(paths, saved_addresses), max_size=2).map(tuple),
    needs=st.lists(st.integers(0, 9), max_size=2).map(tuple),
    number=st.integers(0, 9),
    removal=st.sampled_from([None, Removal.ORPHAN, Removal.DUPLICATE]),
    replaces=st.lists(texts, max_size=2).map(tuple),
    same_name_allowed=st.booleans(),
    former_owner=st.none() | names,
)
diagnostics = st.builds(
    Diagnostic,
    st.sampled_from(Severity),
    st.sampled_from(Code),
    texts,
    texts,
    texts,
    sources,
    st.none() | names,
)
plans = st.builds(
    Plan,
    target=st.builds(TargetIdentity, texts, texts, texts, st.none() | texts),
    owner=texts,
    config_digest=texts,
    changes=st.lists(changes, max_size=3).map(tuple),
    read=st.dictionaries(texts, st.builds(ReadCount, st.integers(0, 99), st.integers(0, 9)), max_size=2),
    unmanaged=st.integers(0, 9),
    diagnostics=st.lists(diagnostics, max_size=2).map(tuple),
    complete=st.booleans(),
    against=st.none() | texts,
    sealed=st.booleans(),
    rollback=st.booleans(),
    policy=st.builds(ConflictPolicy, st.sampled_from(OnDrift), st.none() | st.sampled_from(Resolve)),
)
saved_plans = st.builds(
    lambda plan, chosen, removal: replace(
        plan,
        changes=tuple(
            replace(each, address=Address(each.address.kind, chosen), removal=removal) for each in plan.changes
        ),
    ),
    plans,
    keys,
    st.none() | st.sampled_from(Removal),
)
"""Plans as they can be read back: their keys are keys."""
outcomes = st.builds(
    Outcome,
    addresses,
    st.sampled_from(Action),
    st.sampled_from(Result),
    st.none() | texts,
    st.integers(0, 9),
    st.none() | texts,
    st.none() | diagnostics,
    st.lists(diagnostics, max_size=2).map(tuple),
    number=st.integers(0, 9),
)
