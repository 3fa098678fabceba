"""The inbox in a real browser, as somebody who clicks through it sees it."""

from __future__ import annotations

import base64
import json
import os
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Page, page

from conftest import PNG
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


def telegram(
    sandbox: Sandbox, method: str, fields: dict[str, str], photo: bytes | None = None
) -> Any:
    """Calls Telegram's Bot API with parts."""
    token = sandbox.accounts["telegram"]["auth"]["token"]
    body = b""
    for name, value in fields.items():
        body += f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    if photo is not None:
        head = 'Content-Disposition: form-data; name="photo"; filename="鸿雁.png"\r\n'
        body += f"--B\r\n{head}Content-Type: image/png\r\n\r\n".encode() + photo + b"\r\n"
    request = urllib.request.Request(
        f"{sandbox.url}/telegram/bot{token}/{method}",
        body + b"--B--\r\n",
        {"Content-Type": "multipart/form-data; boundary=B"},
    )
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.load(answer)


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


def test_a_message_looks_as_it_does_in_its_chat(whole: Sandbox, browser: Page) -> None:
    html = 'paid by <b>Anna</b>, <i>today</i>: <a href="https://example.org/bill">bill</a>'
    fields = {"chat_id": "4711", "parse_mode": "HTML"}
    telegram(whole, "sendMessage", {**fields, "text": html, "disable_notification": "true"})
    telegram(whole, "sendPhoto", {**fields, "caption": "a <u>goose</u>"}, PNG)
    browser.go(f"{whole.url}/")
    browser.until(shown(2))
    assert articles(browser) == ["a goose", "paid by Anna, today: bill"]
    style = "getComputedStyle(document.querySelector('article .text .%s')).%s"
    assert int(browser.value(style % ("bold", "fontWeight"))) >= 600
    assert browser.value("document.querySelector('article .bold').textContent") == "Anna"
    assert browser.value(style % ("italic", "fontStyle")) == "italic"
    assert "underline" in browser.value(style % ("underline", "textDecorationLine"))
    assert (
        browser.value("document.querySelector('article a.link').href") == "https://example.org/bill"
    )
    browser.until("document.querySelector('article img').naturalWidth === 1")
    assert "鸿雁.png" in browser.value("document.querySelector('figcaption').textContent")
    assert browser.value(
        "[...document.querySelectorAll('.tag')].map((tag) => tag.textContent)"
    ) == ["silent"]
    if "HONGYAN_PICTURE" in os.environ:
        browser.picture(os.environ["HONGYAN_PICTURE"])


def test_a_search_and_a_service_leave_what_is_looked_for(whole: Sandbox, browser: Page) -> None:
    for text in ["one goose", "two geese", "a swan"]:
        assert fanfou(whole, text) == 200
    telegram(whole, "sendMessage", {"chat_id": "4711", "text": "another goose"})
    browser.go(f"{whole.url}/")
    browser.until(shown(4))
    browser.type("#search", "GOOSE")
    browser.until(shown(2))
    assert articles(browser) == ["another goose", "one goose"]
    browser.choose("#service", "fanfou")
    browser.until(shown(1))
    assert articles(browser) == ["one goose"]
    browser.type("#search", "no such bird")
    browser.until("document.querySelector('.empty') !== null")
    browser.type("#search", "")
    browser.until(shown(3))


def test_the_request_is_there_as_it_came_without_its_credentials(
    whole: Sandbox, browser: Page
) -> None:
    telegram(whole, "sendMessage", {"chat_id": "4711", "text": "hello"})
    assert fanfou(whole, "hi") == 200
    browser.go(f"{whole.url}/")
    browser.until(shown(2))
    browser.click("article:nth-of-type(1) summary")
    browser.until("document.querySelector('article:nth-of-type(1) details').open")
    first = browser.value("document.querySelector('article:nth-of-type(1) pre').innerText")
    assert "POST /fanfou/direct_messages/new.json" in first and "text=hi" in first
    assert "authorization: Basic ••••" in first
    second = browser.value("document.querySelector('article:nth-of-type(2) pre').textContent")
    assert "POST /telegram/bot••••/sendMessage" in second
    # What somebody opened stays open when the next message comes in.
    assert fanfou(whole, "next") == 200
    browser.until(shown(3))
    assert browser.value("document.querySelector('article:nth-of-type(2) details').open") is True


def test_nothing_in_a_message_is_run(whole: Sandbox, browser: Page) -> None:
    assert fanfou(whole, SCRIPT) == 200
    href = 'a <a href="javascript:window.harmed=1">link</a>'
    telegram(whole, "sendMessage", {"chat_id": "4711", "parse_mode": "HTML", "text": href})
    browser.go(f"{whole.url}/")
    browser.until(shown(2))
    assert articles(browser) == ["a link", SCRIPT]
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
