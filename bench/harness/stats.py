# SPDX-License-Identifier: MIT
"""Medians and ratios. A ratio is taken inside a round, of two servers that were measured seconds
apart; the median of the rounds' ratios is the figure. So a machine that slows down halfway does
not change it."""

import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Spread:
    median: float
    low: float
    high: float


def spread(values):
    """Of the values that are there; None when none is."""
    present = [value for value in values if value is not None]
    if not present:
        return None
    return Spread(statistics.median(present), min(present), max(present))


class Figures:
    """Reads a run's results: see measure.py for what is in them."""

    def __init__(self, results):
        self.results = results

    def works(self, kind):
        return [work for work in self.results["works"] if work["kind"] == kind]

    def work(self, name):
        return next((work for work in self.results["works"] if work["name"] == name), None)

    def peers(self):
        """Those that Quoit is compared with: no limits, and not itself."""
        contestants = self.results["contestants"]
        return [name for name, facts in contestants.items() if facts["role"] == "peer"]

    def values(self, work, contestant, metric):
        """A value a round, None where it failed or was not measured."""
        rounds = self.work(work)["rounds"] if self.work(work) else []
        return [figures.get(contestant, {}).get(metric) for figures in rounds]

    def spread(self, work, contestant, metric):
        return spread(self.values(work, contestant, metric))

    def median(self, work, contestant, metric):
        found = self.spread(work, contestant, metric)
        return found.median if found else None

    def ratio(self, work, metric, name, other):
        """@name's to @other's, round by round."""
        pairs = zip(self.values(work, name, metric), self.values(work, other, metric))
        return spread(
            [mine / theirs if mine is not None and theirs else None for mine, theirs in pairs]
        )

    def best(self, work, metric, names, lower=True):
        """The one of @names with the best median; None if none has one."""
        measured = {name: self.median(work, name, metric) for name in names}
        measured = {name: value for name, value in measured.items() if value is not None}
        if not measured:
            return None
        return (min if lower else max)(measured, key=measured.get)

    def complaint(self, work, contestant):
        """Why there is no figure: the first reason any round gave."""
        for figures in self.work(work)["rounds"]:
            own = figures.get(contestant, {})
            reason = own.get("failed") or own.get("unable")
            if reason:
                return reason
        return None
