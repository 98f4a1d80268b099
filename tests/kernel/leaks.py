"""What a test could leave behind on this machine, looked at before and after it.

Three things stay by design and are not counted: the bridge minirt0, the nft table minirt and the
forwarding setting. So do the caches. Everything else must be as it was.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from minirt.linux import cgroups, mountinfo
from minirt.linux.namespaces import inode
from minirt.linux.process import PR_SET_CHILD_SUBREAPER, prctl
from minirt.networks.register import DIRECTORY
from minirt.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

# What others run on this machine meanwhile is not counted either, as far as it shows whose it is.
STAYS = frozenset(("link minirt0", "nft table ip minirt"))
STATE = Path("/var/lib/minirt/containers")
# The kernel takes a network namespace apart, and with it its devices, after its last process.
PATIENCE_S = 5.0


def adopt_orphans() -> None:
    """From here on whatever our descendants leave running becomes our child."""
    prctl(PR_SET_CHILD_SUBREAPER, 1, what="cannot become the reaper of orphans")


def snapshot(*directories: Path) -> frozenset[str]:
    """All there is, a line each; `directories` are those where only this test run works."""
    found = {*_mounts(), *_links(), *_nft(), *_cgroups(), *_processes(), *_descriptors()}
    found.update(_abandoned(STATE))
    for directory in directories:
        found.update(f"file {path}" for path in directory.glob("*"))
    return frozenset(found) - STAYS


def left(before: frozenset[str], *directories: Path) -> list[str]:
    """What is here and was not `before`, as soon as the kernel has finished tidying up."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        _reap()
        found = sorted(snapshot(*directories) - before)
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.02)


def _mounts() -> Iterator[str]:
    for mount in mountinfo.mounts():
        yield f"mount {mount.mount_id} {mount.mountpoint} ({mount.fstype})"


def _links() -> Iterator[str]:
    names = {path.name for path in Path("/sys/class/net").iterdir()}
    return (f"link {name}" for name in names - _cables_of_others())


def _cables_of_others() -> set[str]:
    """The veth devices of containers that somebody else runs on this host's bridge."""
    try:
        register = json.loads(Path(f"{DIRECTORY}/{inode('self', 'net')}.json").read_text())
    except OSError:
        return set()
    ours, endpoints = descendants(), register["endpoints"].items()
    return {f"mr{key}" for key, endpoint in endpoints if endpoint["pid"] not in ours}


def _nft() -> Iterator[str]:
    listed = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True)
    return (f"nft {line}" for line in listed.stdout.splitlines())


def _cgroups() -> Iterator[str]:
    ours = descendants()
    for hierarchy in cgroups.hierarchies():
        for directory, _, _ in os.walk(hierarchy.mountpoint):
            if not _members(directory) - ours:  # others may run containers meanwhile
                yield f"cgroup {directory}"


def _members(directory: str) -> set[int]:
    try:
        return set(map(int, Path(f"{directory}/cgroup.procs").read_text().split()))
    except OSError:  # removed at this moment
        return set()


def _abandoned(directory: Path) -> Iterator[str]:
    """What is below a state directory that others use as well: of theirs, somebody has the lock."""
    for path in directory.glob("*"):
        state = State(str(directory), path.name)
        if state.lock(wait=False):
            state.unlock()
            yield f"file {path}"


def _processes() -> Iterator[str]:
    """Our descendants and the namespaces that they keep alive: nobody else holds one of ours."""
    for pid in descendants():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            namespaces = {os.readlink(path) for path in Path(f"/proc/{pid}/ns").iterdir()}
        except OSError:  # it ends at this moment
            continue
        yield f"process {pid}: {command.decode(errors='replace').strip()}"
        for name in namespaces - _own_namespaces():
            yield f"namespace {name}"


def _own_namespaces() -> set[str]:
    return {os.readlink(path) for path in Path("/proc/self/ns").iterdir()}


def descendants() -> set[int]:
    """The processes that this one has started, and theirs, and so on."""
    parents = {pid: parent for pid, (_, parent) in _table().items()}
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def _table() -> dict[int, tuple[str, int]]:
    """Every process: pid -> (state, parent)."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                stat = Path(f"/proc/{name}/stat").read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue
            found[int(name)] = stat[0].decode(), int(stat[1])
    return found


def _descriptors() -> Iterator[str]:
    for fd in os.listdir("/proc/self/fd"):
        try:
            yield f"fd {fd} -> {os.readlink(f'/proc/self/fd/{fd}')}"
        except OSError:  # the one that listed the directory
            continue


def _reap() -> None:
    """Collect the orphans that have ended."""
    for pid, (state, parent) in _table().items():
        if state == "Z" and parent == os.getpid():
            os.waitpid(pid, os.WNOHANG)
