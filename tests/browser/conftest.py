"""A real Chromium without a window, and pages of plans opened in it from disk."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlparse

import pytest

SIZE = (1100, 900)
ENDS = ("Network.loadingFinished", "Network.loadingFailed")


def _missing(what: str) -> NoReturn:
    """No browser is a reason to skip on somebody's machine, and a failure in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI has to have it")
    pytest.skip(f"{what} is missing: install the packages chromium and chromium-driver, and selenium from PyPI")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The driver of a browser that logs every request it makes. It ends with its tests: it draws as long as it runs."""
    try:
        from selenium import webdriver
    except ImportError:
        _missing("selenium")
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        _missing("chromium" if driver else "chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.add_argument(f"--window-size={SIZE[0]},{SIZE[1]}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    opened.execute_cdp_cmd("Network.enable", {})
    yield opened
    opened.quit()


@pytest.fixture
def opened(chromium: Any, tmp_path: Path) -> Callable[[str], Any]:
    """Open a page of this text; the browser's log begins with it."""

    def open_page(text: str) -> Any:
        file = tmp_path / "plan.html"
        file.write_text(text, encoding="utf-8")
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        chromium.get_log("performance")
        chromium.get(file.as_uri())
        return chromium

    return open_page


def requests_of(browser: Any) -> list[str]:
    """The URLs that were asked for since the page was opened, those left out that its own policy held back."""
    from selenium.webdriver.support.ui import WebDriverWait

    messages: list[Any] = []
    own = urlparse(browser.current_url).netloc

    def those_to_others_have_ended(browser: Any) -> bool:
        """That one was held back is told after the request itself."""
        messages.extend(json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
        ended = {each["params"]["requestId"] for each in messages if each["method"] in ENDS}
        sent = [each["params"] for each in messages if each["method"] == "Network.requestWillBeSent"]
        return all(each["requestId"] in ended for each in sent if urlparse(each["request"]["url"]).netloc != own)

    WebDriverWait(browser, 60).until(those_to_others_have_ended)
    held = {
        message["params"]["requestId"]
        for message in messages
        if message["method"] == "Network.loadingFailed" and message["params"].get("blockedReason") == "csp"
    }
    sent = [message["params"] for message in messages if message["method"] == "Network.requestWillBeSent"]
    return [request["request"]["url"] for request in sent if request["requestId"] not in held]
