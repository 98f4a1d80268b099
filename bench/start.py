"""How long a container takes, process start to exit: step 6 beside runc and crun.

    python -m bench.start [ROUNDS]          (root; runc and crun where installed)

Every round runs each subject once, in random order, as a whole process that executes `true` in a
container of the same image. A round is done twice: back to back, and after 60 ms of idling,
because joining a cgroup waits for the kernel when nothing happened before. Ratios are of medians
within the same rounds, with bootstrap 95 % intervals; the first rounds are dropped.

The subjects do not do the same work to the letter: runc and crun read config.json as `runc spec`
writes it (9 mounts, 12 masked or read-only paths, a seccomp-free default), step 6 builds its
configuration from options (9 mounts, 17 such paths, seccomp, three /etc files).
"""

from __future__ import annotations

import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from minirt.images import build
from minirt.vm.layers import merge

WARM_UP = 3
GAPS = (0.0, 0.06)
RESAMPLES = 2000
STEP6 = [sys.executable, "-I", "-m", "minirt.step6", "--quiet"]


def subjects(bundle: str) -> dict[str, list[str]]:
    """The commands, by name; an engine that does not run here is left out, and said."""
    found = {
        "bare python": [sys.executable, "-I", "-c", "pass"],
        "step 6, network none": [*STEP6, "--network", "none", "--", "true"],
        "step 6, network bridge": [*STEP6, "--", "true"],
    }
    for engine in filter(shutil.which, ("runc", "crun")):
        command = [engine, "run", "--bundle", bundle, f"bench-{os.getpid()}"]
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
        if tried.returncode:
            print(f"left out: {engine}: {tried.stderr.strip()}")
        else:
            found[engine] = command
    return found


def make_bundle(directory: str) -> None:
    """The same image as an OCI bundle, with the configuration of `runc spec`, for `true`."""
    merge(build.ensure().layers, f"{directory}/rootfs")
    subprocess.run(["runc", "spec", "--bundle", directory], check=True)
    with open(f"{directory}/config.json", encoding="utf-8") as file:
        config = json.load(file)
    config["process"].update(terminal=False, args=["true"], rlimits=[])
    with open(f"{directory}/config.json", "w", encoding="utf-8") as file:
        json.dump(config, file)


def once(argv: list[str]) -> float:
    """Milliseconds from the start of the process to its end; it must succeed."""
    began = time.perf_counter()
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000


def sample(commands: dict[str, list[str]], rounds: int, gap: float) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + WARM_UP):
        for name in random.sample(list(commands), len(commands)):
            time.sleep(gap)
            took = once(commands[name])
            if number >= WARM_UP:
                taken[name].append(took)
    return taken


def interval(samples: list[float], base: list[float]) -> tuple[float, float]:
    """The bootstrap 95 % interval of the ratio of medians, rounds resampled as pairs."""
    pairs = list(zip(samples, base, strict=True))
    ratios = []
    for _ in range(RESAMPLES):
        drawn = random.choices(pairs, k=len(pairs))
        ratios.append(
            statistics.median(a for a, _ in drawn) / statistics.median(b for _, b in drawn)
        )
    ratios.sort()
    return ratios[int(0.025 * RESAMPLES)], ratios[int(0.975 * RESAMPLES)]


def report(taken: dict[str, list[float]], gap: float) -> None:
    print(f"\n{'back to back' if not gap else f'after {gap * 1000:.0f} ms of idling'}")
    print(f"{'':24}{'min':>8}{'median':>8}  ratio to runc, 95 % interval")
    for name, samples in taken.items():
        line = f"{name:24}{min(samples):8.1f}{statistics.median(samples):8.1f}"
        if "runc" in taken and name != "runc":
            low, high = interval(samples, taken["runc"])
            ratio = statistics.median(samples) / statistics.median(taken["runc"])
            line += f"  {ratio:.2f}  [{low:.2f}, {high:.2f}]"
        print(line)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    if os.geteuid() != 0 or not shutil.which("runc"):
        sys.exit("bench.start: needs root, and runc to compare with (Debian: apt install runc)")
    with tempfile.TemporaryDirectory() as bundle:
        make_bundle(bundle)
        commands = subjects(bundle)
        print(
            f"{platform.platform()}, {os.cpu_count()} processors, Python {sys.version.split()[0]}"
        )
        print(f"{rounds} rounds, ms, load {os.getloadavg()[0]:.1f}")
        os.makedirs("out/bench", exist_ok=True)
        with open("out/bench/start.jsonl", "a", encoding="utf-8") as results:
            for gap in GAPS:
                taken = sample(commands, rounds, gap)
                report(taken, gap)
                results.write(json.dumps({"gap_s": gap, "ms": taken}) + "\n")


if __name__ == "__main__":
    main()
