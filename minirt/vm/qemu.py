"""One QEMU process: how it is called, what it is connected to, and that it always ends.

console   the guest's serial console, which is QEMU's standard output: what its kernel logs
control   the first virtio-serial port: requests to the guest's init and its answers
output    the second: what the command prints, byte for byte
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
from time import monotonic_ns

from minirt.errors import HostError
from minirt.linux.process import PR_SET_PDEATHSIG, prctl
from minirt.vm.clock import tsc_khz

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

KVM, TCG = "kvm", "tcg"


class Architecture:
    """What QEMU and Linux call the machine of one processor architecture."""

    __slots__ = ("console", "machine", "package", "processor", "program")

    def __init__(
        self, program: str, *, package: str, machine: str, processor: str, console: str
    ) -> None:
        self.program = program
        self.package = package
        self.machine = machine
        self.processor = processor  # under TCG, "" for QEMU's default; under KVM it is the host's
        self.console = console


ARCHITECTURES: Mapping[str, Architecture] = {
    "x86_64": Architecture(
        "qemu-system-x86_64",
        package="qemu-system-x86",
        machine="microvm",
        processor="",
        console="ttyS0",
    ),
    "aarch64": Architecture(
        "qemu-system-aarch64",
        package="qemu-system-arm",
        machine="virt",
        processor="cortex-a72",
        console="ttyAMA0",
    ),
}


class Machine:
    """What a VM is made of: paths of kernel, initramfs and disk, its accelerator and memory.

    `disk` may be "": a machine that only has to reach its init.
    """

    __slots__ = ("accelerator", "disk", "initramfs", "kernel", "memory_mib")

    def __init__(
        self, kernel: str, initramfs: str, disk: str, *, accelerator: str, memory_mib: int
    ) -> None:
        self.kernel = kernel
        self.initramfs = initramfs
        self.disk = disk
        self.accelerator = accelerator
        self.memory_mib = memory_mib


def program() -> str:
    """QEMU's path. HostError names the package when it is not installed."""
    architecture = _architecture()
    path = shutil.which(architecture.program)
    if path is None:
        raise HostError(
            f"{architecture.program} is not installed",
            hint=f"apt-get install --no-install-recommends {architecture.package}",
        )
    return path


def _architecture() -> Architecture:
    name = os.uname().machine
    if name not in ARCHITECTURES:
        raise HostError(
            f"a VM is not possible here: minirt knows no QEMU machine for {name}",
            hint="use an x86_64 or aarch64 machine",
        )
    return ARCHITECTURES[name]


# --8<-- [start:command_line]
def command_line(machine: Machine, control: int, output: int) -> list[str]:
    """QEMU's arguments; `control` and `output` are connected sockets that it inherits."""
    architecture = _architecture()
    processor = "host" if machine.accelerator == KVM else architecture.processor
    return [
        program(),
        "-machine", f"{architecture.machine},accel={machine.accelerator}",
        *(["-cpu", processor] if processor else []),
        "-m", str(machine.memory_mib), "-smp", "1",
        "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
        # The guest ends by asking for a reboot.
        "-no-reboot",
        "-kernel", machine.kernel, "-initrd", machine.initramfs,
        "-append", _append(architecture.console, machine.accelerator),
        "-device", "virtio-serial-device",
        *_port("control", control, 1), *_port("output", output, 2),
        *_disk(machine.disk),
    ]  # fmt: skip


# --8<-- [end:command_line]


def _append(console: str, accelerator: str) -> str:
    """The guest kernel's parameters (kernel-parameters.rst). A panic ends the VM at once."""
    words = [f"console={console}", "panic=-1", "random.trust_cpu=on"]
    if os.uname().machine == "x86_64" and accelerator == TCG:
        with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
            rate = tsc_khz(cpuinfo.read())
        words += [f"tsc_early_khz={rate}"] if rate else []
    return " ".join(words)


def _port(name: str, fd: int, number: int) -> Sequence[str]:
    return (
        "-chardev", f"socket,id={name},fd={fd}",
        "-device", f"virtserialport,chardev={name},nr={number}",
    )  # fmt: skip


def _disk(path: str) -> Sequence[str]:
    if not path:
        return ()
    file = path.replace(",", ",,")
    return (
        "-drive", f"id=image,file={file},format=raw,if=none,readonly=on",
        "-device", "virtio-blk-device,drive=image",
    )  # fmt: skip


class Qemu:
    """A running VM, in a `with`: at its end the process is gone, however the block was left.

    Start it in a thread that lives as long: the kernel kills it when that thread ends.
    """

    __slots__ = ("_stack", "console", "control", "errors", "output", "pidfd", "process", "started")

    def __init__(self, machine: Machine) -> None:
        with contextlib.ExitStack() as stack:
            self.control, control = _connection(stack)
            self.output, output = _connection(stack)
            self.errors = stack.enter_context(tempfile.TemporaryFile())
            argv = command_line(machine, control.fileno(), output.fileno())
            parent = os.getpid()
            self.started = monotonic_ns()
            self.process = stack.enter_context(
                subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors,
                    pass_fds=(control.fileno(), output.fileno()),
                    # Its own session: Ctrl-C is for minirt, which then ends it.
                    start_new_session=True,
                    preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509  (see the class)
                )
            )  # fmt: skip
            stack.callback(self.kill)
            self.pidfd = os.pidfd_open(self.process.pid)
            stack.callback(os.close, self.pidfd)
            assert self.process.stdout is not None  # noqa: S101  (PIPE)
            self.console = self.process.stdout.fileno()
            # Now QEMU's alone, so that they end with it.
            control.close()
            output.close()
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def kill(self) -> None:
        """End the process; nothing to do when it has ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def complaint(self) -> str:
        """The last line that QEMU itself wrote to stderr, or ""."""
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


def _connection(stack: contextlib.ExitStack) -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    return stack.enter_context(ours), stack.enter_context(theirs)


def _die_with(parent: int) -> None:
    """In the new process: be killed when `parent` is, so that a killed minirt leaves no VM.

    And leave no core file: where KVM does not work, QEMU may abort.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL, what="cannot tie the VM to minirt")
    if os.getppid() != parent:  # it died before this took effect
        os._exit(1)
