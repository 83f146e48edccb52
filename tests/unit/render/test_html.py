"""The page of a plan: its elements are its own, whatever the plan says, and its policy allows nothing else."""

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser

from hypothesis import given

from reconciler.core.plan import Plan
from reconciler.core.values.model import FieldChange, Reason
from reconciler.render import html
from reconciler.render.view.location import Checkout
from reconciler.render.view.plan_view import plan_view
from tests.unit.core.plans import plans, unhurried
from tests.unit.render.conftest import ATTACKS, update

VOID = {"br", "input", "meta"}
OURS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "script", "div", "p", "span", "strong", "h1"),
    *("ul", "li", "input", "label", "button", "kbd", "details", "summary", "table", "tr", "th", "td", "code", "a"),
    *("del", "ins"),
}
ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "class", "type", "id", "placeholder", "aria-label", "role"),
    *("open", "href", "rel", "data-tag"),
}


class Page(HTMLParser):
    """The elements of a page, and its text by element."""

    def __init__(self, shown: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.counts: dict[str, int] = {}
        self.text = ""
        self.raw: dict[str, str] = {}
        self.feed(shown)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in OURS
        assert {name for name, _ in attrs} <= ATTRIBUTES
        assert all((value or "").startswith("https://forge.example/") for name, value in attrs if name == "href")
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"script", "style"}:
            self.raw[self.open[-1]] = data
        else:
            self.text += data


@unhurried
@given(plans)
def test_no_element_comes_from_a_plan(plan: Plan) -> None:
    view = plan_view(plan, checkout=Checkout(links="https://forge.example/a/"))
    page = Page(html.render(view))
    assert page.open == []
    assert page.counts["script"] == page.counts["style"] == 1
    assert page.counts.get("details", 0) == len(view.changes)


def test_attacks_are_seen_as_they_are(rich_plan: Plan) -> None:
    text = Page(html.render(plan_view(rich_plan))).text
    for attack in ATTACKS[5:]:
        assert all(line in text for line in attack.splitlines())


def test_the_policy_allows_this_style_and_this_script_only(rich_plan: Plan) -> None:
    shown = html.render(plan_view(rich_plan))
    digests = {
        tag: "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for tag, text in Page(shown).raw.items()
    }
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', shown)
    assert policy
    assert policy[1].replace("&#x27;", "'").split("; ") == [
        "default-src 'none'",
        f"style-src '{digests['style']}'",
        f"script-src '{digests['script']}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert not re.search(r"\sstyle=|\son\w+=\"|src=\"|@import|url\(", shown)


def test_changed_words_are_marked(rich_plan: Plan) -> None:
    shown = html.render(plan_view(rich_plan))
    assert "always answer politely<ins>, in the language of the user,</ins> and cite" in shown
    assert "before the order <del>has</del> been checked." in shown


def test_a_few_changes_begin_open_and_many_folded(make_plan: Callable[..., Plan]) -> None:
    field = FieldChange(("temperature",), 0.1, 0.2, Reason.EDITED)

    def page(count: int) -> str:
        return html.render(plan_view(make_plan(*(update(f"a{n}", field) for n in range(count)))))

    assert page(20).count('<details class="change" open>') == 20
    assert page(21).count('<details class="change">') == 21
