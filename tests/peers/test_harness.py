"""What the measurement itself must see: peers that are none, whose words are known beforehand."""

from __future__ import annotations

import datetime
import re
import smtplib
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import corpus
import page
import pytest
from corpus import Case
from measuring import (
    FALSE_FAILURE,
    FALSE_SUCCESS,
    NO_WORD,
    RIGHT,
    SAID_FAILURE,
    SAID_SUCCESS,
    Finding,
    Unmeasured,
    Worker,
    command,
    findings,
    measure,
    verdict,
)
from routes import ENDPOINTS, PEERS, ROUTES, Endpoint, Route
from server import PORTAL_PAGE, Server

DOCS = Path(__file__).resolve().parents[2] / "docs"
ENDPOINT = Endpoint("dingtalk_bot", "/robot/send")
URL = "https://oapi.dingtalk.com/robot/send"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with closing(Server(tmp_path)) as server:
        yield server


def told_by(peer: str, server: Server, cases: list[Case]) -> list[Finding]:
    """What a peer that is none says of cases."""
    route = Route("dingtalk_bot", peer, URL)
    with closing(Worker(command(peer, server.port, Path()), server)) as worker:
        return list(findings(route, ENDPOINT, cases, server, worker))


def counted(found: list[Finding]) -> dict[str, int]:
    return dict(Counter(one.verdict for one in found))


def some(*deliveries: str) -> list[Case]:
    """A case for each of what became of it."""
    cases = corpus.cases("dingtalk_bot")
    return [next(case for case in cases if case.delivery == one) for one in deliveries]


def test_who_always_says_success_has_false_successes(server: Server) -> None:
    cases = ENDPOINT.all()
    of = Counter(case.delivery for case in cases)
    assert min(of["sent"], of["not_sent"], of["maybe_sent"]) > 3
    assert counted(told_by("always_success", server, cases)) == {
        RIGHT: of["sent"],
        FALSE_SUCCESS: of["not_sent"],
        SAID_SUCCESS: of["maybe_sent"],
    }


def test_who_always_says_failure_has_false_failures(server: Server) -> None:
    cases = ENDPOINT.all()
    of = Counter(case.delivery for case in cases)
    found = told_by("always_failure", server, cases)
    assert counted(found) == {
        RIGHT: of["not_sent"],
        FALSE_FAILURE: of["sent"],
        SAID_FAILURE: of["maybe_sent"],
    }
    # Such a one was told wrongly how to send, or could not: that is no measurement of it.
    route = Route("dingtalk_bot", "always_failure", URL)
    with closing(Worker(command("always_failure", server.port, Path()), server)) as worker:
        with pytest.raises(Unmeasured, match="knows no success"):
            measure(route, ENDPOINT, server, worker)


def test_who_believes_the_status_is_told_wrong_by_the_body_alone(server: Server) -> None:
    found = {one.case.name: one for one in told_by("by_status", server, ENDPOINT.all())}
    assert found["connection-close"].verdict == RIGHT
    assert found["html-413"].verdict == RIGHT
    assert found["too-fast"].verdict == FALSE_SUCCESS
    # It followed the redirect to a page that took nothing.
    assert found["redirect-302"].verdict == FALSE_SUCCESS


@pytest.mark.parametrize(("peer", "said"), [("raises", "raised"), ("says_nothing", "nothing")])
def test_who_gives_no_word_is_neither_right_nor_wrong(server: Server, peer: str, said: str) -> None:
    found = told_by(peer, server, some("sent", "not_sent", "maybe_sent"))
    assert [(one.said, one.verdict) for one in found] == [(said, NO_WORD)] * 3


def test_who_hangs_is_ended_and_another_takes_its_place(server: Server) -> None:
    with closing(Worker(command("hangs", server.port, Path()), server, deadline=1)) as worker:
        assert [worker.tell(URL)[0] for _ in range(2)] == ["hung"] * 2


def test_who_asks_nobody_was_not_measured(server: Server) -> None:
    with pytest.raises(Unmeasured, match="has not asked for /robot/send"):
        told_by("asks_nobody", server, some("sent"))


def test_whose_worker_ends_was_not_measured(server: Server) -> None:
    with closing(Worker(command("no_peer", server.port, Path()), server)) as worker:
        with pytest.raises(Unmeasured, match="KeyError: 'no_peer'"):
            worker.tell(URL)


def test_a_word_is_worth_what_became_of_the_message() -> None:
    assert verdict("partly_sent", "success") == SAID_SUCCESS
    assert verdict("partly_sent", "failure") == SAID_FAILURE
    assert verdict("sent", "hung") == verdict("maybe_sent", "raised") == NO_WORD


@pytest.mark.parametrize("service", sorted({one.service for one in ENDPOINTS.values()}))
def test_the_cases_are_those_of_the_page_of_truth(service: str) -> None:
    text = (DOCS / "truth.md").read_text()
    section = text.split(f"\n## {service}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| \[(.+?)\]\(\.\./tests/corpus/(.+?)\) \| (.*)", section, re.MULTILINE)
    shown = [
        (name, file, re.search(r"\| `(\w+)` \| (?:–|`\w+`) \| ", rest)[1])
        for name, file, rest in rows
    ]
    cases = corpus.cases(service)
    assert [(case.name, case.file, case.delivery) for case in cases] == shown
    if service == "smtp":
        answers = [re.match(r"`(.*?)`", rest)[1] for _, _, rest in rows]
        assert [case.answer.data.decode().strip() for case in cases] == answers
        return
    status = [re.match(r"the connection ends|\d+", rest)[0] for _, _, rest in rows]
    assert [str(case.answer.status or "the connection ends") for case in cases] == status


def test_an_answer_goes_out_byte_by_byte_and_only_what_must_end_ends(server: Server) -> None:
    cases = corpus.cases("telegram")
    ending = [case.name for case in cases if case.answer.closes]
    assert {"cut-within", "cut-head", "connection-close", "http-1-0", "no-answer"} <= set(ending)
    assert not {"ok", "chunked", "too-many", "no-content-204"} & set(ending)
    for case in cases:
        server.give(case.answer)
        expected = case.answer.data
        with socket.create_connection(("127.0.0.1", server.port), timeout=300) as client:
            # Where it does not end, the next request is answered too.
            for _ in range(1 if case.answer.closes else 2):
                client.sendall(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
                got = b""
                while case.answer.closes or len(got) < len(expected):
                    more = client.recv(65536)
                    if not more:
                        break
                    got += more
                assert got == expected, case.name
        assert {(one.method, one.target, one.body) for one in server.asked} == {
            ("POST", "/x", b"hi")
        }


def test_mail_is_answered_by_its_script_and_as_usual_else(server: Server) -> None:
    cases = {case.name: case for case in corpus.cases("smtp")}
    context = ssl.create_default_context(cafile=str(server.authority))

    def sent() -> dict[str, tuple[int, bytes]]:
        connection = smtplib.SMTP_SSL("localhost", server.port, context=context)
        with closing(connection):
            connection.login("goose", "secret")
            return connection.sendmail("a@x.example", ["b@x.example"], ".\r\n..\r\nhello\r\n")

    server.give(cases["taken"].answer, script=cases["taken"].script)
    assert sent() == {}
    assert [one.target for one in server.asked] == [
        "CONNECT",
        "EHLO",
        "AUTH",
        "MAIL",
        "RCPT",
        "DATA",
        ".",
    ]
    for name, error in [
        ("greeting-busy", smtplib.SMTPConnectError),
        ("login-wrong", smtplib.SMTPAuthenticationError),
        ("no-such-user", smtplib.SMTPRecipientsRefused),
        ("spam", smtplib.SMTPDataError),
        ("cut-after-the-dot", smtplib.SMTPServerDisconnected),
    ]:
        server.give(cases[name].answer, script=cases[name].script)
        with pytest.raises(error):
            sent()


def test_another_host_than_that_of_the_service_is_the_portal(server: Server) -> None:
    server.give(corpus.answer(b"HTTP/1.1 204 No Content\n\n"))
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET /portal HTTP/1.1\r\nHost: login.example\r\n\r\n")
        assert client.recv(12) == PORTAL_PAGE.data[:12] == b"HTTP/1.1 200"


def test_a_route_leads_to_cases_of_each_kind() -> None:
    assert {route.endpoint for route in ROUTES} == set(ENDPOINTS)
    assert {route.peer for route in ROUTES} == set(PEERS)
    assert len({(route.endpoint, route.peer) for route in ROUTES}) == len(ROUTES)
    for name, endpoint in ENDPOINTS.items():
        deliveries = {case.delivery for case in endpoint.all()}
        assert deliveries >= {"sent", "not_sent", "maybe_sent"}, name


def test_the_page_counts_and_names_what_was_told() -> None:
    cases = {case.name: case for case in corpus.cases("dingtalk_bot")}
    words = {"too-fast": "success", "sign": "failure", "ok-text-zero": "failure"}
    words |= {"cut-within": "success", "chunked": "hung"}
    found = [
        Finding("dingtalk_bot", "apprise", cases[name], said, "", 1 + (name == "cut-within"))
        for name, said in words.items()
    ]
    text = page.page(found, {"Apprise": "1.0"}, 7, datetime.date(2026, 1, 2))
    assert "measured on 2026-01-02;" in text and "message: Apprise 1.0.\n" in text
    assert "| apprise | dingtalk_bot | 5 | 1 | 1 of 2 | 1 of 2 | 1 of 2 | 1 | 1 | 0 | 1 |" in text
    assert "- dingtalk_bot: [too-fast](../tests/corpus/dingtalk_bot/too-fast.http)\n" in text
    row = "| [cut-within](../tests/corpus/templates/cut-within.http) | 200 | `maybe_sent` |"
    assert f"{row} *success* |" in text
    assert "| `sent` | **false failure** |" in text and "| `sent` | no word: hung |" in text
