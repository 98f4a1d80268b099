"""`python -m bench run`: measure subjects with metrics, and write the samples to a file.

Whatever ends it, what it has started ends as well, orphans included, and its scratch directory is
in the cache, where the next run finds it empty.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench import machine, options, plan, pressure, samples, tidy, tree
from bench.elevated import elevated
from bench.metrics.start import MARK
from bench.progress import Bar
from bench.samples import Absent, Writer
from bench.schedule import DEAR_S, WARM_UP, Schedule
from bench.subject import VM
from bench.subjects import catalog
from bench.subjects.place import Place
from minirt.errors import MinirtError, render
from minirt.host import cache
from minirt.host.progress import Progress

if TYPE_CHECKING:
    import argparse

    from bench.metrics import Metric
    from bench.subject import Subject

OUT = Path("out/bench")
FAILED, INTERRUPTED = 1, 130


def main(arguments: list[str]) -> int:
    args = options.parse(arguments)
    if args.list:
        options.list_all(args.suite)
        return 0
    try:
        chosen = args.suite.choose_metrics(args.metrics)
        args.suite.choose(args.subjects or (), Place())
        file = result_file(args.out)
    except ValueError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    if args.sudo and os.geteuid() != 0:
        status = elevated(arguments, file)
        if status is not None:
            return status or finish(args, file)
    try:
        with tidy.everything():
            measure(args, chosen, file)
    except KeyboardInterrupt:
        kept = "nothing was measured"
        if file.exists():
            kept = f"what was measured is in {file}; python -m bench report {file} shows it"
        print(f"\nbench: interrupted; {kept}", file=sys.stderr)
        return INTERRUPTED
    except MinirtError as error:
        print(render(error, bold=sys.stderr.isatty()), file=sys.stderr)
        return error.exit_code
    return finish(args, file)


def result_file(out: str | None) -> Path:
    """Where the samples go: a new file; ValueError when `out` cannot be one."""
    file = OUT / time.strftime("%Y-%m-%dT%H-%M-%S.jsonl") if out is None else Path(out)
    try:
        if out is None:
            OUT.mkdir(parents=True, exist_ok=True)
        what = _in_the_way(file)
    except OSError as error:
        what = f"cannot be written ({error.strerror})"
    if what:
        raise ValueError(f"{file} {what}: name a new file of yours with --out")
    return file


def _in_the_way(file: Path) -> str:
    """Why `file` cannot be a new one, or ""."""
    if file.exists():
        return "exists already"
    if not file.parent.is_dir():
        return "is in no directory"
    return "" if os.access(file.parent, os.W_OK) else "is in a directory that you cannot write to"


def measure(args: argparse.Namespace, chosen: list[Metric], file: Path) -> None:
    """Measure everything that was asked for, into `file`."""
    bar = Bar()
    place_tree = tree.ensure()
    seed = random.randrange(1 << 32) if args.seed is None else args.seed
    with contextlib.ExitStack() as stack:
        with Progress("waiting for another benchmark, which would disturb this one"):
            scratch = stack.enter_context(cache.Writing("bench"))
        settled = args.suite.settle()
        names = args.suite.names(args.subjects, full=args.full)
        subjects = args.suite.choose(names, Place(place_tree, scratch))
        absent = {subject.name: prepare(subject, stack, bar) for subject in subjects}
        bar.phase("asking for the facts of the machine")
        ready = [subject for subject in subjects if not absent[subject.name]]
        about = header(args, chosen, subjects, seed)
        writer = stack.enter_context(Writer(file, {**about, **settled}))
        for subject in subjects:
            if why := absent[subject.name]:
                writer.add(Absent(subject.name, why))
                bar.say(f"left out: {subject.label}: {why}")
        schedule = Schedule(writer, random.Random(seed), bar)
        for metric in chosen:
            for skipped in () if args.full else plan.left_out(metric, ready):
                writer.add(skipped)
            cells = plan.cells(metric, ready, full=args.full)
            if not cells:
                bar.say(f"nothing to measure of these subjects: {metric.title}{_more(args)}")
                continue
            schedule.run(cells, args.samples, metric.seconds[args.full])
        for failure in schedule.failures:
            bar.say("failed: {subject}, {metric}, round {round}: {why}".format_map(failure))
        writer.finish(
            failures=schedule.failures,
            took_s=round(time.monotonic() - bar.began, 3),
            load=list(os.getloadavg()),
        )


def _more(args: argparse.Namespace) -> str:
    return "" if args.full else "; --full measures more"


def prepare(subject: Subject, stack: contextlib.ExitStack, bar: Bar) -> str:
    """Set the subject up until the end of `stack`, and run it once; why it cannot, or ""."""
    why = subject.absent()
    if why:
        return why
    bar.phase(f"setting up: {subject.label}")
    try:
        stack.enter_context(subject)
        subject.run(MARK)
    except (MinirtError, TimeoutError) as error:
        return str(error)
    return ""


def header(
    args: argparse.Namespace, chosen: list[Metric], subjects: list[Subject], seed: int
) -> dict[str, object]:
    """What a reader must know of the run: where, when, what, and what stands beside each name."""
    facts = machine.facts()
    if any(subject.family == VM for subject in subjects):
        facts.update(machine.virtual())
    return {
        "suite": args.suite.name,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "seed": seed,
        "plan": {
            "scale": "full" if args.full else "quick",
            "samples": args.samples,
            "warm_up": WARM_UP,
            "warm_up_once_above_s": DEAR_S,
            "page_cache": "not controlled",
            "budget_s": {metric.name: metric.seconds[args.full] for metric in chosen},
            "disturbed": pressure.RULE,
        },
        "pair": catalog.pair([subject.name for subject in subjects]),
        "metrics": {metric.name: metric.title for metric in chosen},
        "subjects": {
            subject.name: {
                "label": subject.label,
                "family": subject.family,
                "network": subject.network,
                "note": subject.note(),
            }
            for subject in subjects
        },
        "machine": facts,
    }


def finish(args: argparse.Namespace, file: Path) -> int:
    """Report; a run of everything is `latest.jsonl` and report.html as well, with its suite."""
    if not samples.read(file).samples:
        print(f"bench: nothing was measured; why is in {file}; no report is made", file=sys.stderr)
        return FAILED
    print(f"bench: samples in {file}", file=sys.stderr)
    whole = not (args.subjects or args.metrics)
    if args.out is None and whole:
        latest = OUT / f"latest{args.suite.suffix}.jsonl"
        latest.unlink(missing_ok=True)
        latest.symlink_to(file.name)
    if args.no_report:
        return 0
    try:
        report = importlib.import_module("bench.report")
    except ModuleNotFoundError as error:
        print(f"bench: no report, since there is no {error.name}", file=sys.stderr)
        return 0
    name = f"report{args.suite.suffix}" if whole else file.stem
    target = file.with_name(f"{name}.html")
    print("bench: making the report ...", file=sys.stderr)
    status: int = report.write(file, target)
    return status
