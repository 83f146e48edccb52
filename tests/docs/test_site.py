"""The site is built as it is published: without a warning, complete, and asking nothing of another host."""

from __future__ import annotations

import functools
import http.server
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlparse

import pytest

from tests.browser.conftest import chromium, requests_of  # noqa: F401 — a fixture
from tests.docs.pages import ROOT

HERE = "http://127.0.0.1/"
# Classes for which the theme's own script loads another from a CDN.
LOADING = "mermaid|pyodide|glightbox"
# What a browser fetches by itself when it meets the attribute.
FETCHED = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src"), ("video", "src")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built from a copy."""
    root = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", root / "docs")
    shutil.copy(ROOT / "mkdocs.yml", root)
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict"]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return root / "artefacts/site"


class Links(HTMLParser):
    """The addresses of a page: `fetched` by the browser itself, `led_to` by links; `names` are places on it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.led_to: list[str] = []
        self.names: set[str] = set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.names |= {given["id"]} if given.get("id") else set()
        for name, value in given.items():
            if value and (tag, name) in FETCHED and given.get("rel") not in ("canonical", "next", "prev"):
                self.fetched.append(value)
            elif value and tag == "a" and name == "href":
                self.led_to.append(value)


@pytest.fixture(scope="module")
def links(site: Path) -> dict[str, Links]:
    """The links of each page, by its address."""
    files = [file for file in site.rglob("*.html") if file.name != "404.html"]
    return {urljoin(HERE, str(file.relative_to(site)).removesuffix("index.html")): Links(file) for file in files}


def test_every_page_is_built_and_found_from_the_first(links: dict[str, Links]) -> None:
    docs = ROOT / "docs"
    sources = [file.relative_to(docs).with_suffix("") for file in docs.rglob("*.md")]
    built = {HERE + (f"{source}/".replace("index/", "").replace("./", "")) for source in sources}
    assert built <= set(links)
    seen, ahead = {HERE}, [HERE]
    while ahead:
        at = ahead.pop()
        found = {urljoin(at, link).partition("#")[0] for link in links[at].led_to} & set(links) - seen
        seen |= found
        ahead += found
    assert built - seen == set(), "name the page in the nav of mkdocs.yml: `python -m tests.docs.reference` adds guides"


def test_every_link_within_the_site_leads_to_a_page_and_a_place_on_it(site: Path, links: dict[str, Links]) -> None:
    broken = []
    for page, found in links.items():
        for link in found.led_to:
            address, _, name = urljoin(page, link).partition("#")
            if not address.startswith(HERE):
                continue
            target = links.get(address)
            there = target is not None or (site / unquote(urlparse(address).path).lstrip("/")).is_file()
            if not there or (target is not None and name and unquote(name) not in {*target.names, "__skip"}):
                broken.append(f"{page}: {link}")
    assert broken == []


def test_no_page_names_anything_of_another_host_to_be_fetched(site: Path, links: dict[str, Links]) -> None:
    assert [link for found in links.values() for link in found.fetched if urlparse(link).netloc] == []
    styles = "".join(file.read_text(encoding="utf-8") for file in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import\s*)[\"']?(?:https?:)?//[^)\"']+", styles) == []
    pages = "".join(file.read_text(encoding="utf-8") for file in site.rglob("*.html"))
    assert re.findall(f'class="[^"]*({LOADING})', pages) == []


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_browser_asks_no_other_host_and_finds_what_is_searched(chromium: Any, served: str) -> None:  # noqa: F811
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    chromium.get_log("performance")
    for page in ("", "tutorial/", "reference/kinds/assistant/", "codes/RC0601/"):
        chromium.get(served + page)
        assert chromium.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    wait = WebDriverWait(chromium, 300)
    chromium.find_element(By.CSS_SELECTOR, "button.md-search__button").click()
    wait.until(lambda browser: browser.execute_script("return document.activeElement.shadowRoot?.activeElement"))
    chromium.switch_to.active_element.send_keys("conflict")
    shown = "return document.activeElement.shadowRoot.textContent"
    wait.until(lambda browser: "Ownership over time" in browser.execute_script(shown))
    assert {urlparse(url).netloc for url in requests_of(chromium)} <= {urlparse(served).netloc, ""}
