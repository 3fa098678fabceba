"""The page for people: what each peer told of each case."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable

from measuring import (
    FALSE_FAILURE,
    FALSE_SUCCESS,
    NO_WORD,
    RIGHT,
    SAID_FAILURE,
    SAID_SUCCESS,
    Finding,
)
from routes import PEERS

INTRO = """\
# What other clients say of the same answers

Written by `make truth-peers`, measured on {date}; do not edit it by hand.

[truth.md](truth.md) says what each answer of a service means. Here the same bytes, cuts included,
went over TLS and real sockets to other clients that know the service, and each said whether it had
sent the message: {versions}.
Their code is as published; only where their connections lead was changed, and their sleeps pass
at once. hongyan's own command was sent {control} cases through the same server, and said of each
what truth.md says.

What a client says is read in its favour:

| client | success | failure |
|---|---|---|
| Apprise | the result's status is `SUCCESS` | it is `FAILURE` |
| notifiers | the status is `Success` | it is `Failure` |
| onepush | it judges nothing and hands back the HTTP response, which Python takes for true: its \
status is below 400; of mail it hands back whom Python's `smtplib` could not send to: nobody | the \
response is taken for false, or there is none; somebody, or the error of `smtplib` |
| push-all-in-one | it judges nothing and hands back the HTTP response: its status is below \
400, as the package reads one where it does so itself | another status, or the request failed with \
its error; so of mail, to which it gives a status itself |

- **right**: success of what was sent, failure of what was not.
- **false success**: success of a message that the service, or a gateway before it, refused. It is
  lost.
- **false failure**: failure of a message that was sent. Who sends it again doubles it.
- **no word**: an exception that is a mistake in the program, nothing at all, or no end within a
  minute.
- undecidable: the message may have arrived (`maybe_sent`), or a part of it. Two words cannot say
  so: success may be wrong and failure may be, so both are counted apart, neither right nor wrong.
- documented: by the service, in others' code or by what was seen, and not concluded (`inferred` in
  truth.md).
- sent again: cases in which a client by itself sent the message more than once although it was, or
  may have been, taken.

A client is asked only what can happen to it: it sends one text to one recipient, under no key that
the service would know it by again, and not by an older interface of the service. A webhook of
Discord that was not told to wait says success by 204 and shows no message. A webhook of Slack says
`ok`, and the words of the API's errors are not its. Of any other webhook (`webhook`) only the
answers count that the status decides. Mail goes by TLS, with a login by name and password. A
redirect leads to the log-in page of a network. Some answers are rare, and were made to be hard: the
tables name each.
"""


def page(found: list[Finding], versions: dict[str, str], control: int, today: datetime.date) -> str:
    """The whole page."""
    intro = INTRO.format(
        date=today.isoformat(),
        versions=", ".join(f"{name} {version}" for name, version in versions.items()),
        control=control,
    )
    return "\n".join([intro, *_summary(found), *_lost(found), *_all(found)]) + "\n"


COLUMNS = [
    "client",
    "service",
    "cases",
    "right",
    "false success, of refusals",
    "of those that are documented",
    "false failure, of successes",
    "no word",
    "undecidable: said success",
    "said failure",
    "sent again",
]
HEAD = [f"| {' | '.join(COLUMNS)} |", "|---|---" + "|--:" * (len(COLUMNS) - 2) + "|"]


def _summary(found: list[Finding]) -> list[str]:
    lines = ["## Each client and service", "", *HEAD]
    for peer in PEERS:
        own = [one for one in found if one.peer == peer]
        lines += [
            _line(peer, endpoint, [one for one in own if one.endpoint == endpoint])
            for endpoint in _endpoints(own)
        ]
        lines.append(_line(f"**{peer}**", "**all**", own))
    return [*lines, ""]


def _line(peer: str, endpoint: str, found: list[Finding]) -> str:
    of = Counter(one.verdict for one in found)
    meant = Counter(one.case.delivery for one in found)
    documented = Counter(
        one.verdict == FALSE_SUCCESS
        for one in found
        if one.case.delivery == "not_sent" and not one.case.inferred
    )
    again = sum(one.sends > 1 and one.case.delivery != "not_sent" for one in found)
    cells = [
        peer,
        endpoint,
        str(len(found)),
        str(of[RIGHT]),
        f"{of[FALSE_SUCCESS]} of {meant['not_sent']}",
        f"{documented[True]} of {documented.total()}",
        f"{of[FALSE_FAILURE]} of {meant['sent']}",
        str(of[NO_WORD]),
        str(of[SAID_SUCCESS]),
        str(of[SAID_FAILURE]),
        str(again),
    ]
    return f"| {' | '.join(cells)} |"


def _lost(found: list[Finding]) -> list[str]:
    lines = ["## Messages that were lost, and called sent", ""]
    for peer in PEERS:
        own = [one for one in found if one.peer == peer]
        lines += [f"### {peer}", ""]
        for endpoint in _endpoints(own):
            names = [
                f"[{one.case.name}](../tests/corpus/{one.case.file})"
                for one in own
                if one.endpoint == endpoint and one.verdict == FALSE_SUCCESS
            ]
            lines.append(f"- {endpoint}: {', '.join(names) or 'none'}")
        lines.append("")
    return lines


def _all(found: list[Finding]) -> list[str]:
    lines = ["## Every case", "", "In italics: said of a message that may have arrived.", ""]
    for endpoint in _endpoints(found):
        own = [one for one in found if one.endpoint == endpoint]
        peers = [peer for peer in PEERS if any(one.peer == peer for one in own)]
        lines += [
            f"### {endpoint}",
            "",
            f"| case | status | became of it | {' | '.join(peers)} |",
            "|---" * (3 + len(peers)) + "|",
        ]
        told = {(one.case.name, one.peer): one for one in own}
        for case in {one.case.name: one.case for one in own}.values():
            status = "–" if case.answer.status is None else str(case.answer.status)
            words = [_word(told[case.name, peer]) for peer in peers]
            cells = [
                f"[{case.name}](../tests/corpus/{case.file})",
                status,
                f"`{case.delivery}`",
                *words,
            ]
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return lines[:-1]


def _word(finding: Finding) -> str:
    if finding.verdict in (FALSE_SUCCESS, FALSE_FAILURE):
        return f"**{finding.verdict}**"
    if finding.verdict in (SAID_SUCCESS, SAID_FAILURE):
        return f"*{finding.said}*"
    return RIGHT if finding.verdict == RIGHT else f"no word: {finding.said}"


def _endpoints(found: Iterable[Finding]) -> list[str]:
    return sorted({one.endpoint for one in found})
