"""The page of a plan in a real browser: nothing in a plan runs or loads, and people can work with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.plan import Plan
from reconciler.core.values.model import ABSENT, Action, Address, Change, FieldChange, Reason
from reconciler.render import html
from reconciler.render.view.location import Checkout
from reconciler.render.view.plan_view import plan_view
from tests.browser.conftest import requests_of
from tests.unit.render.conftest import at, others, plan_of, rules, update, updates

Opened = Callable[[str], Any]
ROOT = Path(__file__).parents[2]
SHOWN = "return [...document.querySelectorAll('details.change')].filter(c => c.checkVisibility()).length"
OPEN = "return document.querySelectorAll('details.change[open]').length"
PAPER = "return getComputedStyle(document.body).backgroundColor"


@pytest.fixture
def rich(opened: Opened) -> Any:
    """The browser with the page of one of everything."""
    return opened(html.render(plan_view(plan_of(*updates(), *others()))))


def press(browser: Any, keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).send_keys(keys).perform()


def test_nothing_of_a_plan_runs_or_loads(rich: Any) -> None:
    assert "<img src=x onerror=alert(1)>" in rich.find_element("tag name", "main").text
    assert rich.execute_script("return typeof window.pwned") == "undefined"
    assert rich.execute_script("return document.querySelectorAll('img, iframe, main script, main style').length") == 0
    assert requests_of(rich) == [rich.current_url]


def test_even_markup_that_got_in_would_not_run_or_load(opened: Opened) -> None:
    page = html.render(plan_view(plan_of(*updates())))
    planted = (
        "<main><script>window.pwned = 1</script><img src='https://evil.example/x.png' onerror='window.pwned = 2'>"
        "<iframe src='https://evil.example/'></iframe><link rel=stylesheet href='https://evil.example/x.css'>"
    )
    browser = opened(page.replace("<main>", planted))
    assert browser.execute_script("return document.querySelectorAll('main img, main iframe').length") == 2
    assert browser.execute_script("return typeof window.pwned") == "undefined"
    assert not [url for url in requests_of(browser) if "evil" in url]


def test_search_shows_what_has_all_its_words(rich: Any) -> None:
    everything = rich.execute_script(SHOWN)
    press(rich, "/")
    press(rich, "drifted HELPDESK")
    assert rich.execute_script(SHOWN) == 1
    assert rich.find_element("id", "count").text == f"1 of {everything}"
    press(rich, "\ue00c")  # Escape
    assert rich.execute_script(SHOWN) == everything


def test_keys_fold_move_and_open(rich: Any) -> None:
    everything = rich.execute_script(SHOWN)
    press(rich, "c")
    assert rich.execute_script(OPEN) == 0
    press(rich, "jjk")
    press(rich, "o")
    current = rich.find_element("css selector", "details.current")
    assert "assistant/support/helpdesk" in current.text
    assert rich.execute_script(OPEN) == 1
    press(rich, "e")
    assert rich.execute_script(OPEN) == everything


def test_buttons_fold_too(rich: Any) -> None:
    rich.find_element("id", "collapse").click()
    assert rich.execute_script(OPEN) == 0
    rich.find_element("id", "expand").click()
    assert rich.execute_script(OPEN) == rich.execute_script(SHOWN)


def test_both_sides_stand_beside_each_other_when_asked_for(rich: Any) -> None:
    def corners() -> list[tuple[int, int]]:
        pair = rich.find_element("css selector", ".pair:has(.gone):has(.come)")
        sides = [pair.find_element("class name", name).rect for name in ("gone", "come")]
        return [(side["x"], side["y"]) for side in sides]

    gone, come = corners()
    assert gone[0] == come[0]
    assert gone[1] < come[1]
    press(rich, "s")
    gone, come = corners()
    assert gone[0] < come[0]
    assert gone[1] == come[1]


def test_it_is_dark_where_people_want_it_dark(rich: Any) -> None:
    def paper(scheme: str) -> str:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        rich.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        return str(rich.execute_script(PAPER))

    assert paper("light") == "rgb(255, 255, 255)"
    assert paper("dark") == "rgb(13, 17, 23)"


def test_printing_opens_what_is_folded(rich: Any) -> None:
    press(rich, "c")
    opened_before = rich.execute_script(f"dispatchEvent(new Event('beforeprint')); {OPEN}")
    assert opened_before == rich.execute_script(SHOWN)
    assert rich.execute_script(f"dispatchEvent(new Event('afterprint')); {OPEN}") == 0


def large_plan() -> Plan:
    """5,000 changes, every third one of a long prompt."""
    changes: list[Change] = []
    for n in range(5000):
        prompt = FieldChange(("instructions",), rules(), rules(f", number {n},"), Reason.EDITED, at("p.md", 1))
        model = FieldChange(("model",), ABSENT, "gpt-4o", Reason.NEW)
        new = Change(Address("assistant", f"team/{n}"), Action.CREATE, fields=(model,), source=at(f"team/{n}.yaml", 1))
        changes.append(update(f"team/{n}", prompt) if n % 3 == 0 else new)
    return plan_of(*changes)


def test_of_five_thousand_changes_those_in_sight_are_laid_out_and_all_can_be_searched(opened: Opened) -> None:
    """A box for each change, and not seventeen: so it opens in two seconds, on a machine that has them."""
    page = html.render(plan_view(large_plan()))
    assert len(page) < 3_500_000
    browser = opened(page)
    browser.execute_cdp_cmd("Performance.enable", {})
    counts = {each["name"]: each["value"] for each in browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]}
    assert 5000 < counts["LayoutObjects"] < 7500
    assert browser.find_element("id", "count").text == "5000 of 5000"
    press(browser, "/")
    press(browser, "team/4999")
    assert browser.find_element("id", "count").text == "1 of 5000"
    assert browser.execute_script(SHOWN) == 1


def test_what_it_looks_like_is_kept(opened: Opened) -> None:
    plan = plan_of(*updates()[:2], *others()[:2], diagnostics=())
    browser = opened(html.render(plan_view(plan, checkout=Checkout(links="https://github.com/acme/fleet/blob/main/"))))
    kept = ROOT / "artefacts" / "plan.png"
    kept.parent.mkdir(exist_ok=True)
    assert browser.save_screenshot(str(kept))
    documented = ROOT / "docs/screenshots/plan.png"
    if os.environ.get("RECONCILER_REGENERATE") == "1":
        documented.parent.mkdir(exist_ok=True)
        shutil.copyfile(kept, documented)
    assert documented.stat().st_size < 200_000
