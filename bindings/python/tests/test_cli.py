"""``python -m hongyan``, and the command that the package installs."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import hongyan
from conftest import Sandbox


def command(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hongyan", *arguments], capture_output=True, text=True, input=text
    )


def test_the_command_line(sandbox: Sandbox, tmp_path: Path) -> None:
    config = tmp_path / "hongyan.json"
    config.write_text(json.dumps(sandbox.config))
    given = ("--config", str(config))
    assert command(*given, "check").returncode == 0
    sent = command(
        *given, "--json", "send", "-a", sandbox.account("fanfou"), "--to", "user=lisztli", text="hi"
    )
    assert sent.returncode == 0 and json.loads(sent.stdout)["delivery"] == "sent"
    failed = command(*given, "send", "-a", sandbox.account("fanfou"), "--to", "user=nobody", "hi")
    assert failed.returncode == 1
    assert json.loads(command("--json", "services").stdout)
    assert command("--version").stdout == f"hongyan {hongyan.__version__}\n"


def test_usage_is_told(tmp_path: Path) -> None:
    for arguments in (["--colour"], ["fly"], ["--config", str(tmp_path / "none"), "check"]):
        wrong = command(*arguments)
        assert wrong.returncode == 2 and wrong.stderr and not wrong.stdout
    shown = command("--help")
    assert shown.returncode == 0 and "sandbox" in shown.stdout


def test_the_demo_runs() -> None:
    demo = command("demo")
    assert demo.returncode == 0 and "tencent_im" in demo.stdout


def test_ctrl_c_ends_the_sandbox_and_its_certificate() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "hongyan", "--json", "sandbox", "--port", "0", "--tls"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    ca_file = Path(json.loads(process.stdout.readline())["ca_file"])
    assert ca_file.exists()
    process.send_signal(signal.SIGINT)
    # The sweeper has our stdout's other end: this waits for it too.
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    for _ in range(1000):
        if not ca_file.exists():
            break
        subprocess.run([sys.executable, "-c", ""], check=True)
    assert not ca_file.exists()


def test_the_installed_command_is_the_same() -> None:
    installed = shutil.which("hongyan", path=str(Path(sys.executable).parent))
    if installed is None:
        pytest.fail("the package did not install its command")
    shown = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout == f"hongyan {hongyan.__version__}\n"
