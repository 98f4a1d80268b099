"""On which machine: what a reader needs to judge the figures, or to compare them with others."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import minirt
from bench import pressure, processors
from minirt.check.machine import Facts
from minirt.errors import MinirtError
from minirt.host import cache
from minirt.linux.mountinfo import filesystem_of, mounts
from minirt.vm import kernel
from minirt.vm.machine import ARCHITECTURES
from minirt.vm.prepare import find_accelerator

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOCK = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
CPUS = Path("/sys/devices/system/cpu")
ROOT = Path(__file__).resolve().parent.parent
# What takes part, if it is installed, and how it says its version.
PROGRAMS = {
    "runc": ("--version",),
    "crun": ("--version",),
    "bwrap": ("--version",),
    "podman": ("--version",),
    "docker": ("--version",),
    "lxc-start": ("--version",),
    "cc": ("--version",),
}


def facts() -> dict[str, object]:
    """All of them, ready for JSON; what cannot be found out is "" or absent."""
    found = Facts()
    memory = meminfo(_text("/proc/meminfo"))
    return {
        **processor(_text("/proc/cpuinfo")),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": memory.get("MemTotal", 0),
        "available_bytes": memory.get("MemAvailable", 0),
        "kernel": found.kernel,
        "architecture": found.machine,
        "distribution": found.distribution,
        "cgroup": found.cgroup,
        "root": found.root,
        "container": found.container,
        "governor": _text(CPUS / "cpu0/cpufreq/scaling_governor"),
        "turbo": turbo(),
        "mitigations": mitigations(CPUS / "vulnerabilities"),
        "largest_cache_bytes": largest_cache(),
        "transparent_hugepages": chosen(_text("/sys/kernel/mm/transparent_hugepage/enabled")),
        "clocksource": _text(CLOCK),
        "root_filesystem": filesystem("/"),
        "cache_filesystem": filesystem(cache.directory()),
        "steal_s": processors.used().steal,
        "psi": pressure.waited() is not None,
        "load": list(os.getloadavg()),
        "python": python(),
        "minirt": {"version": minirt.__version__, "revision": revision(ROOT)},
        "versions": versions(),
    }


def processor(cpuinfo: str) -> dict[str, object]:
    """The model, and whether a hypervisor is below, of /proc/cpuinfo's text."""
    fields: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    flags = fields.get("flags", "").split()
    model = fields.get("model name") or fields.get("CPU part", "")
    return {"cpu": model, "virtualised": "hypervisor" in flags}


def meminfo(text: str) -> dict[str, int]:
    """The lines of /proc/meminfo that are in kB, in bytes."""
    rows = (line.partition(":")[::2] for line in text.splitlines())
    return {name: int(value.split()[0]) * 1024 for name, value in rows if value.endswith("kB")}


def mitigations(directory: Path) -> dict[str, str]:
    """What the kernel does about each flaw of the processor that it knows."""
    return {path.name: _text(path) for path in sorted(directory.glob("*"))}


def turbo() -> str:
    """Whether the processor may exceed its nominal rate: "on", "off", "" where nothing tells it."""
    off = _text(CPUS / "intel_pstate/no_turbo")
    boost = _text(CPUS / "cpufreq/boost")
    return {"0": "on", "1": "off"}.get(off, "") or {"1": "on", "0": "off"}.get(boost, "")


def largest_cache(directory: Path = CPUS / "cpu0/cache") -> int:
    """The bytes of the processor's last cache; 0 where nothing tells it."""
    sizes = [_text(size) for size in directory.glob("index*/size")]
    return max((int(size[:-1]) * 1024 for size in sizes if size.endswith("K")), default=0)


def chosen(text: str) -> str:
    """The word in brackets, as in "always [madvise] never"."""
    return text.partition("[")[2].partition("]")[0]


def filesystem(path: str) -> str:
    """The type of the file system that `path` is on."""
    mount = filesystem_of(path, mounts())
    return mount.fstype if mount else ""


def python() -> dict[str, str]:
    build = sysconfig.get_config_var("CONFIG_ARGS") or ""
    return {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "compiler": platform.python_compiler(),
        "optimised": str("--enable-optimizations" in build),
        "executable": os.path.basename(os.path.realpath(sys.executable)),
    }


def revision(directory: Path) -> str:
    """The commit that is checked out, with "+" when files were changed; "" outside of git."""
    if not (directory / ".git").exists():
        return ""
    # A repository of the caller's, seen by root: git refuses it otherwise.
    git = ["git", "-c", f"safe.directory={directory}", "-C", str(directory)]
    commit = _said([*git, "rev-parse", "HEAD"])
    return commit + ("+" if commit and _said([*git, "status", "--porcelain"]) else "")


def versions() -> Mapping[str, str]:
    """The first line of what each installed program says about itself."""
    qemu = ARCHITECTURES.get(os.uname().machine)
    programs = {**PROGRAMS, **({qemu.program: ("--version",)} if qemu else {})}
    said = {
        name: _said([name, *options]) for name, options in programs.items() if shutil.which(name)
    }
    return {name: text.splitlines()[0] if text else "" for name, text in said.items()}


def virtual() -> dict[str, str]:
    """How VMs run here: the accelerator, why it is not KVM, and their kernel."""
    try:
        guest = kernel.find()
        chosen = find_accelerator(guest)
    except MinirtError as error:
        return {"accelerator": "", "reason": error.what, "guest_kernel": ""}
    return {
        "accelerator": chosen.name,
        "reason": chosen.reason,
        "guest_kernel": guest.release,
    }


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    return done.stdout.strip()


def _text(path: Path | str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
