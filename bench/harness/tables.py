# SPDX-License-Identifier: MIT
"""The report's tables of figures: a row a work, a column a contestant."""

from .contestants import OWN


def number(value, digits=1):
    """About three figures that matter, thousands apart."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        digits = 0
    elif 0 < abs(value) < 0.1:
        digits = max(digits, 3)
    return f"{value:,.{digits}f}"


def spread(found, digits=2):
    if found is None:
        return "–"
    return (
        f"{number(found.median, digits)} ({number(found.low, digits)}–{number(found.high, digits)})"
    )


def markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def columns(figures, works):
    """Quoit first, then all that were in one of @works."""
    seen = {name for work in works for figure in work["rounds"] for name in figure}
    names = [name for name in figures.results["contestants"] if name in seen]
    return sorted(names, key=lambda name: name != OWN)


def cell(figures, work, name, metric, scale, digits, compare):
    median = figures.median(work["name"], name, metric)
    if median is None:
        mentioned = any(name in figure for figure in work["rounds"])
        return "–" if mentioned else ""
    text = number(median * scale, digits)
    if name == OWN:
        return f"**{text}**"
    ratio = figures.ratio(work["name"], metric, name, OWN) if compare else None
    if ratio is None:
        return text
    return f"{text} · {number(ratio.median, 2)} ×"


def metric_table(figures, works, metric, scale=1, digits=2, compare=True):
    """@works with a cell a contestant: the median, and how many times Quoit's it is."""
    works = [work for work in works if any(metric in f for r in work["rounds"] for f in r.values())]
    if not works:
        return ""
    names = columns(figures, works)
    rows = [
        [work["title"]]
        + [cell(figures, work, name, metric, scale, digits, compare) for name in names]
        for work in works
    ]
    return markdown(["", *names], rows)


def latency_table(figures, works):
    """Open loop: p50 / p99 / p99.9 in a cell, or why there is none."""
    if not works:
        return ""
    names = columns(figures, works)
    rows = []
    for work in works:
        cells = []
        for name in names:
            found = [
                figures.median(work["name"], name, key) for key in ("p50_us", "p99_us", "p999_us")
            ]
            rate = figures.median(work["name"], name, "rate")
            if found[0] is None:
                unable = any("unable" in figure.get(name, {}) for figure in work["rounds"])
                cells.append("over its peak" if unable else "–")
            else:
                cells.append(f"{' / '.join(map(number, found))} at {number(rate)}/s")
        rows.append([work["title"], *cells])
    return markdown(["", *names], rows)


def rings_table(figures, works):
    if not works:
        return ""
    rows = []
    for work in works:
        for name in columns(figures, works):
            measured = [
                figures.spread(work["name"], name, m)
                for m in ("speedup", "speedup_limit", "speedup_share")
            ]
            if not measured[0]:
                continue
            rates = [
                number(figures.median(work["name"], name, metric))
                for metric in ("calls_per_second", "calls_per_second_2", "cpu_us", "cpu_2_us")
            ]
            rows.append([work["title"], name, *rates, *map(spread, measured)])
    head = [
        "",
        "",
        "calls/s, 1",
        "calls/s, 2",
        "CPU µs, 1",
        "CPU µs, 2",
        "speed-up",
        "cores left",
        "share",
    ]
    return markdown(head, rows)


def sections(figures):
    """(title, table) of all that was measured."""
    closed = figures.works("closed")
    clients = figures.works("client")
    mixed = [work for work in closed if work["name"].startswith("slow")]
    found = [
        ("CPU, µs a call", metric_table(figures, closed, "cpu_us")),
        (
            "Calls a second, closed loop",
            metric_table(figures, closed, "calls_per_second", digits=0),
        ),
        ("Clients, of Quoit's server: CPU, µs a call", metric_table(figures, clients, "cpu_us")),
        (
            "Clients: calls a second, closed loop",
            metric_table(figures, clients, "calls_per_second", digits=0),
        ),
        ("How busy the load's core was", metric_table(figures, closed, "load_busy", compare=False)),
        (
            "Latency at fixed rates, µs: p50 / p99 / p99.9",
            latency_table(figures, figures.works("open")),
        ),
        ("The fast calls beside slow ones: p50, µs", metric_table(figures, mixed, "p50_us")),
        ("The fast calls beside slow ones: p99, µs", metric_table(figures, mixed, "p99_us")),
        (
            "Memory: KiB resident a connection",
            metric_table(figures, figures.works("idle"), "connection_bytes", 1 / 1024),
        ),
        ("Memory: MiB resident at most", metric_table(figures, closed, "peak_rss_bytes", 2**-20)),
        ("Start-up, ms", metric_table(figures, figures.works("startup"), "startup_ms")),
        ("Program, MiB", metric_table(figures, figures.works("size"), "file_bytes", 2**-20)),
        (
            "Program with its shared libraries, MiB",
            metric_table(figures, figures.works("size"), "with_libraries_bytes", 2**-20),
        ),
        ("One thread and two", rings_table(figures, figures.works("rings"))),
    ]
    return [(title, table) for title, table in found if table]
