"""Writes the figures as Markdown."""

import datetime
import os
import platform
import re
import subprocess

from . import plan
from .build import ROOT

DOCUMENT = ROOT / "docs/benchmarks.md"
# The parts that are written apart from the others: by tools/bench-bindings, and by hand.
PARTS = {"bindings": "Bindings", "profile": "Profile"}

# What the library is built by.
BUILDS = {"speed": "`make install`, without the outbox", "size": "`make size`"}
NAMES = {
    ("raw", "raw"): "raw epoll, bytes made beforehand",
    ("hongyan", "submit"): "**hongyan**, submit and wait",
    ("hongyan", "send"): "**hongyan**, blocking",
    ("hongyan", "once"): "**hongyan**, blocking",
    ("curl", "multi"): "libcurl multi, cJSON",
    ("curl", "multi-scan"): "libcurl multi, answer only scanned",
    ("curl", "easy"): "libcurl easy, cJSON",
    ("curl", "easy-scan"): "libcurl easy, answer only scanned",
    ("curl", "once"): "libcurl easy",
    ("reqwest", "tasks"): "reqwest",
    ("reqwest", "once"): "reqwest",
    ("hyper", "tasks"): "hyper and hyper-util's pool",
}

INTRODUCTION = """\
# Benchmarks

What a message costs the process that sends it, beside other clients that do the same work in the
same minutes. `make bench` measures and writes this page; only the profile is written by hand.

Every client sends the same messages in the same order: direct messages of Weibo as a form, from
four accounts, with texts of LENGTHS Chinese characters after a number of their own. Every
fiftieth is refused with status 403 and code 20301. A client encodes the form and reads the
message's id, or the refusal's code, out of the JSON answer; one that does not count exactly as many
sent and refused, or a server that does not count as many requests, ends the measurement. libhongyan
besides reads each message from JSON, checks it, judges the whole answer and keeps its books.
libcurl's programs encode by `curl_easy_escape` and read by cJSON, of which the goals are a
multiple; in "only scanned" they look for two names in the answer and read it no further. reqwest's
and hyper's programs use serde; raw epoll sends bytes made beforehand and only frames the answers.

The server is one thread on one core, the client on another. CPU is user and system time of the
client's process from `getrusage`, after a warm-up of 600 messages. Figures are medians of the runs;
the runs of all clients are interleaved, and a ratio is the median of the ratios within one round.
Instructions and allocations are those of callgrind and memcheck, for the program and all its
libraries, as the difference of two runs of 600 and 3,000 messages.

The server is reached by the name localhost, as services are reached by names. Where the host is an
address in numbers, reqwest reads it out of the URL and writes it down again twice a message; what
that costs is counted in rows of their own.
"""


def output(*command):
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def lengths(row):
    """The lengths of the texts, out of the programs' own table."""
    source = (ROOT / "benches/c/work.h").read_text()
    table = re.search(r"WORK_LENGTHS\[\]\[3\] = \{(.*)\};", source)[1]
    numbers = re.findall(r"\d+", re.findall(r"\{(.*?)\}", table)[row])
    return f"{', '.join(numbers[:-1])} and {numbers[-1]}"


def machine(results):
    model = re.search(r"Model name:\s*(.*)", output("lscpu"))
    system = re.search(r'PRETTY_NAME="(.*)"', open("/etc/os-release").read())
    changed = output("git", "status", "--porcelain", "--", "src", "Cargo.toml", "Cargo.lock")
    commit = output("git", "rev-parse", "--short", "HEAD") + (", changed" if changed else "")
    compilers = [output("rustc", "--version"), output("cc", "--version").splitlines()[0]]
    load = " ".join(f"{value:.1f}" for value in results.load)
    yield "machine", f"{model[1] if model else 'unknown'}, {os.cpu_count()} cores"
    yield "system", f"{system[1] if system else 'unknown'}, Linux {platform.release()}"
    yield "compilers", "; ".join(compilers)
    yield "libcurl", output("curl-config", "--version")
    yield "load when it began", f"{load} (1, 5, 15 minutes)"
    yield "commit", commit
    yield "command", f"`RUNS={results.rounds} make bench`"
    yield "date", datetime.date.today().isoformat()


def table(head, rows, left=1):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * left + "--:|" * (len(head) - left)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def name(run):
    return NAMES[run.client, run.mode]


def timing(figures, runs, other):
    """The rows of one table; the ratio is to the client at that place."""
    head = ["client", "CPU µs", "ratio", "lowest–highest", "voluntary", "involuntary"]
    head += ["p50 µs", "p99 µs", "peak MB", "connections"]
    rows = []
    for run in runs:
        low, high = figures.spread(run, other)
        rows.append([
            name(run),
            f"{figures.median(run, 'cpu_us'):.1f}",
            f"{figures.ratio(run, other):.2f}",
            f"{low:.2f}–{high:.2f}",
            f"{figures.median(run, 'voluntary'):.3f}",
            f"{figures.median(run, 'involuntary'):.3f}",
            f"{figures.median(run, 'p50_us'):,.0f}",
            f"{figures.median(run, 'p99_us'):,.0f}",
            f"{figures.megabytes(run):.1f}",
            f"{figures.worst(run, 'connections')}",
        ])
    return table(head, rows)


def sections(results):
    figures = results.figures
    rows = []
    for what, figure, goal, decimals in plan.goals(results):
        met = "yes" if figure <= goal else "**no**"
        # A zero is added because -0.0 would be printed with its sign.
        shown = f"{round(figure, decimals) + 0.0:,.{decimals}f}"
        rows.append([what, shown, f"≤ {goal:,}", met])
    text = "Over plain http and with answers of 1.5 KB, where nothing else is said.\n\n"
    yield "Goals", text + table(["figure", "measured", "goal", "met"], rows)
    if figures.has(plan.AT_64[0]):
        text = (
            "Ratios to libcurl: multi at 64 and 16, easy at 1. Switches are a message's;\n"
            "connections are all that a process opened, the most of all runs.\n"
        )
        for count, runs in ((64, plan.AT_64), (16, plan.AT_16), (1, plan.AT_1)):
            text += f"\n### {count} in flight\n\n" + timing(figures, runs, runs[2])
        yield "Plain http, answers of 1.5 KB", text
    if figures.has(plan.SIZES[300][0]):
        text = ""
        for size, runs in plan.SIZES.items():
            text += f"\n### {size / 1000:g} KB\n\n" + timing(figures, runs, runs[2])
        yield "Other answers, 64 in flight", text.lstrip("\n")
        text = f"Texts of {lengths(1)} Chinese characters, as long as Weibo takes them.\n\n"
        yield "Long texts, 64 in flight", text + timing(figures, plan.LONG_64, plan.LONG_64[2])
    if figures.has(plan.TLS_64[0]):
        text = "Connections are kept; their handshakes are in the warm-up.\n"
        for count, runs in ((64, plan.TLS_64), (1, plan.TLS_1)):
            text += f"\n### {count} in flight\n\n" + timing(figures, runs, runs[1])
        yield "TLS 1.3, answers of 1.5 KB", text
    if results.instructions:
        yield "Counted", counted(results)
    if figures.has(plan.FLAT[0]):
        rows = [
            [
                f"{run.messages:,}",
                f"{figures.median(run, 'cpu_us'):.1f}",
                f"{figures.megabytes(run):.1f}",
            ]
            for run in plan.FLAT
        ]
        text = table(["messages", "CPU µs a message", "peak MB"], rows, 0)
        yield "Many messages, hongyan, 64 in flight", text
    if results.cold:
        yield "Cold start", cold(results)
    if results.sizes:
        rows = [[label, f"{results.sizes[build]:,}"] for build, label in BUILDS.items()]
        yield "The shared library, stripped", table(["build", "bytes"], rows)
    if results.code:
        text = "Of the services of chats after the first five, by the names of functions in the table of\n"
        text += "symbols; tables of verdicts and of fields are data.\n\n"
        speed, size = results.code["speed"], results.code["size"]
        rows = [
            [name, f"{speed[name] / 1e3:.1f}", f"{size[name] / 1e3:.1f}"]
            for name in sorted(speed, key=speed.get, reverse=True)
        ]
        yield "Code of a service", text + table(["service", "KB", "KB, built for size"], rows)


def counted_label(run):
    """The first columns of a row of the table of counts."""
    who = name(run) + (", host by number" if run.by_number else "")
    who += f", {run.service}" if run.service != "weibo" else ""
    return who, f"{run.in_flight}", run.texts


def sizes_before():
    """The sizes in bytes that the document holds, by build."""
    sizes = {}
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        for build, label in BUILDS.items():
            if len(cells) == 2 and cells[0] == label:
                sizes[build] = int(cells[1].replace(",", ""))
    return sizes


def counted_before():
    """The instructions and allocations that the document holds, by label."""
    counts = {}
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 5 and re.fullmatch(r"[\d,]+", cells[3]):
            counts[tuple(cells[:3])] = tuple(float(cell.replace(",", "")) for cell in cells[3:])
    return counts


def counted(results):
    rows = [
        [
            *counted_label(run),
            f"{count:,.0f}",
            f"{results.allocations[run]:.1f}",
        ]
        for run, count in results.instructions.items()
    ]
    head = ["client", "in flight", "texts", "user instructions a message", "allocations"]
    text = table(head, rows)
    rows = []
    for run, calls in results.system_calls.items():
        most = sorted(calls.items(), key=lambda call: -call[1])
        what = ", ".join(f"{call} {count:.2f}" for call, count in most)
        who = name(run) + (", long texts" if run.texts == "long" else "")
        who += ", host by number" if run.by_number else ""
        who += f", {run.service}" if run.service != "weibo" else ""
        rows.append([who, what, str(run.in_flight), f"{sum(calls.values()):.2f}"])
    if rows:
        text += "\nSystem calls a message, under strace, which changes the timing:\n\n"
        text += table(["client", "calls", "in flight", "together"], rows, 2)
    return text


def cold(results):
    rows = []
    for how, runs in plan.COLD.items():
        for run in runs:
            rows.append([
                how,
                name(run),
                f"{results.cold.median(run, 'wall_us') / 1000:.2f}",
                f"{results.cold.median(run, 'cpu_us') / 1000:.2f}",
                f"{results.cold.ratio(run, runs[1], 'wall_us'):.2f}",
            ])
    text = (
        "From exec to exit, with one message sent and answered. Over https libhongyan reads the\n"
        "system's authorities where those of the file do not vouch for the server, reqwest and\n"
        "libcurl as it is said.\n\n"
    )
    return text + table(["over", "client", "wall ms", "CPU ms", "ratio of wall"], rows, 2)


def markdown(results):
    text = INTRODUCTION.replace("LENGTHS", lengths(0)) + "\n"
    text += table(["", ""], [list(row) for row in machine(results)], 2)
    for title, body in sections(results):
        text += f"\n## {title}\n\n{body}"
    return text


def part(name):
    """A part with the lines around it, as the document has it now."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    old = DOCUMENT.exists() and re.search(f"{begin}.*{end}", DOCUMENT.read_text(), re.DOTALL)
    return old[0] if old else f"{begin}\n{end}"


def write(results):
    """Writes the page, and keeps the parts that are written apart."""
    parts = "".join(f"\n## {title}\n\n{part(name)}\n" for name, title in PARTS.items())
    DOCUMENT.write_text(markdown(results) + parts)


def write_part(name, text):
    """Writes one part, and keeps all others."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    new = DOCUMENT.read_text().replace(part(name), f"{begin}\n{text}{end}")
    DOCUMENT.write_text(new)
