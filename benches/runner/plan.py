"""What is run, and the figures that have to be reached."""

from .runs import Run

def runs(clients, in_flight, **fields):
    return [Run(*client.split(), in_flight, **fields) for client in clients]


# The second is compared with the third.
AT_64 = runs(("raw raw", "hongyan submit", "curl multi", "curl multi-scan"), 64)
AT_64 += runs(("reqwest tasks", "hyper tasks"), 64)
AT_16 = runs(("raw raw", "hongyan submit", "curl multi", "curl multi-scan"), 16)
AT_16 += runs(("reqwest tasks", "hyper tasks"), 16)
AT_1 = runs(("raw raw", "hongyan send", "curl easy", "curl easy-scan"), 1)
AT_1 += runs(("hongyan submit", "curl multi", "reqwest tasks", "hyper tasks"), 1)

SIZES = {
    size: runs(("raw raw", "hongyan submit", "curl multi"), 64, answer=size)
    for size in (300, 8000)
}

LONG_64 = runs(("raw raw", "hongyan submit", "curl multi"), 64, texts="long")
LONG_64 += runs(("curl multi-scan", "reqwest tasks", "hyper tasks"), 64, texts="long")

TLS_64 = runs(("hongyan submit", "curl multi", "reqwest tasks"), 64, scheme="https")
TLS_1 = runs(("hongyan send", "curl easy", "reqwest tasks"), 1, scheme="https")

FLAT = [Run("hongyan", "submit", 64, messages=count) for count in (1000, 10_000, 100_000)]

# By what the first message goes over. libhongyan trusts the system's authorities in either case.
COLD = {
    how: runs(("hongyan once", "curl once", "reqwest once"), 1, messages=1, scheme=scheme, ca=ca)
    for how, scheme, ca in (
        ("http", "http", ""),
        ("https, one authority in a file", "https", "ca.pem"),
        ("https, the system's authorities and that one", "https", "system-and-ca.pem"),
    )
}

COUNTED = [AT_64[1], AT_1[1], AT_64[2], AT_1[2], AT_64[3], AT_64[4], AT_64[5], AT_64[0]]
COUNTED += LONG_64[1:3]
BY_NUMBER = runs(("hongyan submit", "curl multi", "reqwest tasks"), 64, by_number=True)
COUNTED += BY_NUMBER
OTHER_SERVICES = [
    Run("hongyan", "submit", 64, service=service) for service in ("telegram", "slack", "dingtalk_bot")
]
COUNTED += OTHER_SERVICES

GROUPS = {
    "cpu": [*AT_64, *AT_16, *AT_1],
    "sizes": [*SIZES[300], *SIZES[8000], *LONG_64],
    "tls": [*TLS_64, *TLS_1],
    "flat": FLAT,
}
# These have other ways of being measured.
OTHERS = ("cold", "counts", "library")


def goals(results):
    """(what, figure, goal, decimals) of each goal whose group was measured."""
    figures = results.figures
    _, ours_64, multi_64, scanning_64 = AT_64[:4]
    _, ours_16, multi_16 = AT_16[:3]
    _, ours_1, easy_1 = AT_1[:3]
    if figures.has(ours_64):
        yield "CPU at 64 in flight, × libcurl multi", figures.ratio(ours_64, multi_64), 0.6, 2
        what = "CPU at 64 in flight, × libcurl multi that only scans the answer"
        yield what, figures.ratio(ours_64, scanning_64), 0.8, 2
        yield "CPU at 16 in flight, × libcurl multi", figures.ratio(ours_16, multi_16), 1.15, 2
        yield "CPU blocking, × libcurl easy", figures.ratio(ours_1, easy_1), 0.85, 2
    if results.instructions:
        for run, how, most in ((ours_64, "at 64 in flight", 52_000), (ours_1, "blocking", 56_000)):
            yield f"user instructions a message, {how}", results.instructions[run], most, 0
            yield f"heap allocations a message, {how}", results.allocations[run], 24, 1
        what = "user instructions a message, at 64 in flight, host by number"
        yield what, results.instructions[BY_NUMBER[0]], 52_000, 0
        for run in OTHER_SERVICES:
            what = f"user instructions a message of {run.service} at 64, × Weibo's"
            yield what, results.instructions[run] / results.instructions[ours_64], 1.15, 2
    if figures.has(ours_64):
        yield "voluntary switches a message at 64", figures.median(ours_64, "voluntary"), 0.05, 3
        yield "voluntary switches a message at 16", figures.median(ours_16, "voluntary"), 0.25, 3
        # Whoever waits for each answer switches once; what is counted is what comes on top.
        beyond = figures.median(ours_1, "voluntary") - figures.median(easy_1, "voluntary")
        yield "voluntary switches a message blocking, beyond libcurl easy's", beyond, 0.1, 3
        yield "peak resident MB at 64", figures.megabytes(ours_64), 9, 2
        p99 = figures.ratio(ours_64, multi_64, "p99_us")
        yield "99th percentile at 64, × libcurl multi", p99, 1.5, 2
        opened = figures.worst(ours_64, "connections")
        yield "connections opened at 64, most of all runs", opened, 64, 0
    if figures.has(FLAT[0]):
        middle = figures.median(FLAT[1], "cpu_us")
        change = max(abs(figures.median(run, "cpu_us") / middle - 1) for run in FLAT)
        what = "CPU a message at 1,000 and 100,000 messages, off that at 10,000, in percent"
        yield what, 100 * change, 10, 1
    if figures.has(TLS_64[0]):
        yield "CPU over TLS at 64, × libcurl multi", figures.ratio(*TLS_64[:2]), 0.45, 2
        yield "CPU over TLS blocking, × libcurl easy", figures.ratio(*TLS_1[:2]), 0.9, 2
        opened = figures.worst(TLS_64[0], "connections")
        yield "connections opened over TLS at 64, most of all runs", opened, 64, 0
    if results.cold:
        for (how, (ours, theirs, _)), goal in zip(COLD.items(), (0.4, 0.5, 0.5), strict=True):
            ratio = results.cold.ratio(ours, theirs, "wall_us")
            yield f"cold start over {how}, × libcurl easy", ratio, goal, 2
    if results.sizes:
        yield "stripped library, MB", results.sizes["speed"] / 1e6, 3.3, 2
        yield "stripped library built for size, MB", results.sizes["size"] / 1e6, 2.5, 2
    for build, how in (("speed", ""), ("size", ", built for size")) if results.code else ():
        code = results.code[build].values()
        yield f"code a service on average, KB{how}", sum(code) / len(code) / 1e3, 12, 1
