"""The bundle that an engine hands over: what docker wrote for one of its containers.

It is the recorded config.json of a container on docker's bridge, without what held for that
machine alone: its hook, ids and paths. Limits of memory, processes and processor time are added,
which `docker run` has options for. The root is read-only, for all share one file tree; docker
mounts an overlay, and so does every engine, before it calls a runtime.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from minirt.seccomp import profile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

RECORDED = Path(__file__).parents[2] / "tests/data/configs/docker-bridge.json"
RECORDED_ON = "x86_64"  # the only machine whose system calls its filter knows
VERSION = "1.0.2"  # crun 1.8 refuses a later one
FILES = {
    "hosts": "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\tbench\n",
    "hostname": "bench\n",
    "resolv.conf": "nameserver 127.0.0.1\n",
}
MEMORY, PIDS, PERIOD_US = 512 << 20, 1024, 100_000  # as -m 512m --pids-limit 1024 --cpus 1


def recorded() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return document


def template(tree: str, files: Path, machine: str = os.uname().machine) -> dict[str, Any]:
    """The configuration of a container on `tree`, whose /etc/hosts and the like are in `files`."""
    document = recorded()
    del document["hooks"]
    document |= {"ociVersion": VERSION, "hostname": "bench"}
    document["root"] = {"path": tree, "readonly": True}
    for mount in document["mounts"]:
        if mount["type"] == "bind":
            mount["source"] = str(files / os.path.basename(mount["destination"]))
    _process(document["process"])
    linux = document["linux"]
    linux["resources"]["memory"]["limit"] = MEMORY
    linux["resources"]["pids"] = {"limit": PIDS}
    linux["resources"]["cpu"] |= {"quota": PERIOD_US, "period": PERIOD_US}
    if machine != RECORDED_ON:
        kept = document["process"]["capabilities"]["bounding"]
        linux["seccomp"] = profile.default(kept, machine)
    return document


def _process(process: dict[str, Any]) -> None:
    process["env"] = [each for each in process["env"] if not each.startswith("HOSTNAME=")]
    # Lower than its own, only CAP_SYS_RESOURCE may set it.
    process["oomScoreAdj"] = int(Path("/proc/self/oom_score_adj").read_text(encoding="ascii"))


def of_container(document: dict[str, Any], container: str, argv: Sequence[str]) -> dict[str, Any]:
    """The template for one container, with a cgroup of its own in each hierarchy."""
    return {
        **document,
        "process": {**document["process"], "args": list(argv)},
        "linux": {**document["linux"], "cgroupsPath": f"/{container}"},
    }


def write_files(directory: Path) -> None:
    """What an engine keeps beside the bundle, to be bind-mounted."""
    for name, text in FILES.items():
        (directory / name).write_text(text, encoding="utf-8")


def facts() -> dict[str, object]:
    """How much the configuration asks for, counted."""
    document = template("", Path())
    process, linux = document["process"], document["linux"]
    groups = linux["seccomp"]["syscalls"]
    return {
        "origin": "config.json of docker, bridge network, without its hook",
        "mounts": len(document["mounts"]),
        "bind mounts": sum(mount["type"] == "bind" for mount in document["mounts"]),
        "masked paths": len(linux["maskedPaths"]),
        "read-only paths": len(linux["readonlyPaths"]),
        "namespaces": [each["type"] for each in linux["namespaces"]],
        "seccomp rules": len(groups),
        "seccomp calls": sum(len(group["names"]) for group in groups),
        "capabilities": len(process["capabilities"]["bounding"]),
        "device rules": len(linux["resources"]["devices"]),
        "sysctls": len(linux["sysctl"]),
        "limits": f"{MEMORY >> 20} MiB, {PIDS} processes, 1 processor",
        "root": "read-only",
    }
