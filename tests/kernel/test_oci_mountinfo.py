"""The file tree of real engines' configurations: the mounts and devices that runc makes of them."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mounted import created, device, table
from oci import Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mounted import Line

CONFIGS = Path(__file__).parent.parent / "data/configs"
# runc's own proposals are no engine's: the rootless one is for an ordinary user.
NAMES = sorted(path.stem for path in CONFIGS.glob("*.json") if not path.stem.startswith("runc-"))
# Stricter than runc may be: it leaves a masked directory's tmpfs without these.
STRICTER = {"ro", "nosuid", "nodev", "noexec"}
LINKS_OF_OURS = {"/dev/core"}
DIRECTORIES = ("/dev/shm", "/data", "/x")


def adapted(name: str, runtime: Runtime, cgroup: str) -> dict[str, Any]:
    """An engine's configuration with sources of ours, and no more than its file tree needs."""
    document: dict[str, Any] = json.loads((CONFIGS / f"{name}.json").read_text())
    linux = document["linux"]
    kept = ("devices", "maskedPaths", "readonlyPaths", "rootfsPropagation", "namespaces")
    kinds = [entry["type"] for entry in linux["namespaces"]]
    document["linux"] = {key: linux[key] for key in kept if linux.get(key)}
    document["linux"] |= {"cgroupsPath": cgroup, "namespaces": [{"type": kind} for kind in kinds]}
    document["process"] = runtime.config["process"]
    document["root"]["path"] = "rootfs"
    document.pop("hooks", None)
    for number, mount in enumerate(document["mounts"]):
        if mount["type"] == "bind":
            mount["source"] = str(source(runtime.bundle / f"source{number}", mount["destination"]))
    return document


def source(path: Path, destination: str) -> Path:
    if destination in DIRECTORIES:
        path.mkdir()
    else:
        path.write_text(destination)
    return path


@pytest.fixture(params=NAMES)
def runtime(request: pytest.FixtureRequest, tmp_path: Path) -> Runtime:
    made = Runtime(tmp_path, "sleep", "60")
    made.config = adapted(request.param, made, f"/minirt-mountinfo-{os.getpid()}")
    return made


@contextmanager
def reference(runtime: Runtime) -> Iterator[int]:
    """runc's container of the same bundle, created; the pid of its init."""
    bundle = runtime.bundle
    # Without rules runc denies what it has made nodes of.
    resources = {"devices": [{"allow": True, "access": "rwm"}]}
    linux = {**runtime.config["linux"], "resources": resources}
    (bundle / "config.json").write_text(json.dumps({**runtime.config, "linux": linux}))
    words, name = ["runc", "--root", str(bundle.parent / "runc")], f"minirt-test-{os.getpid()}"
    pid_file, log_file = bundle / "runc.pid", bundle / "runc.log"
    with log_file.open("w") as log:
        done = subprocess.run(
            [*words, "create", "--bundle", str(bundle), "--pid-file", str(pid_file), name],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False,
        )  # fmt: skip
    assert done.returncode == 0, log_file.read_text()
    try:
        yield int(pid_file.read_text())
    finally:
        subprocess.run([*words, "delete", "--force", name], check=True)


def shape(line: Line) -> tuple[object, ...]:
    """What is mounted where; the root of a cgroup is a matter of who has joined it."""
    root = "" if line.fstype == "cgroup" else line.root
    own = {o for o in line.super_options if o not in ("ro", "rw") and not o.startswith("mode=")}
    return line.mountpoint, line.fstype, root, frozenset(own), frozenset(line.propagation)


def nodes(pid: int) -> dict[str, object]:
    """Each device and link below /dev, but what the container's own file systems show there."""
    top = Path(f"/proc/{pid}/root/dev")
    found: dict[str, object] = {}
    for path in top.rglob("*"):
        shown = f"/dev/{path.relative_to(top)}"
        if path.is_symlink():
            found[shown] = os.readlink(path)
        elif not path.is_dir() and not shown.startswith(("/dev/pts/", "/dev/mqueue/")):
            found[shown] = device(path)
    return found


def test_it_is_what_runc_makes_of_it(runtime: Runtime) -> None:
    with created(runtime) as pid:
        ours, our_nodes = table(pid), nodes(pid)
    with reference(runtime) as pid:
        theirs, their_nodes = table(pid), nodes(pid)

    assert [shape(line) for line in ours] == [shape(line) for line in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        lacking = set(other.options) - set(mine.options)
        extra = set(mine.options) - set(other.options)
        assert lacking <= ({"rw"} if "ro" in mine.options else set()), mine.mountpoint
        assert extra <= STRICTER, mine.mountpoint
    assert {k: v for k, v in our_nodes.items() if k not in LINKS_OF_OURS} == their_nodes
