"""Every format: as in its golden file, and harmless whatever a plan holds."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given

from reconciler import __version__
from reconciler.core.plan import Plan
from reconciler.core.values.model import ABSENT, Action, Address, Blocker, Change, FieldChange, Reason
from reconciler.render.json import plan_json
from reconciler.render.view import labels
from reconciler.render.view.location import Checkout
from reconciler.render.view.plan_view import PlanView, plan_view
from tests.unit.core.plans import plans, unhurried
from tests.unit.render.conftest import RENDERERS

Golden = Callable[[str, str], None]
LINKS = "https://forge.example/acme/fleet/blob/abc123/"
GOLDEN = {
    "text": "rich.txt",
    "markdown": "rich.md",
    "html": "rich.html",
    "sarif": "rich.sarif.json",
    "github": "rich.github.txt",
    "gitlab": "rich.gitlab.json",
    "gitlab-plan": "rich.gitlab-plan.json",
    "junit": "rich.junit.xml",
}
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
RUNNER_COMMAND = re.compile(r"(?m)^\s*::|##\w*\[")

WITHOUT_COMMANDS = [name for name in RENDERERS if name != "github"]


@pytest.mark.parametrize("name", RENDERERS)
def test_one_of_everything(name: str, rich_plan: Plan, golden: Golden) -> None:
    shown = RENDERERS[name](plan_view(rich_plan, checkout=Checkout(links=LINKS)))
    golden(GOLDEN[name], shown.replace(f'"version": "{__version__}"', '"version": "0"'))
    assert "canary" not in shown


@unhurried
@given(plan=plans)
def test_nothing_unseen_is_in_any_format(plan: Plan) -> None:
    """Each example is shown in every format: to generate a plan takes longer than to show it."""
    view = plan_view(plan)
    for name, render in RENDERERS.items():
        shown = render(view)
        assert not UNSEEN.search(shown), name
        shown.encode("utf-8")


@unhurried
@given(plan=plans)
def test_no_line_of_a_format_is_a_command_to_a_runner(plan: Plan) -> None:
    view = plan_view(plan)
    for name in WITHOUT_COMMANDS:
        assert not RUNNER_COMMAND.search(RENDERERS[name](view)), name


@pytest.mark.parametrize("name", WITHOUT_COMMANDS)
def test_no_attack_is_a_command_to_a_runner(name: str, rich_plan: Plan) -> None:
    assert not RUNNER_COMMAND.search(RENDERERS[name](plan_view(rich_plan)))
    assert not RUNNER_COMMAND.search(plan_json(rich_plan))


def test_a_field_named_like_a_command_is_none(make_plan: Callable[..., Plan]) -> None:
    field = FieldChange(("::error::x",), "a", "b", Reason.EDITED)
    view = plan_view(make_plan(Change(Address("assistant", "a"), Action.UPDATE, "asst_1", fields=(field,))))
    for name in ("text", "junit"):
        assert r"\x3a:error::x" in RENDERERS[name](view)


def test_every_action_reason_and_blocker_is_told_in_words() -> None:
    assert set(labels.FIELD_REASONS) | set(labels.CHANGE_REASONS) == set(Reason)
    assert set(labels.BLOCKERS) == set(Blocker)
    assert set(labels.MARKERS) == set(Action) - {Action.NOOP}


FILES_ONLY = {"against": "git:main", "read": {}, "unmanaged": 0}


@pytest.mark.parametrize("name", ["text", "markdown", "html", "junit"])
@pytest.mark.parametrize(
    ("about", "told"),
    [
        (FILES_ONLY, "production · compared with git:main (no target was read) · owner acme-support"),
        ({"rollback": True}, "rollback · production (portkey, api.portkey.ai) · owner acme-support"),
        ({"sealed": True}, "sealed: values are left out"),
        ({"complete": False}, "Not everything could be read: this plan cannot be applied."),
    ],
)
def test_what_a_plan_is_stands_in_its_head(
    name: str, about: dict[str, object], told: str, make_plan: Callable[..., Plan]
) -> None:
    assert told in RENDERERS[name](plan_view(make_plan(**about)))


def test_nothing_to_change_against_files(make_plan: Callable[..., Plan]) -> None:
    assert "No changes. 40 match git:main." in RENDERERS["text"](plan_view(make_plan(**FILES_ONLY)))


def sealed_view(make_plan: Callable[..., Plan]) -> PlanView:
    field = FieldChange(("instructions",), ABSENT, ABSENT, Reason.EDITED)
    change = Change(
        Address("assistant", "a"), Action.UPDATE, "asst_1", fields=(field,), seals={("name",): "sha256:" + "0" * 64}
    )
    return plan_view(make_plan(change, sealed=True))


@pytest.mark.parametrize("name", ["text", "markdown", "html", "github", "junit"])
def test_a_sealed_field_says_so(name: str, make_plan: Callable[..., Plan]) -> None:
    shown = RENDERERS[name](sealed_view(make_plan))
    assert "(sealed)" in shown
    assert "not set" not in shown


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (("model",), "behaviour"),
        (("tools", "function:name", "description"), "behaviour"),
        (("a_field_of_tomorrow",), "behaviour"),
        (("metadata", "team"), "data"),
        (("tool_resources",), "data"),
        (("name",), "cosmetic"),
    ],
)
def test_what_a_change_of_a_field_means(path: tuple[str, ...], kind: str, make_plan: Callable[..., Plan]) -> None:
    field = FieldChange(path, "a", "b", Reason.EDITED)
    change = Change(Address("assistant", "a"), Action.UPDATE, "asst_1", fields=(field,))
    view = plan_view(make_plan(change))
    assert view.changes[0].kinds_of_change == (kind,)
    assert f"Change categories: {kind} in 1." in RENDERERS["markdown"](view)


def test_a_new_prompt_is_there_to_be_read(make_plan: Callable[..., Plan]) -> None:
    prompt = "First rule.\n\n" + ("A long line that says a lot about many things. " * 4).strip()
    fields = (
        FieldChange(("instructions",), ABSENT, prompt, Reason.NEW),
        FieldChange(
            ("tools",), ABSENT, [{"type": "function", "function": {"name": "search", "strict": True}}] * 2, Reason.NEW
        ),
    )
    view = plan_view(make_plan(Change(Address("assistant", "a"), Action.CREATE, fields=fields)))
    shown = RENDERERS["markdown"](view)
    assert shown.count("+A long line that says a lot about many things.\n") == 4
    assert '+      "name": "search",\n' in shown
    assert "First rule" not in RENDERERS["text"](view)


def test_many_long_texts_share_the_room(make_plan: Callable[..., Plan]) -> None:
    prompt = "\n".join(f"Rule {n}." for n in range(300))
    fields = (FieldChange(("instructions",), ABSENT, prompt, Reason.NEW),)
    view = plan_view(make_plan(*(Change(Address("a", f"{n}"), Action.CREATE, fields=fields) for n in range(200))))
    contents = [change.fields[0].content for change in view.changes]
    assert {len(content.hunks[0].lines) for content in contents if content} == {100}
    assert {content.hidden for content in contents if content} == {200}
