# SPDX-License-Identifier: MIT
"""Plots as SVG, made by hand: panels of bars, and lines over rates. They follow the reader's light
or dark scheme."""

import html
import math

from .contestants import OWN
from .tables import columns, number

WIDTH = 860
COLORS = {  # light, dark; Quoit's is the one that stands out
    OWN: ("#d1480a", "#ff8a4c"),
    "tonic-current-thread": ("#2b6cb0", "#6cb0f0"),
    "tonic-multi-thread": ("#5b8fd0", "#9cc6f2"),
    "grpc-go": ("#0f8a8a", "#4fd0d0"),
    "grpc-cpp": ("#7a5195", "#c39be0"),
    "grpcio": ("#8a7a10", "#d8c860"),
    "floor": ("#8c8c8c", "#8c8c8c"),
    "raw-epoll": ("#8c8c8c", "#8c8c8c"),
    "raw-uring": ("#8c8c8c", "#8c8c8c"),
    "quoit-epoll": ("#e8a070", "#d89a74"),
}
OTHER = ("#606060", "#b0b0b0")


def css(name):
    return "c-" + "".join(letter if letter.isalnum() else "-" for letter in name)


def style(names):
    light = [
        f".{css(n)}{{fill:{COLORS.get(n, OTHER)[0]};stroke:{COLORS.get(n, OTHER)[0]}}}"
        for n in names
    ]
    dark = [
        f".{css(n)}{{fill:{COLORS.get(n, OTHER)[1]};stroke:{COLORS.get(n, OTHER)[1]}}}"
        for n in names
    ]
    return (
        "<style>text{font:12px system-ui,sans-serif;fill:#222}"
        ".title{font-weight:600;font-size:14px}.small{fill:#666}.axis{stroke:#999;stroke-width:1;fill:none}.grid{stroke:#ddd}.line{fill:none}"
        f"rect{{stroke:none!important}}{''.join(light)}"
        "@media(prefers-color-scheme:dark){text{fill:#eee}.small{fill:#aaa}.axis{stroke:#777}"
        f".grid{{stroke:#444}}{''.join(dark)}}}</style>"
    )


def text(x, y, words, kind="", anchor="start"):
    of = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{of}>{html.escape(words)}</text>'


def svg(height, title, names, body):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">'
        f"<title>{html.escape(title)}</title>{style(names)}{text(16, 24, title, 'title')}"
        f"{''.join(body)}</svg>\n"
    )


# --- Bars -------------------------------------------------------------------------------------

ROW, LABEL, VALUE, GAP = 18, 150, 62, 26
LONGEST = 12  # times Quoit's: a longer bar is broken off, or the others would not be seen


def panel(x, y, width, title, bars):
    """Bars of one work on a scale of its own: @bars are (name, value)."""
    room = width - LABEL - VALUE
    most = min(max(dict(bars).values()), LONGEST * dict(bars).get(OWN, math.inf))
    body = [text(x, y, title, "title")]
    for index, (name, value) in enumerate(bars):
        top = y + 8 + index * ROW
        length = max(1.5, room * min(1, value / most))
        body.append(text(x + LABEL - 8, top + 13, name, "", "end"))
        pieces = [(0, length)] if value <= most else [(0, length - 12), (length - 8, length)]
        for start, end in pieces:
            body.append(
                f'<rect class="{css(name)}" x="{x + LABEL + start:.1f}" y="{top + 2}" '
                f'width="{end - start:.1f}" height="{ROW - 4}" rx="2"/>'
            )
        body.append(text(x + LABEL + length + 5, top + 13, number(value, 2), "small"))
    return body


def bars_plot(figures, title, works, metric, scale=1):
    """Two panels a row, shortest bar first; None when nothing was measured."""
    panels = []
    for work in works:
        medians = [(n, figures.median(work["name"], n, metric)) for n in columns(figures, [work])]
        bars = [(name, value * scale) for name, value in medians if value is not None]
        if bars:
            panels.append((work["title"], sorted(bars, key=lambda bar: bar[1])))
    if not panels:
        return None
    body, y = [], 56
    for pair in (panels[at : at + 2] for at in range(0, len(panels), 2)):
        for column, (heading, bars) in enumerate(pair):
            body += panel(16 + column * WIDTH / 2, y, WIDTH / 2 - 24, heading, bars)
        y += max(len(bars) for _, bars in pair) * ROW + GAP + 12
    return svg(y, title, columns(figures, works), body)


# --- Lines ------------------------------------------------------------------------------------

LEFT, RIGHT, TOP, HEIGHT = 84, 190, 64, 320


def decades(low, high):
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def lines_plot(figures, title, works, percents, metric, x_title, y_title):
    """A line a contestant over @percents (a number for each of @works), logarithmic upwards."""
    lines = {}
    for name in columns(figures, works):
        points = [(p, figures.median(w["name"], name, metric)) for p, w in zip(percents, works)]
        points = [(percent, value) for percent, value in points if value]
        if points:
            lines[name] = points
    if not lines:
        return None
    values = [value for points in lines.values() for _, value in points]
    ticks = decades(min(values), max(values))
    low, high = math.log10(ticks[0]), math.log10(ticks[-1])
    right = WIDTH - RIGHT

    def at(percent, value):
        x = LEFT + (right - LEFT) * percent / 100
        return x, TOP + HEIGHT * (high - math.log10(value)) / (high - low)

    body = []
    for tick in ticks:
        y = at(0, tick)[1]
        body.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>')
        body.append(text(LEFT - 8, y + 4, number(tick, 0), "small", "end"))
    for percent in percents:
        body.append(
            text(at(percent, ticks[0])[0], TOP + HEIGHT + 18, f"{percent} %", "small", "middle")
        )
    body.append(f'<path class="axis" d="M{LEFT} {TOP}V{TOP + HEIGHT}H{right}"/>')
    body.append(text((LEFT + right) / 2, TOP + HEIGHT + 38, x_title, "", "middle"))
    body.append(text(LEFT - 54, TOP - 16, y_title))
    ends = sorted((at(*points[-1])[1], name) for name, points in lines.items())
    label_y = -math.inf
    for y, name in ends:
        places = [at(*point) for point in lines[name]]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        body.append(f'<g class="{css(name)}"><path class="line" stroke-width="2" d="M{path}"/>')
        body += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in places]
        body.append("</g>")
        label_y = max(y, label_y + 15)
        end_x = places[-1][0]
        body.append(text(end_x + 10, label_y + 4, f"{name}: {number(lines[name][-1][1], 0)}"))
    return svg(TOP + HEIGHT + 52, title, list(lines), body)


def plots(figures):
    """File name to (title, SVG) of all that can be drawn."""
    closed = figures.works("closed")
    best = [work for work in figures.works("open") if "-best-" in work["name"]]
    percents = [int(work["name"].rpartition("-")[2]) for work in best]
    p99 = "Latency at fixed rates: p99 of sayHello, µs"
    peak = "calls a second, as a share of the best peer's peak"
    titles = {
        "cpu": "Server CPU, µs a call (less is better; a broken bar is longer than there is room)",
        "idle": "Memory of an idle connection, KiB resident",
        "latency": p99,
    }
    drawn = {
        "cpu": bars_plot(figures, titles["cpu"], closed, "cpu_us"),
        "latency": lines_plot(figures, p99, best, percents, "p99_us", peak, "p99, µs"),
        "idle": bars_plot(
            figures, titles["idle"], figures.works("idle"), "connection_bytes", 1 / 1024
        ),
    }
    return {f"{name}.svg": (titles[name], image) for name, image in drawn.items() if image}
