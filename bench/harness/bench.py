# SPDX-License-Identifier: MIT
"""A whole run: works one after the other, inside each its rounds, inside each round the contestants
in turn. The result is one dictionary, which is what results.json holds and report.py reads."""

import contextlib
import fcntl
import json
import subprocess

from . import machine, stats
from .contestants import OWN
from .measure import measure
from .stage import Stage
from .works import PEAK


class Bench:
    def __init__(self, load, cores, folder, pace, raw_client, lock=None):
        self.load = load
        self.cores = cores
        self.folder = folder
        self.pace = pace
        self.raw_client = raw_client
        self.lock = lock
        self.own = None  # the contestant that is Quoit
        self.results = {}

    def run(self, works, contestants, rounds, progress, missing, micro=()):
        self.own = next(one for one in contestants if one.role == "own")
        self.results = {
            "machine": machine.describe(),
            "pace": {**vars(self.pace), "rounds": rounds},
            "contestants": {
                contestant.name: {"role": contestant.role, "version": contestant.version}
                for contestant in contestants
            },
            "missing": missing,
            "works": [],
            "micro": [],
        }
        for work in works:
            invited = [one for one in contestants if one.role != "limit" or one.name in work.limits]
            self.run_work(work, invited, rounds, progress)
        for program in micro:
            progress.step(program.name)
            self.results["micro"] += self.run_micro(program, progress)
            progress.finished()
        return self.results

    @contextlib.contextmanager
    def quiet(self):
        """With the lock of the machine's cores, if there is one."""
        if not self.lock:
            yield
            return
        with open(self.lock, "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def run_work(self, work, contestants, rounds, progress):
        record = {
            "name": work.name,
            "title": work.title,
            "kind": work.kind,
            "shape": work.calls.shape,
            "message_bytes": len(work.calls.message),
            "limits": list(work.limits),
            "rounds": [],
            "commands": {},
        }
        self.results["works"].append(record)
        with Stage(work, self) as stage:
            for number in range(rounds):
                figures = {}
                for contestant in rotated(contestants, number):
                    progress.step(
                        f"{work.title}: {contestant.name}, round {number + 1} of {rounds}"
                    )
                    with self.quiet():
                        figures[contestant.name] = measure(stage, contestant)
                    if "failed" in figures[contestant.name]:
                        why = figures[contestant.name]["failed"]
                        progress.note(f"{work.name}: {contestant.name} failed: {why}")
                    progress.finished()
                record["rounds"].append(figures)
            record["commands"] = stage.commands

    def run_micro(self, program, progress):
        """What one of the micro-benchmarks prints: a figure beside its limit, a line each."""
        command = [program, "--json"]
        with self.quiet():
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            reason = lines[-1].removeprefix(f"{program.name}: ")
            progress.note(f"{program.name} failed: {reason}")
            self.results["missing"][program.name] = reason
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return [{"program": program.name, **line} for line in lines]

    def peak(self, name):
        """Calls a second that a contestant reached at most, flat out."""
        return stats.Figures(self.results).median(PEAK, name, "calls_per_second")

    def best_peak(self):
        """The best peer's; without peers Quoit's own."""
        figures = stats.Figures(self.results)
        names = figures.peers() or [OWN]
        best = figures.best(PEAK, "calls_per_second", names, lower=False)
        return self.peak(best) if best else None


def rotated(items, by):
    """In turn; the first one changes."""
    by %= len(items)
    return items[by:] + items[:by]
