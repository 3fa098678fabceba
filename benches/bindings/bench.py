"""What a send through the Python package costs, and what is left of many that were pending.

    bench.py submit URL IN_FLIGHT MESSAGES WARM_UP
    bench.py pending URL IN_FLIGHT MESSAGES

By asyncio, a task for each that is in flight. tools/bench-bindings runs it.
"""

import asyncio
import gc
import json
import resource
import sys

import hongyan

ACCOUNTS = 4
# It begins the Thousand Character Classic.
PROSE = (
    "天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。寒来暑往，秋收冬藏。闰余成岁，律吕调阳。云腾致雨，露结为霜。"
    "金生丽水，玉出昆冈。剑号巨阙，珠称夜光。果珍李柰，菜重芥姜。海咸河淡，鳞潜羽翔。"
)
TEXTS = [PROSE[:length] for length in (8, 24, 70)]


def message(number, **more):
    user = "5000020301" if number % 50 == 49 else str(2125034703 + number % 100)
    text = f"{number} {TEXTS[number % 3]}"
    return {"account": f"a{number % ACCOUNTS}", "to": {"user": user}, "text": text, **more}


async def send(client, in_flight, first, count):
    """Sends messages from `first` on; tells how many were refused, as they should be."""
    numbers = iter(range(first, first + count))
    refused = 0

    async def worker():
        nonlocal refused
        for number in numbers:
            try:
                receipt = await client.send(**message(number))
                assert receipt.message_id
            except hongyan.ForbiddenError:
                refused += 1

    await asyncio.gather(*(worker() for _ in range(in_flight)))
    return refused


def cpu_us():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) * 1e6


def resident():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


async def pending(client, count):
    rounds = []
    for _ in range(6):
        sends = [
            asyncio.ensure_future(client.send(**message(i, not_before_ms=4102444800000)))
            for i in range(count)
        ]
        # Each begins before the next turn of the loop.
        await asyncio.sleep(0)
        for one in sends:
            one.cancel()
        ended = await asyncio.gather(*sends, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in ended)
        del sends, ended
        gc.collect()
        rounds.append({"rss": resident()})
    print(json.dumps({"rounds": rounds}))


async def main():
    mode, url, in_flight, count, *more = sys.argv[1:]
    in_flight, count = int(in_flight), int(count)
    accounts = {
        f"a{i}": {
            "service": "weibo",
            "base_url": url,
            "rate": None,
            "auth": {"type": "oauth2", "token": f"2.00BENCHmarkTokenOfAccount{i}"},
        }
        for i in range(ACCOUNTS)
    }
    client = hongyan.AsyncClient({"v": 1, "accounts": accounts, "max_in_flight": count + 1024})
    if mode == "pending":
        await pending(client, count)
    else:
        warm_up = int(more[0])
        await send(client, in_flight, 0, warm_up)
        began = cpu_us()
        refused = await send(client, in_flight, warm_up, count)
        used = cpu_us() - began
        assert refused == count // 50, refused
        print(json.dumps({"messages": count, "cpu_us": used / count}))
    await client.close(0)


asyncio.run(main())
