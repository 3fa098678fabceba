"""The Python that README shows runs as it stands there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from conftest import Sandbox

README = Path(__file__).parents[3] / "README.md"


def test_the_python_of_the_readme(sandbox: Sandbox, tmp_path: Path) -> None:
    blocks = README.read_text(encoding="utf-8").split("\n```python\n")[1:]
    assert blocks, "README has no Python"
    accounts = {"ops": sandbox.config["accounts"]["telegram"]}
    (tmp_path / "hongyan.json").write_text(json.dumps({"v": 1, "accounts": accounts}))
    for block in blocks:
        command = [sys.executable, "-c", block.split("\n```")[0]]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("sent "), done.stdout
