"""Run one command in a VM whose root is a container's image, and say what happened when.

boot ──▶ Qemu ──▶ kernel ──▶ init: "ready" ◀── "launch ..." ──▶ "start" ... "end 0" ◀── "reboot"
"""

from __future__ import annotations

import os

from minirt.errors import ConfigError, HostError, MinirtError
from minirt.host.progress import Progress, say
from minirt.spans import CLIENT, GUEST, HOST
from minirt.vm import accelerator, initramfs, kernel, measure, rootimage
from minirt.vm.qemu import TCG, Machine, Qemu, program
from minirt.vm.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from minirt.spans import Recorder
    from minirt.vm.accelerator import Accelerator
    from minirt.vm.session import Record

BOOT_SECONDS, COMMAND_SECONDS, SHUTDOWN_SECONDS = 30.0, 120.0, 10.0
ATTEMPTS = 2
# --8<-- [start:phases]
# (span, from mark, to mark): each phase ends where the next begins.
PHASES = (
    ("vm.spawn", "spawn", "kernel"),
    ("vm.kernel", "kernel", "init"),
    ("vm.init", "init", "start"),
    ("vm.command", "start", "end"),
    ("vm.shutdown", "end", "exit"),
)
# --8<-- [end:phases]


class Result:
    """How a command ended in a VM.

    `status` is its own exit status as a shell counts it, `output` what it wrote to stdout and
    stderr. `marks` are (name, CLOCK_MONOTONIC ns) pairs in the order of time (session.py).
    `accelerator` is "kvm" or "tcg", `reason` why it is not KVM. `pss_bytes` is QEMU's memory
    when the command had ended. `image_bytes` is what the disk takes, `boot_bytes` the kernel and
    the initramfs, which all VMs share. `retries` is how many boots failed.
    """

    __slots__ = (
        "accelerator", "boot_bytes", "image_bytes", "kernel_release", "marks", "output",
        "pss_bytes", "reason", "retries", "status",
    )  # fmt: skip

    def __init__(
        self, record: Record, machine: Machine, chosen: Accelerator, *, pss: int, retries: int
    ) -> None:
        self.status = record.status
        self.output = bytes(record.output)
        self.kernel_release = record.release
        self.marks = tuple(sorted(record.marks.items(), key=lambda mark: mark[1]))
        self.accelerator = chosen.name
        self.reason = chosen.reason
        self.pss_bytes = pss
        self.image_bytes = measure.disk_bytes([machine.disk])
        self.boot_bytes = measure.disk_bytes([machine.kernel, machine.initramfs])
        self.retries = retries

    @property
    def emulated(self) -> bool:
        return self.accelerator == TCG

    def at(self, mark: str) -> int:
        """When `mark` was; 0 if it never was (a command that was not found never starts)."""
        return dict(self.marks).get(mark, 0)


def boot(  # noqa: PLR0913  (a command as in a container, and a machine)
    layers: Sequence[str],
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    hostname: str,
    cwd: str = "/",
    memory_mib: int = 128,
    timeout: float = BOOT_SECONDS,
    command_timeout: float = COMMAND_SECONDS,
) -> Result:
    """Boot a VM from an image's unpacked `layers` (lowest first) and run `argv` in it as root.

    A guest that is not ready within `timeout` seconds is started once more, and that is said.
    HostError when it does not boot then either, or QEMU or a kernel is missing; MinirtError when
    the command takes longer than `command_timeout` or takes the guest down with it.
    """
    request = _request(argv, env, hostname, cwd)
    program()  # before anything is downloaded for it
    guest_kernel = kernel.find()
    ramdisk = initramfs.build(guest_kernel)
    chosen = accelerator.choose(guest_kernel.image, ramdisk)
    disk = rootimage.build(layers)
    machine = Machine(
        guest_kernel.image, ramdisk, disk, accelerator=chosen.name, memory_mib=memory_mib
    )
    return run(machine, request, chosen, timeout=timeout, command_timeout=command_timeout)


def run(
    machine: Machine,
    request: bytes,
    chosen: Accelerator,
    *,
    timeout: float,
    command_timeout: float,
) -> Result:
    """Boot `machine`, twice if need be, and have it do `request`."""
    problem = ""
    for attempt in range(ATTEMPTS):
        # The VM first: a process with a thread, which Progress starts, had better not fork.
        with Qemu(machine) as qemu, Progress(f"running a VM ({chosen.name})"):
            session = Session(qemu)
            if session.wait_for("ready", timeout):
                pss = _command(session, request, command_timeout)
                return Result(session.record, machine, chosen, pss=pss, retries=attempt)
            problem = _why_not(session, timeout)
        if attempt + 1 < ATTEMPTS:
            say(f"{problem}: starting it once more")
    raise HostError(
        f"{problem}, {ATTEMPTS} times in a row",
        hint="try again when the machine is less busy",
    )


def _command(session: Session, request: bytes, timeout: float) -> int:
    """Have the command run and the guest end; QEMU's memory in between, in bytes."""
    session.ask(request)
    if not session.wait_for("end", timeout):
        if "exit" in session.record.marks:
            raise MinirtError(f"the VM ended before its command: {session.record.last_words()}")
        raise MinirtError(f"the command did not end within {timeout:.0f} s in the VM")
    pss = measure.pss_bytes([session.qemu.process.pid])
    session.ask(b"reboot -f")
    if not session.wait_for("exit", SHUTDOWN_SECONDS):
        raise MinirtError(f"the VM did not shut down: {session.record.last_words()}")
    return pss


def _why_not(session: Session, timeout: float) -> str:
    said = session.qemu.complaint() or session.record.last_words() or "it said nothing"
    if "exit" in session.record.marks:
        return f"the VM ended while it booted ({said})"
    return f"the VM did not boot within {timeout:.0f} s ({said})"


def _request(argv: Sequence[str], env: Mapping[str, str], hostname: str, cwd: str) -> bytes:
    """The line of shell that has the guest's init run `argv` in `cwd` with exactly `env`."""
    words = [quote(f"{name}={value}") for name, value in env.items()]
    inside = [b'sh -c "$command" sh', quote(cwd), *map(quote, argv)]
    return b"hostname %b; launch env -i -- %b" % (quote(hostname), b" ".join([*words, *inside]))


def quote(word: str) -> bytes:
    """`word` for the guest's shell, on one line whatever it contains."""
    data = os.fsencode(word)
    if b"\0" in data:
        raise ConfigError("a command and its environment cannot contain NUL", pointer="/process")
    data = data.replace(b"'", b"'\\''").replace(b"\n", b"'$'\\n''")
    return b"'" + data + b"'"


def record(result: Result, recorder: Recorder) -> None:
    """Add the phases of `result` as spans: vm.spawn, vm.kernel, vm.init, vm.command, vm.shutdown.

    They join: each starts where the one before ended.
    """
    for name, first, last in PHASES:
        if not (result.at(first) and result.at(last)):
            continue
        span = recorder.add(name, result.at(first), result.at(last))
        span.side = GUEST
        span.set("minirt.vm.accelerator", result.accelerator)
        if name == "vm.spawn":
            span.kind, span.side = CLIENT, HOST
            span.set("minirt.vm.retries", result.retries)
        if name == "vm.command":
            span.set("process.exit.code", result.status)
