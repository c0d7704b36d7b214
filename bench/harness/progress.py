# SPDX-License-Identifier: MIT
"""A line on stderr about what a long run does and how long it still takes."""

import sys
import time

EVERY_SECONDS = 10  # where stderr is no terminal


def clock(seconds):
    minutes, seconds = divmod(int(seconds + 0.5), 60)
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


class Progress:
    """@weights are the steps' expected seconds: only their proportions matter."""

    def __init__(self, weights, stream=sys.stderr, now=time.monotonic):
        self.left = list(weights)
        self.count = len(self.left)
        self.done = 0
        self.stream = stream
        self.now = now
        self.start = now()
        self.shown = -EVERY_SECONDS

    def line(self, what):
        elapsed = self.now() - self.start
        number = self.count - len(self.left) + 1
        text = f"bench: {number} of {self.count}, {clock(elapsed)}"
        if self.done:
            text += f", about {clock(elapsed * sum(self.left) / self.done)} left"
        return f"{text}: {what}"

    def step(self, what):
        """Before a step: says so."""
        elapsed = self.now() - self.start
        if self.stream.isatty():
            self.stream.write(f"\r\x1b[K{self.line(what)[:110]}")
        elif elapsed - self.shown >= EVERY_SECONDS:
            self.shown = elapsed
            self.stream.write(f"{self.line(what)}\n")
        self.stream.flush()

    def finished(self):
        """After a step."""
        self.done += self.left.pop(0)

    def note(self, text):
        """What the reader should see whatever else happens."""
        end = "\r\x1b[K" if self.stream.isatty() else ""
        self.stream.write(f"{end}bench: {text}\n")
        self.stream.flush()

    def end(self):
        if self.stream.isatty():
            self.stream.write("\r\x1b[K")
        self.note(f"{self.count - len(self.left)} measurements in {clock(self.now() - self.start)}")
