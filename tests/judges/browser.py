"""Headless Chromium over the pipe of its DevTools protocol: no driver and no library between."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any

# What ends a browser that hangs; a page that is fast is not waited for.
LONGEST_S = 300
NAMES = ("chromium", "chromium-browser", "google-chrome")


class Page:
    """A page in a browser of its own."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._bytes = b""
        self._number = 0
        self._session: str | None = None
        self.complaints: list[Any] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        call = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            call["sessionId"] = self._session
        os.write(self._commands, json.dumps(call).encode() + b"\0")
        while True:
            message = self._read()
            if message.get("id") == self._number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            if message.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.complaints.append(message["params"])

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._bytes:
            some = os.read(self._answers, 1 << 16)
            assert some, "the browser has ended"
            self._bytes += some
        message, self._bytes = self._bytes.split(b"\0", 1)
        return json.loads(message)

    def go(self, url: str) -> None:
        """Opens a page, and waits until it is there."""
        self._call("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def leave(self) -> None:
        """Leaves the page, so that it asks for nothing any more."""
        self._call("Page.navigate", url="about:blank")
        self.until("location.href === 'about:blank'")

    def value(self, expression: str) -> Any:
        """The value of an expression in the page, awaited where it is a promise."""
        answer = self._call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, condition: str) -> None:
        """Waits until a condition holds in the page."""
        waiting = f"""new Promise((done, failed) => {{
            const end = Date.now() + {LONGEST_S * 1000};
            const look = () => {{
                try {{ if ({condition}) return done(true); }}
                catch (error) {{ return failed(error); }}
                Date.now() > end ? failed(new Error('never')) : setTimeout(look, 10);
            }};
            look();
        }})"""
        try:
            self.value(waiting)
        except AssertionError as error:
            raise AssertionError(
                f"{condition}: {error}\n{self.value('document.body.innerText')}"
            ) from error

    def click(self, selector: str) -> None:
        """Clicks with the mouse where an element is."""
        place = self.value(f"""(() => {{
            const node = document.querySelector({json.dumps(selector)});
            node.scrollIntoView({{block: 'center'}});
            const box = node.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self._call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=place[0],
                y=place[1],
                button="left",
                clickCount=1,
            )

    def type(self, selector: str, text: str) -> None:
        """Clicks into a field and types in place of what is there."""
        self.click(selector)
        self.value(f"document.querySelector({json.dumps(selector)}).select()")
        if text:
            self._call("Input.insertText", text=text)
        else:
            for kind in ("keyDown", "keyUp"):
                self._call(
                    "Input.dispatchKeyEvent", type=kind, key="Backspace", windowsVirtualKeyCode=8
                )

    def choose(self, selector: str, value: str) -> None:
        """Chooses from a list, as a person's choice would."""
        self.value(f"""(() => {{
            const list = document.querySelector({json.dumps(selector)});
            list.value = {json.dumps(value)};
            list.dispatchEvent(new Event('change', {{bubbles: true}}));
        }})()""")

    def picture(self, path: str) -> None:
        """Writes what is seen into a PNG file."""
        data = self._call("Page.captureScreenshot", captureBeyondViewport=False)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))


@contextlib.contextmanager
def page() -> Iterator[Page]:
    """Runs a browser with one empty page."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    assert found is not None, f"none of {', '.join(NAMES)} is installed; tools/test-tools does that"
    # It reads commands at descriptor 3 and writes answers at 4.
    (read_commands, commands), (answers, write_answers) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(
        prefix="hongyan-browser.", ignore_cleanup_errors=True
    ) as profile:
        options = [
            "--headless=new",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
            "--disable-gpu",
        ]
        options += [
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
        ]
        options += ["--window-size=1280,900", "--disable-dev-shm-usage"]
        if os.geteuid() == 0:
            options.append("--no-sandbox")
        # The shell puts the descriptors where the browser looks for them.
        script = f'exec 3<&{read_commands} 4>&{write_answers}; exec "$0" "$@" 2>/dev/null'
        process = subprocess.Popen(
            ["bash", "-c", script, found, *options], pass_fds=(read_commands, write_answers)
        )
        os.close(read_commands)
        os.close(write_answers)
        try:
            yield Page(commands, answers)
        finally:
            os.close(commands)
            os.close(answers)
            process.kill()
            process.wait()
