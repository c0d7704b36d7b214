# SPDX-License-Identifier: MIT
"""The command line: what is asked for, what is there for it, the run, what is left behind."""

import argparse
import json
import os
import pathlib
import resource
import shlex
import signal
import sys

from . import contestants, machine, plot, works
from .bench import Bench
from .load import Load
from .progress import Progress
from .report import report
from .stage import Pace
from .stats import Figures

DESCRIPTION = """\
Measures Quoit beside its peers, servers in turn, the server on one core and the load on another,
and writes a table and plots: a whole run into docs/benchmarks/, any other into
.cache/bench/report/."""
EPILOG = (
    "From the environment: QUOIT_BENCH_LOCK, a file that is flocked while something is measured."
)
QUICK = Pace(seconds=0.4, warmup_seconds=0.2, open_seconds=1, starts=3)
DESCRIPTORS_SPARE = 200
LOCK = "QUOIT_BENCH_LOCK"  # of the environment: it belongs to the machine, not to the run


class Wrong(Exception):
    """What was asked for cannot be done; said in a line."""


def names(text):
    return [name for name in text.split(",") if name]


def positive(kind):
    def parse(text):
        value = kind(text)
        if not 0 < value < 1e6:
            raise ValueError
        return value

    parse.__name__ = {"int": "whole number", "float": "number"}[kind.__name__]  # argparse says it
    return parse


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"bench: {message}; see ./dev bench --help\n")


def parse(arguments):
    parser = Parser(prog="./dev bench", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    add = parser.add_argument
    add("--quick", action="store_true", help="some works, shortly, one round: under three minutes")
    add("--only", type=names, default=[], metavar="WHAT", help="works by name, or part of it: A,B")
    add("--peers", type=names, metavar="NAMES", help="these in addition to Quoit; default: all")
    add("--rounds", type=positive(int), metavar="N", help="default 3, with --quick 1")
    add("--seconds", type=positive(float), metavar="S", help="what a measurement takes; 1")
    add("--connections", type=positive(int), metavar="N", help="idle connections; default 10000")
    add("--json", type=pathlib.Path, metavar="FILE", help="everything that was measured, here too")
    add("--out", type=pathlib.Path, metavar="DIR", help="where the report goes")
    add("--list", action="store_true", help="names the works and the peers")
    add("--cache", type=pathlib.Path, metavar="DIR", help="where peers are built: .cache/bench")
    add("--no-build", action="store_true", help="measures what was built before")
    add(
        "--report", type=pathlib.Path, metavar="FILE", help="only a report, of a run's results.json"
    )
    return parser.parse_args(arguments)


def pace_of(options):
    pace = vars(QUICK if options.quick else Pace()).copy()
    if options.seconds:
        pace["seconds"] = pace["open_seconds"] = options.seconds
        pace["warmup_seconds"] = options.seconds / 3
    if options.connections:
        pace["connections"] = options.connections
    return Pace(**pace)


def works_of(options):
    for part in options.only:
        if not works.named(part) and not works.select_micro([part]):
            raise Wrong(f"no work has '{part}' in its name; --list names them")
    selected = works.select(options.only, options.quick)
    if not selected and not works.select_micro(options.only, options.quick):
        raise Wrong("none of these works is part of --quick; --list names those that are")
    return selected


def peers_of(options):
    known = contestants.peer_names()
    for name in options.peers or []:
        if name not in known:
            raise Wrong(f"no peer is called '{name}'; there are {', '.join(known)}")
    return [n for n in known if options.peers is None or n in options.peers or n == contestants.OWN]


def print_list():
    for work in works.WORKS:
        print(f"{work.name:18} {'quick' if work.quick else '     '} {work.title}")
    print(*works.MICRO, sep="\n")
    print(f"peers: {', '.join(contestants.peer_names())}")


# --- What is there ----------------------------------------------------------------------------


def gather(options, selected, cache):
    """All that can be measured, and why others cannot: ([contestant], {name: reason})."""
    found, missing = [], {}
    for name in peers_of(options):
        try:
            if not options.no_build:
                print(f"bench: building {name} ({cache / name})", file=sys.stderr)
                contestants.build(name, cache / name, cache / f"{name}.log")
            found.append(contestants.load(name, cache / name))
        except contestants.Missing as why:
            if name == contestants.OWN:
                raise Wrong(f"quoit: {why} ({cache / name}.log)") from None
            print(f"bench: {name} is missing: {why}", file=sys.stderr)
            missing[name] = str(why)
    wanted = {name for work in selected for name in work.limits}
    for name in [name for name in contestants.LIMITS if name in wanted]:
        try:
            found.append(contestants.limit(name, programs_of(cache)))
        except contestants.Missing as why:
            missing[name] = str(why)
    return found, missing


def programs_of(cache):
    """Where Quoit's build puts bench/'s programs."""
    return cache / contestants.OWN / "build" / "bench"


def micro_of(options, programs):
    """The micro-benchmarks that are asked for, and there."""
    paths = [programs / "micro" / n for n in works.select_micro(options.only, options.quick)]
    return [path for path in paths if path.exists()]


def allow_descriptors(connections):
    """For this process, the servers and the load; they inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + DESCRIPTORS_SPARE
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise Wrong(f"{connections} connections need {wanted} descriptors; the limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


# --- The run ----------------------------------------------------------------------------------


def run(options, arguments):
    selected = works_of(options)
    pace = pace_of(options)
    allow_descriptors(pace.connections)
    cache = (options.cache or contestants.ROOT / ".cache" / "bench").resolve()
    found, missing = gather(options, selected, cache)
    programs = programs_of(cache)
    if not (programs / "quoit-load").exists():
        raise Wrong(f"there is no quoit-load in {programs}")
    folder = cache / "run"
    folder.mkdir(parents=True, exist_ok=True)
    cores = machine.cores()
    load = Load(str(programs / "quoit-load"), [cores[1]], folder)
    bench = Bench(
        load, cores, folder, pace, programs / "micro" / "micro-echo", os.environ.get(LOCK)
    )
    rounds = options.rounds or (1 if options.quick else 3)
    micro = micro_of(options, programs)
    progress = Progress(weights(selected, found, rounds, pace, micro))
    try:
        results = bench.run(selected, found, rounds, progress, missing, micro)
    finally:
        progress.end()
    results["command"] = shlex.join(["./dev", "bench", *arguments])
    return results


def weights(selected, found, rounds, pace, micro):
    """The steps' expected seconds, in their order."""
    steps = []
    for work in selected:
        invited = [one for one in found if one.role != "limit" or one.name in work.limits]
        steps += [pace.expected_seconds(work.kind)] * len(invited) * rounds
    return steps + [10] * len(micro)


def write_report(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    drawn = plot.plots(Figures(results))
    for file, (_, image) in drawn.items():
        (folder / file).write_text(image)
    text = report(results, [(file, title) for file, (title, _) in drawn.items()])
    (folder / "README.md").write_text(text)
    (folder / "results.json").write_text(as_json(results))
    print(f"bench: {folder / 'README.md'}", file=sys.stderr)


def as_json(results):
    """One line a figure: large, but it can be read and compared."""
    return json.dumps(results, indent=1, ensure_ascii=False) + "\n"


def out_of(options):
    if options.out:
        return options.out
    if options.report:
        return options.report.parent
    less = ("quick", "only", "peers", "rounds", "seconds", "connections")
    whole = not any(getattr(options, name) for name in less)
    return contestants.ROOT / ("docs/benchmarks" if whole else ".cache/bench/report")


def interrupted(*_):
    raise KeyboardInterrupt


def main(arguments):
    options = parse(arguments)
    signal.signal(signal.SIGTERM, interrupted)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, interrupted)
    try:
        if options.list:
            print_list()
            return 0
        if options.report:
            write_report(json.loads(options.report.read_text()), out_of(options))
            return 0
        results = run(options, arguments)
        if options.json:
            options.json.write_text(as_json(results))
        write_report(results, out_of(options))
        return 0
    except (Wrong, ValueError, OSError) as why:
        print(f"bench: {why}", file=sys.stderr)
        return 2 if isinstance(why, Wrong) else 1
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
