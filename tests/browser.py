# SPDX-License-Identifier: MIT
"""A real browser without a window: Chromium, by its devtools protocol over two pipes."""

import base64
import contextlib
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PATIENCE = 60  # seconds for what takes a second at most: the machine may be busy

# What every document of a page notes of itself.
OBSERVER = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    if (!entry.hadRecentInput)
      window.shifts.push([entry.value, ...entry.sources.map(({ node }) => node?.id || node?.parentElement?.id || node?.nodeName)]);
}).observe({ type: "layout-shift", buffered: true });
"""

# The texts whose contrast with what is behind them is below WCAG's AA. Colours are opaque here.
CONTRAST = """
(() => {
  const light = (channel) => ((channel /= 255) <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4);
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const color = parse(getComputedStyle(element).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join("") || element.value;
    if (!text || !element.checkVisibility({ visibilityProperty: true }) || element.matches(":disabled")) continue;
    const style = getComputedStyle(element);
    const [a, b] = [luminance(parse(style.color)), luminance(behind(element))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < needed) bad.push(`${element.tagName} ${element.id}: ${ratio.toFixed(2)} of ${needed}: ${text}`);
  }
  return bad;
})()
"""


def program():
    """A Chromium of this machine, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Page:
    """One tab."""

    def __init__(self, browser, session):
        self.browser = browser
        self.session = session
        self.errors = []  # what the console had to say
        for domain in ("Page", "Runtime", "Log", "Accessibility"):
            self.send(f"{domain}.enable")
        self.send("Page.addScriptToEvaluateOnNewDocument", source=OBSERVER)

    def send(self, method, **parameters):
        return self.browser.send(method, self.session, **parameters)

    def on_event(self, method, parameters):
        if method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(parameters["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            self.errors.append(json.dumps(parameters["args"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.errors.append(json.dumps(parameters["entry"]))

    def look(self, width=1200, height=900, scheme="light"):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", features=features)

    def scripts(self, enabled):
        self.send("Emulation.setScriptExecutionDisabled", value=not enabled)

    def open(self, url):
        result = self.send("Page.navigate", url=url)
        assert "errorText" not in result, result
        self.wait("document.readyState === 'complete'")

    def value(self, expression):
        """What @expression is, a promise's result included."""
        result = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, expression, seconds=PATIENCE):
        """Until it is true; returns what it is."""
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(AssertionError):  # between two documents
                value = self.value(expression)
                if value:
                    return value
            assert time.monotonic() < end, f"not within {seconds} s: {expression}; {self.text()[:2000]!r}; {self.errors}"
            time.sleep(0.05)

    def text(self, id=None):
        return self.value("document.body.innerText" if id is None else f"document.getElementById('{id}').textContent")

    def key(self, key, shift=False):
        code = {"Tab": 9, "Enter": 13, " ": 32}.get(key, 0)
        text = {"Enter": "\r", " ": " "}.get(key, "")
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                windowsVirtualKeyCode=code,
                modifiers=8 if shift else 0,
                **({"text": text} if text and kind == "keyDown" else {}),
            )

    def type(self, id, text):
        """Into the field of that id, in place of what is there."""
        self.value(f"document.getElementById('{id}').select()")
        self.send("Input.insertText", text=text)

    def screenshot(self, path, height=None):
        """Of what one sees, or of the whole page."""
        picture = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=height is None)
        path.write_bytes(base64.b64decode(picture["data"]))


class Browser:
    """Chromium, with nothing in it from before."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        there, self.out = os.pipe()
        self.into, back = os.pipe()
        options = ["--remote-debugging-pipe", f"--user-data-dir={self.folder.name}", "--disable-gpu"]
        options += ["--headless", "--hide-scrollbars", "--no-first-run", "--disable-background-networking"]
        options += ["--disable-dev-shm-usage", "--ignore-certificate-errors"]
        if os.getuid() == 0:
            options.append("--no-sandbox")
        # it has its pipes at 3 and 4; sh knows descriptors up to 9 only
        shell = ["bash", "-c", f'exec "$@" 3<&{there} 4>&{back}', "bash"]
        self.process = subprocess.Popen(
            [*shell, program(), *options, "about:blank"],
            pass_fds=(there, back),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(there)
        os.close(back)
        self.numbers = itertools.count(1)
        self.buffer = b""
        self.pages = {}

    def _receive(self, end):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.into], [], [], max(0, end - time.monotonic()))
            assert ready, "the browser does not answer"
            part = os.read(self.into, 1 << 20)
            assert part, "the browser has ended"
            self.buffer += part
        text, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(text)

    def send(self, method, session=None, **parameters):
        """The result of @method."""
        number, end = next(self.numbers), time.monotonic() + PATIENCE
        request = {"id": number, "method": method, "params": parameters}
        if session:
            request["sessionId"] = session
        os.write(self.out, json.dumps(request).encode() + b"\0")
        while True:
            message = self._receive(end)
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            page = self.pages.get(message.get("sessionId"))
            if page and "method" in message:
                page.on_event(message["method"], message["params"])

    def page(self):
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.pages[session] = page = Page(self, session)
        page.look()
        return page

    def close(self):
        with contextlib.suppress(OSError, AssertionError):
            self.send("Browser.close")
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.out)
        os.close(self.into)
        self.folder.cleanup()
