"""Headless Chromium, driven through a pipe: pages from files, keys, touches, both themes, screenshots; no network."""

import json
import os
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import F_DUPFD, fcntl
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe")


class Browser:
    """One page of a browser, and the addresses that it asked for."""

    def __init__(self, reader: Any, writer: Any) -> None:
        self.reader, self.writer, self.number, self.session = reader, writer, 0, None
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """What the browser answers to a command of the DevTools protocol."""
        self.number += 1
        session = {"sessionId": self.session} if self.session else {}
        self.writer.write(
            json.dumps({"id": self.number, "method": method, "params": params} | session).encode() + b"\0"
        )
        self.writer.flush()
        while (message := self._read()).get("id") != self.number:
            self.events.append(message)
        assert "error" not in message, message
        return dict(message["result"])

    def _read(self) -> dict[str, Any]:
        letters = bytearray()
        while (letter := self.reader.read(1)) != b"\0":
            assert letter, "the browser is gone"
            letters += letter
        return dict(json.loads(letters))

    def open(self, path: Path, fragment: str = "") -> None:
        """Load a file anew, and wait until it has run."""
        self.events.clear()
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=f"{path.as_uri()}{fragment}")
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events[2:]):
            self.events.append(self._read())
        self.run("new Promise(requestAnimationFrame)")

    def run(self, code: str) -> Any:
        """The value of an expression of JavaScript in the page; what it throws fails."""
        answer = self.send("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def size(self, width: int, height: int, theme: str = "light") -> None:
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])

    def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key)

    def drag(self, *places: tuple[float, float]) -> None:
        """Press the mouse at the first place, move it over the others, and let it go at the last."""
        kinds = ["mousePressed", *["mouseMoved"] * (len(places) - 1), "mouseReleased"]
        for kind, (x, y) in zip(kinds, [*places, places[-1]], strict=True):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def touch(self, *places: tuple[float, float]) -> None:
        """The same with a finger."""
        self.send("Emulation.setTouchEmulationEnabled", enabled=True)
        kinds = ["touchStart", *["touchMove"] * (len(places) - 1)]
        for kind, (x, y) in zip(kinds, places, strict=True):
            self.send("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y}])
        self.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def picture(self) -> bytes:
        return b64decode(self.send("Page.captureScreenshot", captureBeyondViewport=True)["data"])

    @property
    def asked(self) -> list[str]:
        """The addresses of every request since the last `open`."""
        sent = [event for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with a profile of its own, ended when the block ends."""
    (theirs, writing), (reading, ours) = os.pipe(), os.pipe()
    high = [fcntl(end, F_DUPFD, 10) for end in (theirs, ours)]  # the browser wants them as 3 and 4
    command = [str(PROGRAM), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    shell = ["bash", "-c", f'exec "$@" 3<&{high[0]} 4>&{high[1]}', "bash", *command]
    process = subprocess.Popen(shell, pass_fds=high, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for end in (theirs, ours, *high):
        os.close(end)
    with process, os.fdopen(writing, "wb") as writer, os.fdopen(reading, "rb") as reader:
        try:
            yield Browser(reader, writer)
        finally:
            process.kill()
