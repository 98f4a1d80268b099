"""A scope: a cgroup that systemd makes and hands over (systemd.scope(5), Delegate=).

systemd owns the tree of cgroups where it runs, and makes a scope only around a process that is
there already: systemd-run, which asks it over D-Bus, becomes a cat(1) that waits for our end.
"""

from __future__ import annotations

import os

from minirt.errors import HostError
from minirt.linux import command
from minirt.linux.files import memfd_create

RUNNING = "/run/systemd/system"
SUFFIX = ".slice"


def slice_path(name: str) -> str:
    """The cgroup of a slice, which its name tells: "a-b.slice" is /a.slice/a-b.slice.

    ValueError when it is no name of a slice (systemd.slice(5)).
    """
    stem = name.removesuffix(SUFFIX)
    if not name.endswith(SUFFIX) or "/" in name or (stem != "-" and "" in stem.split("-")):
        raise ValueError(name)
    parts = [] if stem == "-" else stem.split("-")
    nested = ["-".join(parts[: number + 1]) for number in range(len(parts))]
    return "".join(f"/{part}{SUFFIX}" for part in nested)


def start_scope(slice_name: str, unit: str) -> int:
    """Make the scope with a process in it, which ends when the returned descriptor is closed."""
    argv = [
        command.find("systemd-run"), "--scope", "--quiet", "--collect", f"--slice={slice_name}",
        f"--unit={unit}", "--property=Delegate=yes", "--", "/bin/sh", "-c", "echo; exec cat",
    ]  # fmt: skip
    theirs, ours = os.pipe2(os.O_CLOEXEC)
    output, ready = os.pipe2(os.O_CLOEXEC)
    said = memfd_create("stderr")
    try:
        actions = [(os.POSIX_SPAWN_DUP2, fd, n) for n, fd in enumerate((theirs, ready, said))]
        child = os.posix_spawn(argv[0], argv, {"PATH": command.PATH}, file_actions=actions)
        os.close(ready)
        ready = -1
        if os.read(output, 1):
            return ours
        os.waitpid(child, 0)
        os.close(ours)
        text = os.pread(said, os.fstat(said).st_size, 0).decode(errors="replace").strip()
        raise HostError(f"systemd did not make {unit}: {text}")
    finally:
        for fd in (theirs, output, ready, said):
            if fd >= 0:
                os.close(fd)


def stop(unit: str) -> None:
    """End the scope, if it did not end with its last process."""
    try:
        command.run([command.find("systemctl"), "stop", unit])
    except HostError:  # "not loaded": it has gone, as it should
        pass
