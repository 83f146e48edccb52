"""The Markdown of a plan: it fits, its fences and folds close, and nothing in it but code came from the plan."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.core.plan import Plan
from reconciler.core.values.model import Action, Address, Block, Blocker, Change, FieldChange, Reason
from reconciler.diagnostics import Diagnostic
from reconciler.formats.outcome import Outcome
from reconciler.render import markdown, outcome_markdown
from reconciler.render.view.location import Checkout
from reconciler.render.view.plan_view import plan_view
from tests.unit.core.plans import outcomes, plans, unhurried
from tests.unit.render.conftest import ATTACKS, rules, update

COMMONMARK = MarkdownIt("commonmark", {"html": True})
OURS = {
    "h3",
    "p",
    "code",
    "strong",
    "em",
    "ul",
    "li",
    "a",
    "table",
    "tr",
    "th",
    "td",
    "details",
    "summary",
    "pre",
    "br",
}
SAFE_HREF = "https://forge.example/"


class Page(HTMLParser):
    """The elements of a page, and its text outside of code."""

    def __init__(self, shown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.outside = ""
        self.feed(COMMONMARK.render(shown))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        assert {name for name, _ in attrs} <= {"href", "open", "class", "colspan"}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "code" not in self.open:
            self.outside += f"{data} "


def check(shown: str) -> Page:
    """What holds for every Markdown of ours. Returns its page."""
    page = Page(shown)
    assert page.open == []
    assert set(page.tags) <= OURS
    assert all(link.startswith(SAFE_HREF) for link in page.links)
    fences = [line for line in shown.splitlines() if re.match("`{3,}", line)]
    assert len(fences) % 2 == 0
    assert all(start == f"{end}diff" for start, end in zip(fences[::2], fences[1::2], strict=True))
    return page


@unhurried
@given(plans, st.sampled_from([8_000, 12_000, markdown.COMMENT_LIMIT]))
def test_any_plan_fits_and_closes_what_it_opens(plan: Plan, limit: int) -> None:
    shown = markdown.render(plan_view(plan, checkout=Checkout(links=f"{SAFE_HREF}a/blob/b/")), limit)
    assert len(shown.encode()) <= limit
    assert re.match(r"<!-- reconciler:plan:[\w.~%-]* -->\n", shown)
    check(shown)


@unhurried
@given(st.lists(outcomes, max_size=5), st.text())
def test_so_do_any_outcomes(done: list[Outcome], target: str) -> None:
    shown = outcome_markdown.render(target, done, 8_000)
    assert len(shown.encode()) <= 8_000
    check(shown)


OUR_WORDS = """
Plan for Change categories: behaviour in 4, data 2, cosmetic 1. behaviour, data, cosmetic expected: hint: id
update create delete move adopt release blocked blocked: field change kind note place · + ~ - → ! :
"""


def test_only_our_own_words_stand_outside_of_code(rich_plan: Plan) -> None:
    outside = check(markdown.render(plan_view(rich_plan))).outside
    assert set(outside.split()) <= set(OUR_WORDS.split())


def test_words_of_a_newer_version_are_code_too(make_plan: Callable[..., Plan]) -> None:
    odd: Any = "@team"
    field = FieldChange(("name",), "a", "b", odd)
    block = Block(odd, "@team")
    change = Change(Address("a", "b"), Action.UPDATE, reasons=(odd,), fields=(field,), blocked=block)
    found = Diagnostic(odd, odd, "@team", "@team", "@team", address="@team")
    page = check(markdown.render(plan_view(make_plan(change, diagnostics=(found,), against="@team"))))
    assert "@" not in page.outside


def test_attacks_are_seen_as_they_are(rich_plan: Plan) -> None:
    shown = markdown.render(plan_view(rich_plan))
    for attack in ATTACKS:
        for line in attack.splitlines():
            assert re.sub("[\x1b\x07\u200b\u202e\u2066]|##", "", line) in re.sub(
                r"\\x1b|\\x07|\\u200b|\\u202e|\\u2066|\\x23#", "", shown
            )


@pytest.mark.parametrize("ticks", ["```", "``````", "`````diff"])
def test_a_fence_is_longer_than_any_in_the_text(ticks: str, make_plan: Callable[..., Plan]) -> None:
    field = FieldChange(("instructions",), "a\nb", f"a\n{ticks}\nb", Reason.EDITED)
    shown = markdown.render(plan_view(make_plan(update("a", field))))
    longest = max(re.findall("`+", shown), key=len)
    assert len(longest) == ticks.count("`") + 1
    assert f"\n{longest}\n" in shown


def many(count: int, lines: int = 43) -> list[Change]:
    before = "\n".join(rules().splitlines()[:lines] * 3) + "\n"
    after = before.replace("politely", "kindly")
    return [update(f"team/{n}", FieldChange(("instructions",), before, after, Reason.EDITED)) for n in range(count)]


@pytest.mark.parametrize(
    ("count", "there", "not_there"),
    [
        (1, "<details open>", "Shortened"),
        (4, "-Rule 43", "Shortened"),
        (8, "… 198 more changed lines", "-Rule 43"),
        (100, "<td><code>129 of 129 lines</code></td>", "```diff"),
        (300, "<li>~ <code>assistant/team/299</code> update", "<table>"),
        (5_000, "</code></li>\n<li>… and 3", "assistant/team/4999"),
    ],
)
def test_a_larger_plan_is_told_in_less_detail(
    count: int, there: str, not_there: str, make_plan: Callable[..., Plan]
) -> None:
    shown = markdown.render(plan_view(make_plan(*many(count))))
    assert there in shown
    assert not_there not in shown
    assert len(shown.encode()) <= markdown.COMMENT_LIMIT
    assert f"{count} to update" in shown
    check(shown)


def test_a_summary_has_room_for_more(make_plan: Callable[..., Plan]) -> None:
    shown = markdown.render(plan_view(make_plan(*many(40))), markdown.SUMMARY_LIMIT)
    assert markdown.COMMENT_LIMIT < len(shown.encode()) <= markdown.SUMMARY_LIMIT
    assert "```diff" in shown


def test_names_without_end_fit_too(make_plan: Callable[..., Plan]) -> None:
    long = "漢" * 100_000
    change = Change(Address("assistant", long), Action.DELETE, long, blocked=Block(Blocker.PROTECT, long))
    shown = markdown.render(plan_view(make_plan(*[change] * 50, owner=long)), 8_000)
    assert len(shown.encode()) <= 8_000
    assert "assistant/漢漢" in shown


def test_a_target_cannot_leave_the_hidden_header() -> None:
    assert markdown.header("production") == "<!-- reconciler:plan:production -->"
    assert markdown.header("--> @team") == "<!-- reconciler:plan:--%3E%20%40team -->"


def test_places_are_linked_where_files_can_be_browsed(rich_plan: Plan) -> None:
    shown = markdown.render(plan_view(rich_plan, checkout=Checkout(links=f"{SAFE_HREF}a/blob/b/")))
    assert f'<a href="{SAFE_HREF}a/blob/b/assistants.d/prompts/helpdesk.md#L23">' in shown
    assert "<a " not in markdown.render(plan_view(rich_plan))
