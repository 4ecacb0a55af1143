"""A page in a real browser that is clicked and typed at: Chromium over its DevTools protocol."""

from __future__ import annotations

import base64
import itertools
import json
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from browser import CHROMIUM, SWITCHES
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60
_LEFT_OUT = ("--virtual-time-budget", "--host-resolver-rules", "--enable-logging")


class Page:
    """One tab."""

    def __init__(self, socket) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._session = None
        self.said: list[str] = []
        """Errors of the page, and what the browser refused it."""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Accessibility"):
            self._ask(f"{domain}.enable")

    def _ask(self, method, **parameters):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv(SECONDS))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def _note(self, event) -> None:
        parameters = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.said.append(str(parameters["exceptionDetails"]))
        elif event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.said.append(parameters["entry"]["text"])

    def shape(self, width=1200, height=1000, *, dark=False) -> None:
        """The window's size and the reader's colours."""
        mobile = width < 600
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        self._ask(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )

    def open(self, url) -> None:
        """Go to an address, and wait until it is there."""
        self._ask("Page.navigate", url=url)
        self.wait(f"location.href.startsWith({json.dumps(url)}) && document.readyState === 'complete'")

    def get(self, expression):
        """What an expression is in the page."""
        result = self._ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, expression, seconds=SECONDS):
        """Until an expression is true; what it is then."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                answer = self.get(expression)
                if answer or answer == {}:  # what an element comes as
                    return answer
            except AssertionError:  # between two pages there is nothing to ask
                pass
            if time.monotonic() > deadline:
                raise AssertionError(f"never: {expression}\n{self.said}\n{self.get('document.body.innerText')}")
            time.sleep(0.03)

    def press(self, key, *, shift=False) -> None:
        """A key, as the keyboard sends it."""
        text = {"Enter": "\r"}.get(key)
        modifiers = 8 if shift else 0
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        more = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key], "modifiers": modifiers}
        self._ask("Input.dispatchKeyEvent", type="keyDown", **more, **({"text": text} if text else {}))
        self._ask("Input.dispatchKeyEvent", type="keyUp", **more)

    def type(self, selector, text) -> None:
        """Into a field, in the place of what stands there."""
        self.get(f"document.querySelector({json.dumps(selector)}).focus()")
        self.get(f"document.querySelector({json.dumps(selector)}).select()")
        self._ask("Input.insertText", text=text)

    def click(self, selector) -> None:
        """In the middle of an element."""
        x, y = self.get(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        self.press_at(x, y)

    def press_at(self, x, y) -> None:
        """The left button, at a point of the window."""
        for kind in ("mousePressed", "mouseReleased"):
            self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def point_at(self, x, y) -> None:
        """The pointer, to a point of the window."""
        self._ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def names(self) -> list[tuple[str, str]]:
        """Role and name of all that a screen reader meets."""
        nodes = self._ask("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node.get("ignored") and "role" in node
        ]

    def picture(self, name) -> Path:
        """The whole page, to build/screenshots/."""
        folder = Path(__file__).parent.parent / "build" / "screenshots"
        folder.mkdir(parents=True, exist_ok=True)
        data = self._drawn()
        path = folder / f"{name}.png"
        path.write_bytes(base64.b64decode(data))
        assert path.stat().st_size > 8_000
        return path

    def _drawn(self, seconds=SECONDS) -> str:
        """The page as it is drawn. One that has just been fetched anew has no size yet, and cannot be taken."""
        deadline = time.monotonic() + seconds
        while True:
            self.wait("document.readyState === 'complete' && document.documentElement.scrollWidth > 0")
            try:
                return self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
            except AssertionError as refused:
                if "0 width" not in str(refused) or time.monotonic() > deadline:
                    raise
            time.sleep(0.03)


@contextmanager
def browser() -> Iterator[Page]:
    """A browser of its own, with an empty profile; gone at the end."""
    profile = tempfile.mkdtemp(prefix="aiops-browser-")
    switches = [one for one in SWITCHES if not one.startswith(_LEFT_OUT)]
    process = subprocess.Popen(
        [CHROMIUM, *switches, f"--user-data-dir={profile}", "--no-proxy-server", "--remote-debugging-port=0"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        address = None
        for line in process.stderr:
            if found := re.search(r"DevTools listening on (ws://\S+)", line):
                address = found[1]
                break
        assert address, "the browser says no address"
        with connect(address, max_size=None, proxy=None) as socket:
            yield Page(socket)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stderr.close()
        shutil.rmtree(profile, ignore_errors=True)
