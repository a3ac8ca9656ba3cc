"""A headless Chromium, driven by the DevTools protocol over a pipe: JSON messages that end in NUL."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")
DEADLINE_SECONDS = 60


def find():
    """The path of a Chromium, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def high(descriptor):
    """The same file under a number out of the way of 3 and 4."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 64)
    os.close(descriptor)
    return moved


class Browser:
    """One browser with one page. Use it as a context: what it started ends with it."""

    def __init__(self, path):
        self.folder = tempfile.TemporaryDirectory(prefix="redis2pg-browser-")
        self.events, self.buffer, self.number, self.session = [], b"", 0, None
        to_read, self.to_browser = map(high, os.pipe())
        self.from_browser, to_write = map(high, os.pipe())
        # The browser reads from 3 and writes to 4. A process group of its own: it is ended whole.
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_read} 4>&{to_write} {to_read}<&- {to_write}>&-', "browser", path,
             "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
             "--force-color-profile=srgb", f"--user-data-dir={self.folder.name}/profile", "--remote-debugging-pipe"],
            pass_fds=(to_read, to_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(f"{self.folder.name}/stderr", "wb"), start_new_session=True,
            env={**os.environ, "HOME": self.folder.name})
        os.close(to_read)
        os.close(to_write)

    def __enter__(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self.call("Browser.close")
            self.process.wait(10)
        except (OSError, RuntimeError, subprocess.TimeoutExpired):
            os.killpg(self.process.pid, 9)
            self.process.wait()
        os.close(self.to_browser)
        os.close(self.from_browser)
        for _ in range(50):  # the profile is written to until the last of its processes is gone
            try:
                self.folder.cleanup()
                return
            except OSError:
                time.sleep(0.1)

    def receive(self, deadline):
        """The next message."""
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.from_browser], [], [], left)[0]:
                raise RuntimeError("the browser does not answer")
            got = os.read(self.from_browser, 1 << 20)
            if not got:
                with open(f"{self.folder.name}/stderr", encoding="utf-8", errors="replace") as log:
                    raise RuntimeError(f"the browser went away: {log.read()[-2000:]}")
            self.buffer += got
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        """Calls a method and gives its result; events that come meanwhile are kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        data, at = json.dumps(message).encode() + b"\0", 0
        while at < len(data):
            at += os.write(self.to_browser, data[at:])
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            answer = self.receive(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url):
        """Opens a page and waits until it is loaded. Events of what was before are forgotten."""
        self.events = []
        self.call("Page.navigate", url=url)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive(deadline))

    def evaluate(self, script):
        """The value of an expression in the page."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{result['exceptionDetails']} in {script}")
        return result["result"].get("value")

    def size(self, width, height=900, scale=1):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                  mobile=width < 500)

    def medium(self, scheme="light", medium=""):
        self.call("Emulation.setEmulatedMedia", media=medium,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path, whole=True):
        """A PNG of the page."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def named(self, *methods):
        """Parameters of the events that came, of some methods."""
        return [event["params"] for event in self.events if event.get("method") in methods]
