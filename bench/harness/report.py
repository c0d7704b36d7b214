# SPDX-License-Identifier: MIT
"""Results as Markdown: README.md of docs/benchmarks."""

from . import bars, stats, tables
from .contestants import OWN
from .tables import markdown, number, spread

READ_ME = """\
## How to read it

- **CPU** is what the server takes of its core for a call: the CPU clock of all its threads
  around a known number of calls, divided by them. It is the figure that holds on a shared
  machine. Calls a second depend on the load generator too: where its core is fully busy, they
  say more about it than about the server.
- The server has one core, the load another. Servers take turns inside a round; **ratios are
  taken inside a round**, and the median of the rounds is shown; lowest and highest round in
  brackets. `3.1 ×` in a peer's cell: it takes 3.1 times what Quoit takes.
- **Clients** are each library's own, a program on the load's core that calls Quoit's server; the
  figure is what it takes of that core.
- The *best peer* is whoever has the best median for that work. *floor* answers canned bytes
  without parsing HTTP/2, *raw-epoll* and *raw-uring* echo the same bytes over TCP alone: limits,
  not servers one could use. *quoit-epoll* is Quoit's own program without io_uring.
- **Open loop**: calls come on a fixed schedule, whatever the server does, and latency counts
  from the scheduled time, so a stall counts for every call it delays (no coordinated omission).
- **Start-up** is from exec, of taskset and a shell that become the server, to the first answer.
- A server that cannot do a work, or is not here, is named with the reason; no figure is made up.
- All rounds, all latencies and the exact commands of each work are in
  [results.json](results.json). [tried.md](tried.md) says what was tried to get here, and lost.
  [features.md](features.md) has what an access log, metrics and the like cost, [http1.md](http1.md) what calls by HTTP/1.1 do.
"""


QUIET = 0.1  # cores that others may take before wall time means little


def machine_table(results):
    rows = [[name, text] for name, text in results["machine"].items()]
    for name, facts in results["contestants"].items():
        if facts["version"]:
            rows.append([name, facts["version"]])
    return markdown(["", ""], rows)


def verdict_word(verdict):
    if verdict.reached is None:
        return "not measured"
    return "reached" if verdict.reached else "**not reached**"


def bars_table(figures):
    rows = []
    for verdict in bars.verdicts(figures):
        bar = verdict.bar
        digits = 0 if bar.metric.endswith("_bytes") else 3
        value = spread(verdict.value, digits)
        if verdict.value and verdict.against:
            value += f" of {verdict.against}'s"
        title = figures.work(bar.work)["title"]
        rows.append([title, bar.title, bar.text, value, verdict_word(verdict)])
    return markdown(["work", "figure", "bar", "Quoit", ""], rows)


def strangers_line(figures):
    """How busy other programs kept the machine meanwhile."""
    shares = [
        figure["strangers"]
        for work in figures.results["works"]
        for round_ in work["rounds"]
        for figure in round_.values()
        if "strangers" in figure
    ]
    if not shares:
        return ""
    found = stats.spread(shares)
    line = f"Other programs kept {spread(found)} of the two cores busy (median, lowest, highest).\n"
    if found.median > QUIET:
        line += (
            "\n**That is too much for figures of wall time** (calls a second, latency, speed-up); "
            "CPU ratios hold better. Run it again on a quiet machine.\n"
        )
    return line


def missing_list(results):
    return "".join(f"- {name}: {reason}\n" for name, reason in results["missing"].items())


def complaints_list(figures):
    """Who gave no figure, and why."""
    lines = []
    for work in figures.results["works"]:
        for name in figures.results["contestants"]:
            reason = figures.complaint(work["name"], name)
            if reason:
                lines.append(f"- {work['title']}: {name}: {reason}\n")
    return "".join(lines)


def micro_table(results):
    rows = []
    for line in results["micro"]:
        share = f"{line['share']:.2f}" if line.get("share") is not None else ""
        cells = [number(line["quoit"], 2), number(line["limit"], 2), line["unit"], share]
        rows.append([line["name"], *cells])
    return markdown(["", "Quoit", "limit", "unit", "share"], rows)


def commands_section(results):
    pace = results["pace"]
    lines = [
        f"{pace['rounds']} rounds; a closed-loop measurement takes {pace['seconds']} s, an "
        f"open-loop one {pace['open_seconds']} s, after {pace['warmup_seconds']} s to get warm. "
        "Quoit's and the load's commands (the peers' differ in the folder; all are in "
        "results.json):\n\n```\n",
        f"{results['command']}\n\n",
    ]
    for work in results["works"]:
        lines.append(f"# {work['title']}\n")
        for who in (OWN, "load", "raw load"):
            if who in work["commands"]:
                lines.append(f"{work['commands'][who]}\n")
    return "".join([*lines, "```\n"])


def report(results, plots=()):
    """@plots are (file, title), beside the report."""
    figures = stats.Figures(results)
    parts = [
        "# Quoit beside its peers\n",
        f"`{results['command']}`, {results['machine']['date']}\n",
    ]
    parts += [strangers_line(figures)]
    parts += [f"![{title}]({file})\n" for file, title in plots]
    if bars.verdicts(figures):
        parts += ["## What it is to reach\n", bars_table(figures)]
    for title, table in tables.sections(figures):
        parts += [f"## {title}\n", table]
    if results["micro"]:
        text = "A part of Quoit beside the least such a part could cost.\n"
        parts += ["## Parts and their limits\n", text, micro_table(results)]
    if results["missing"]:
        parts += ["## Not measured\n", missing_list(results)]
    complaints = complaints_list(figures)
    if complaints:
        parts += ["## No figure\n", complaints]
    parts += [READ_ME, "## Machine and versions\n", machine_table(results)]
    parts += ["## Commands\n", commands_section(results)]
    return "\n".join(parts)
