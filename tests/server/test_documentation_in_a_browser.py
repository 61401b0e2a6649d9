"""`/docs` and `/redoc` in a real browser: they work, ask nothing of other hosts, and fit a phone."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from spectronctl.server.serving.throwaway import run_in_thread
from tests.support.browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")

WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => violations.push(event.blockedURI));
window.addEventListener("error", (event) => violations.push(event.message));
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        browser.send("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        yield browser


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with run_in_thread() as server:
        yield server.url


def wait_for(browser: Browser, expression: str) -> None:
    deadline = time.monotonic() + 60
    while not browser.ask(expression):
        assert time.monotonic() < deadline, expression
        time.sleep(0.1)


def check(browser: Browser, url: str) -> None:
    assert browser.ask("violations") == []
    assert browser.ask("document.documentElement.scrollWidth <= window.innerWidth")
    hosts = browser.ask(
        "performance.getEntriesByType('resource').map((each) => new URL(each.name).origin)"
    )
    assert {each for each in hosts if each != "null"} == {url}


@pytest.mark.parametrize("width", [360, 1200])
def test_swagger_ui_shows_every_group_and_an_example_to_send(
    browser: Browser, url: str, width: int
) -> None:
    browser.open(f"{url}/docs", width=width)
    wait_for(browser, "document.querySelectorAll('.opblock').length > 30")
    assert browser.ask("document.querySelectorAll('.opblock-tag-section').length") == 13
    browser.ask("document.querySelector('[id*=\"facts-create_fact\"] button').click()")
    wait_for(browser, "document.body.innerText.includes('Ada prefers tea to coffee.')")
    check(browser, url)


@pytest.mark.parametrize("width", [360, 1200])
def test_redoc_shows_every_operation(browser: Browser, url: str, width: int) -> None:
    browser.open(f"{url}/redoc", width=width)
    wait_for(browser, "document.querySelectorAll('[data-section-id*=\"/operation/\"]').length > 30")
    check(browser, url)
