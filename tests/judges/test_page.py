"""The inbox in a real browser, as somebody who clicks through it sees it."""

from __future__ import annotations

import base64
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest
from browser import Page, page

from sandbox import Sandbox, running

SCRIPT = "<img src=x onerror='window.harmed=1'><script>window.harmed=1</script>"


@pytest.fixture(scope="module")
def opened() -> Iterator[Page]:
    """One browser for all tests: its start takes longer than they do."""
    with page() as opened:
        yield opened


@pytest.fixture
def whole() -> Iterator[Sandbox]:
    """A sandbox with every service."""
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def browser(opened: Page, whole: Sandbox) -> Iterator[Page]:
    """The browser, which leaves the sandbox's page before the sandbox goes."""
    yield opened
    opened.leave()
    # Of the icon that browsers ask for by themselves, perhaps.
    complaints = [one for one in opened.complaints if "favicon" not in json.dumps(one)]
    assert complaints == []


def fanfou(sandbox: Sandbox, text: str) -> int:
    """Sends a plain text and returns the status."""
    form = urllib.parse.urlencode({"user": "lisztli", "text": text}).encode()
    basic = base64.b64encode(b"test:pwd").decode()
    request = urllib.request.Request(
        f"{sandbox.url}/fanfou/direct_messages/new.json", form, {"Authorization": f"Basic {basic}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def articles(browser: Page) -> list[str]:
    """The texts of the messages that are shown, from the top."""
    return browser.value(
        "[...document.querySelectorAll('article .text')].map((node) => node.textContent)"
    )


def shown(count: int) -> str:
    """The condition that so many messages are shown."""
    return f"document.querySelectorAll('article').length === {count}"


def test_messages_come_in_by_themselves_and_the_newest_is_first(
    whole: Sandbox, browser: Page
) -> None:
    browser.go(f"{whole.url}/")
    browser.until("document.querySelector('.empty') !== null")
    for number, text in enumerate(["first", "second", "third"], 1):
        assert fanfou(whole, text) == 200
        browser.until(shown(number))
    assert articles(browser) == ["third", "second", "first"]


def test_a_search_and_a_service_leave_what_is_looked_for(whole: Sandbox, browser: Page) -> None:
    for text in ["one goose", "two geese", "a swan"]:
        assert fanfou(whole, text) == 200
    browser.go(f"{whole.url}/")
    browser.until(shown(3))
    browser.type("#search", "GOOSE")
    browser.until(shown(1))
    assert articles(browser) == ["one goose"]
    browser.type("#search", "no such bird")
    browser.until("document.querySelector('.empty') !== null")
    browser.type("#search", "")
    browser.until(shown(3))
    browser.choose("#service", "sina")
    browser.until("document.querySelector('.empty') !== null")


def test_the_request_is_there_as_it_came_without_its_credentials(
    whole: Sandbox, browser: Page
) -> None:
    assert fanfou(whole, "hello") == 200
    assert fanfou(whole, "hi") == 200
    browser.go(f"{whole.url}/")
    browser.until(shown(2))
    browser.click("article:nth-of-type(1) summary")
    browser.until("document.querySelector('article:nth-of-type(1) details').open")
    first = browser.value("document.querySelector('article:nth-of-type(1) pre').innerText")
    assert "POST /fanfou/direct_messages/new.json" in first and "text=hi" in first
    assert "authorization: Basic ••••" in first
    # What somebody opened stays open when the next message comes in.
    assert fanfou(whole, "next") == 200
    browser.until(shown(3))
    assert browser.value("document.querySelector('article:nth-of-type(2) details').open") is True


def test_nothing_in_a_message_is_run(whole: Sandbox, browser: Page) -> None:
    assert fanfou(whole, SCRIPT) == 200
    browser.go(f"{whole.url}/")
    browser.until(shown(1))
    assert articles(browser) == [SCRIPT]
    assert (
        browser.value("document.querySelectorAll('article script, article img, article a').length")
        == 0
    )
    assert browser.value("window.harmed === undefined")


def test_a_click_lets_something_go_wrong_once(whole: Sandbox, browser: Page) -> None:
    browser.go(f"{whole.url}/")
    browser.until("document.querySelectorAll('#faulty option').length > 0")
    browser.choose("#faulty", "fanfou")
    browser.click("button[data-kind=status]")
    browser.until("document.querySelector('#faults').textContent.includes('fanfou: 503 × 1')")
    browser.click("button[data-kind=drop]")
    browser.until("document.querySelectorAll('#faults li').length === 2")
    assert [fanfou(whole, text) for text in ("a", "b", "c")] == [503, 400, 200]
    browser.until(shown(1))
    assert browser.value("document.querySelectorAll('#faults li').length") == 0
    browser.click("button[data-kind=hang]")
    browser.until("document.querySelectorAll('#faults li').length === 1")
    browser.click("#heal")
    browser.until("document.querySelectorAll('#faults li').length === 0")
    assert fanfou(whole, "d") == 200


def test_a_click_clears(whole: Sandbox, browser: Page) -> None:
    assert fanfou(whole, "x" * 141) == 400
    assert fanfou(whole, "hi") == 200
    browser.go(f"{whole.url}/")
    browser.until(shown(1))
    assert "400" in browser.value("document.querySelector('#others').textContent")
    browser.click("#clear")
    browser.until("document.querySelector('.empty') !== null")
    assert whole.messages == []
