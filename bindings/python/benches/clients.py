"""One client of the comparison, in a process of its own.

    python clients.py NAME URL MESSAGES

Sends the messages and prints as JSON what it cost: CPU of the whole process in microseconds a
message, and wall time. Every client makes the same form of about 390 bytes out of the same message,
keeps its connections, checks the status, reads the answer as JSON, and takes two fields from it.
Apprise is the exception: its ``json://`` has a form of its own, and tells only whether it worked.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

PROSE = "天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。寒来暑往，秋收冬藏。闰余成岁，律吕调阳。"
TOKEN = "2.00BENCHmarkTokenOfAccount"
UID = "2125034703"
PATH = "/2/direct_messages/send.json"
IN_FLIGHT = 64
#: What is sent before measuring begins.
WARM_UP = 300


def text(number: int) -> str:
    return f"{number} {PROSE[: 20 + number % 20]}"


def form(number: int) -> dict[str, str]:
    return {"access_token": TOKEN, "text": text(number), "uid": UID}


def judge(status: int, body: bytes) -> None:
    answer = json.loads(body)
    if status != 200 or not answer["idstr"] or not answer["created_at"]:
        raise SystemExit(f"an answer that is none: {status} {body[:100]!r}")


def hongyan_config(url: str) -> dict[str, Any]:
    account = {
        "service": "weibo",
        "auth": {"type": "oauth2", "token": TOKEN},
        "base_url": url,
        "rate": None,
    }
    return {"v": 1, "accounts": {"weibo": account}}


Send = Callable[[range], None]


def hongyan_send(url: str) -> Send:
    import hongyan

    client = hongyan.Client(hongyan_config(url))

    def send(numbers: range) -> None:
        for number in numbers:
            client.send("weibo", to={"user": UID}, text=text(number))

    return send


def hongyan_send_many(url: str) -> Send:
    import hongyan

    client = hongyan.Client(hongyan_config(url))

    def messages(numbers: range) -> Iterator[Any]:
        for number in numbers:
            yield {"account": "weibo", "to": {"user": UID}, "text": text(number)}

    def send(numbers: range) -> None:
        for receipt in client.send_many(messages(numbers), in_flight=IN_FLIGHT):
            if receipt.delivery != "sent":
                raise SystemExit(repr(receipt.error))

    return send


def concurrently(one: Callable[[int], Any], run: Callable[[Any], Any]) -> Send:
    """Workers that share the numbers: 64 in flight, and no task a message."""

    async def work(numbers: Iterator[int]) -> None:
        for number in numbers:
            await one(number)

    async def all_of(numbers: range) -> None:
        shared = iter(numbers)
        await asyncio.gather(*(work(shared) for _ in range(IN_FLIGHT)))

    return lambda numbers: run(all_of(numbers))


def hongyan_async(url: str) -> Send:
    import uvloop

    import hongyan

    client = hongyan.AsyncClient(hongyan_config(url))

    async def one(number: int) -> None:
        await client.send("weibo", to={"user": UID}, text=text(number))

    return concurrently(one, uvloop.new_event_loop().run_until_complete)


def aiohttp_uvloop(url: str) -> Send:
    import aiohttp
    import uvloop

    loop = uvloop.new_event_loop()

    async def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT))

    own = loop.run_until_complete(session())

    async def one(number: int) -> None:
        async with own.post(url + PATH, data=form(number)) as answer:
            judge(answer.status, await answer.read())

    return concurrently(one, loop.run_until_complete)


def requests_session(url: str) -> Send:
    import requests

    session = requests.Session()

    def send(numbers: range) -> None:
        for number in numbers:
            answer = session.post(url + PATH, data=form(number))
            judge(answer.status_code, answer.content)

    return send


def httpx_client(url: str) -> Send:
    import httpx

    client = httpx.Client()

    def send(numbers: range) -> None:
        for number in numbers:
            answer = client.post(url + PATH, data=form(number))
            judge(answer.status_code, answer.content)

    return send


def pycurl_multi(url: str) -> Send:
    from io import BytesIO

    import pycurl

    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, IN_FLIGHT)
    idle = [pycurl.Curl() for _ in range(IN_FLIGHT)]

    def send(numbers: range) -> None:
        left, under_way = iter(numbers), 0
        bodies: dict[Any, BytesIO] = {}
        more = True
        while more or under_way:
            while more and idle:
                number = next(left, None)
                if number is None:
                    more = False
                    break
                easy = idle.pop()
                bodies[easy] = BytesIO()
                easy.setopt(pycurl.URL, url + PATH)
                easy.setopt(pycurl.POSTFIELDS, urlencode(form(number)))
                easy.setopt(pycurl.WRITEDATA, bodies[easy])
                multi.add_handle(easy)
                under_way += 1
            multi.perform()
            _, done, failed = multi.info_read()
            if failed:
                raise SystemExit(failed[0][2])
            for easy in done:
                judge(easy.getinfo(pycurl.RESPONSE_CODE), bodies.pop(easy).getvalue())
                multi.remove_handle(easy)
                idle.append(easy)
                under_way -= 1
            if not done:
                multi.select(1.0)

    return send


def apprise_json(url: str) -> Send:
    import apprise

    notifier = apprise.Apprise()
    notifier.add(url.replace("http://", "json://") + PATH)

    def send(numbers: range) -> None:
        for number in numbers:
            if not notifier.notify(body=text(number)):
                raise SystemExit("Apprise failed")

    return send


CLIENTS: dict[str, Callable[[str], Send]] = {
    "hongyan send_many": hongyan_send_many,
    "hongyan AsyncClient": hongyan_async,
    "hongyan send": hongyan_send,
    "pycurl multi": pycurl_multi,
    "aiohttp+uvloop": aiohttp_uvloop,
    "httpx": httpx_client,
    "requests": requests_session,
    "Apprise json://": apprise_json,
}


def main() -> None:
    name, url, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    send = CLIENTS[name](url)
    send(range(WARM_UP))
    cpu, wall = time.process_time(), time.perf_counter()
    send(range(WARM_UP, WARM_UP + count))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps({"cpu_us": cpu * 1e6 / count, "wall_us": wall * 1e6 / count}))


if __name__ == "__main__":
    main()
