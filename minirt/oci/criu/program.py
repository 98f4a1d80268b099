"""Run criu(8). It writes a log; the errors in it are what a person wants to know."""

from __future__ import annotations

import os

from minirt.errors import ConfigError, HostError
from minirt.linux.command import PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from minirt.oci.call import Call

# It says so without CAP_SYS_RESOURCE, and in a container's device rules, and goes on.
HARMLESS = ("RLIMIT_NOFILE for self", "Unable to create tun")
SHOWN = 3
# The same for both ways: our option, and criu's.
PASSED_ON = (
    ("--tcp-established", "--tcp-established"),
    ("--ext-unix-sk", "--ext-unix-sk"),
    ("--shell-job", "--shell-job"),
    ("--file-locks", "--file-locks"),
    ("--auto-dedup", "--auto-dedup"),
)
CGROUP_MODES = ("soft", "full", "strict", "ignore")


def find(call: Call) -> str:
    """The path of criu: --criu, else where programs are; HostError where there is none."""
    given = call.options.text("--criu")
    for path in [given] if given else [f"{directory}/criu" for directory in PATH.split(":")]:
        if os.access(path, os.X_OK):
            return path
    what = f"{given} is no program" if given else "criu is not installed"
    raise HostError(f"cannot checkpoint or restore: {what}", hint="install the package criu")


def directories(call: Call) -> tuple[str, str]:
    """Where the files are, and where the log is; absolute."""
    images = os.path.abspath(call.words.text("--image-path") or "checkpoint")
    return images, os.path.abspath(call.words.text("--work-path") or images)


def make_directory(path: str, option: str) -> None:
    """Only root may read what was in a container's memory."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError as error:
        what = f"cannot make {path}: {(error.strerror or '').lower()}"
        raise ConfigError(what, pointer=option) from None


def common(call: Call) -> Iterator[str]:
    """The options that dump and restore share, as criu's."""
    images, work = directories(call)
    yield from ("--images-dir", images, "--work-dir", work, "-v4")
    mode = call.words.text("--manage-cgroups-mode", "soft")
    if mode not in CGROUP_MODES:
        what = f'"{mode}" is not one of {", ".join(CGROUP_MODES)}'
        raise ConfigError(what, pointer="--manage-cgroups-mode")
    yield f"--manage-cgroups={mode}"
    for name in call.words.texts("--empty-ns"):
        if name != "network":
            raise ConfigError(f'"{name}" cannot be emptied', pointer="--empty-ns", hint="network")
        yield from ("--empty-ns", "net")
    for option, theirs in PASSED_ON:
        if call.words.on(option):
            yield theirs


def failure(what: str, log: str) -> HostError:
    """The error for a run of criu that failed, with the last of what its log complains of."""
    said = errors(log)
    hint = f"see {log}; criu check tells what this kernel lacks"
    return HostError(": ".join([what, *said[-SHOWN:]]), hint=hint)


def errors(log: str) -> list[str]:
    """The complaints in a log, each without its time and place."""
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    said = (line.partition("Error (")[2].partition("): ")[2] for line in lines)
    return [text for text in said if text and not any(words in text for words in HARMLESS)]
