"""What is in the package, and what is not."""

from __future__ import annotations

import pydoc
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import hongyan
from hongyan import _native

PACKAGE = Path(hongyan.__file__).parent
ROOT = Path(__file__).parents[3]


def test_nothing_but_its_init_is_exported() -> None:
    symbols = subprocess.run(
        ["nm", "-D", "--defined-only", _native.__file__], capture_output=True, text=True, check=True
    )
    names = [line.split()[-1] for line in symbols.stdout.splitlines()]
    assert names == ["PyInit__native"]


def test_one_build_serves_every_python() -> None:
    assert Path(_native.__file__).name == "_native.abi3.so"
    assert (PACKAGE / "py.typed").exists() and (PACKAGE / "_native.pyi").exists()


def test_everything_public_is_there_and_explained() -> None:
    for name in hongyan.__all__:
        thing = getattr(hongyan, name)
        assert name == "__version__" or thing.__doc__, name
        assert name in dir(hongyan)
    for cls in (hongyan.Client, hongyan.AsyncClient, hongyan.Receipt, hongyan.Error):
        for name in vars(cls):
            if not name.startswith("_"):
                doc = getattr(cls, name).__doc__
                assert doc or name in hongyan.Error.__annotations__, f"{cls}.{name}"


def test_help_is_a_good_page() -> None:
    page = pydoc.plain(pydoc.render_doc(hongyan.Client.send))
    for word in ("account", "timeout: ", "Raises", "MaybeSentError", "Receipt", "retry_after"):
        assert word in page, word


def test_importing_it_is_cheap() -> None:
    program = "import sys, hongyan; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    modules = set(loaded.stdout.split())
    assert "hongyan._native" in modules
    assert not modules & {"asyncio", "typing", "json", "threading", "dataclasses", "inspect"}


def test_both_projects_are_the_same() -> None:
    def told(path: Path) -> list[str]:
        text = path.read_text()
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        paths = ("readme", "manifest-path", "python-source")
        return [line for line in lines if not line.startswith(paths)]

    assert told(ROOT / "pyproject.toml") == told(ROOT / "bindings/python/pyproject.toml")


def test_versions_agree() -> None:
    def version(path: str) -> str:
        found = re.search(r'^version = "(.*)"$', (ROOT / path).read_text(), re.MULTILINE)
        assert found is not None
        return found[1]

    assert version("bindings/python/Cargo.toml") == version("Cargo.toml") == hongyan.__version__


def test_the_core_is_locked_as_in_the_rest_of_the_project() -> None:
    def locked(path: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        text = (ROOT / path).read_text()
        for name, version in re.findall(r'^name = "(.*)"\nversion = "(.*)"$', text, re.MULTILINE):
            found.setdefault(name, set()).add(version)
        return found

    rest = locked("Cargo.lock")
    for name, versions in locked("bindings/python/Cargo.lock").items():
        assert name not in rest or versions <= rest[name], name


def test_helpers_make_what_the_core_takes() -> None:
    accounts, parts = hongyan.accounts, hongyan.parts
    config: dict[str, Any] = {
        "v": 1,
        "accounts": {
            "ff": accounts.fanfou(
                accounts.basic("u", "p"), format="xml", rate={"count": 1, "per_ms": 9}
            ),
            "ff2": accounts.fanfou(accounts.oauth1("k", "s", "t", "u"), rate=accounts.NO_LIMIT),
            "sina": accounts.sina(accounts.basic("u", "p"), app_key="k"),
            "weibo": accounts.weibo(accounts.oauth2("t", send="header"), app_key="k"),
            "renren": accounts.renren(accounts.bearer("t"), params="form", max_in_flight=3),
            "renren2": accounts.renren(accounts.mac("t", "k")),
            "im": accounts.tencent_im(
                accounts.usersig(1400000000, "admin", "key", expire_s=60, userbuf="b"), region="cn"
            ),
            "hook": accounts.webhook(accounts.none(), url="https://hooks.example.com/in"),
            "sl": accounts.slack(accounts.bot("xoxb-1")),
            "tg": accounts.telegram(accounts.bot("110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw")),
        },
    }
    with hongyan.Client(config) as client:
        assert set(client.stats()["accounts"]) == set(config["accounts"])
    assert accounts.fanfou(accounts.basic("u", "p"), rate=accounts.NO_LIMIT)["rate"] is None
    assert parts.mention("tommy", name="Tommy") == {
        "type": "mention",
        "user": "tommy",
        "name": "Tommy",
    }
    assert parts.mention_all() == {"type": "mention", "all": True}
    assert parts.text("x") == {"type": "text", "text": "x"}
    assert parts.face(6, data="d") == {"type": "face", "index": 6, "data": "d"}
    assert parts.location(1, 2, address="a")["address"] == "a"
    assert parts.link("http://example.com", title="t") == {
        "type": "link",
        "url": "http://example.com",
        "title": "t",
    }
    assert parts.custom("d", desc="e") == {"type": "custom", "data": "d", "desc": "e"}
    assert parts.raw({"MsgType": "x"}) == {"type": "raw", "value": {"MsgType": "x"}}
