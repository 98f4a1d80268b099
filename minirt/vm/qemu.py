"""One QEMU process: how it is called, what it is connected to, and that it always ends.

console   the guest's serial console, which is QEMU's standard output: what its kernel logs
control   the first virtio-serial port: requests to the guest's init and its answers
outputs   the others, one a channel: what the command that runs there prints, byte for byte
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import tempfile
from time import monotonic_ns

from minirt.linux.process import PR_SET_PDEATHSIG, prctl
from minirt.vm.clock import tsc_khz
from minirt.vm.machine import KVM, TCG, architecture, program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from minirt.vm.machine import Kind, Machine
    from minirt.vm.tap import Tap


# --8<-- [start:command_line]
def command_line(machine: Machine, control: int, outputs: Sequence[int]) -> list[str]:
    """QEMU's arguments; `control` and `outputs` are connected sockets that it inherits."""
    kind, console = machine.kind, architecture().console
    processor = "host" if machine.accelerator == KVM else architecture().processor
    return [
        program(),
        "-machine", f"{kind.machine},accel={machine.accelerator}",
        *(["-cpu", processor] if processor else []),
        "-m", str(machine.memory_mib), "-smp", "1",
        "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
        # The guest ends by asking for a reboot.
        "-no-reboot",
        "-kernel", machine.kernel, "-initrd", machine.initramfs,
        "-append", _append(console, machine),
        "-device", f"virtio-serial-{kind.bus}",
        *_ports(control, outputs), *_disk(machine.disk, kind), *_network(machine.tap, kind),
    ]  # fmt: skip


# --8<-- [end:command_line]


def _append(console: str, machine: Machine) -> str:
    """The guest kernel's parameters (kernel-parameters.rst). A panic ends the VM at once.

    What is none of the kernel's, it hands to its init as environment.
    """
    words = [f"console={console}", "panic=-1", "random.trust_cpu=on"]
    words += [f"channels={machine.channels}"]
    if not machine.kind.timers and machine.accelerator == TCG:
        with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
            rate = tsc_khz(cpuinfo.read())
        words += [f"tsc_early_khz={rate}"] if rate else []
    return " ".join(words)


def _ports(control: int, outputs: Sequence[int]) -> list[str]:
    """Port 1 is control, 2 the first channel's, and so on."""
    arguments = []
    for number, fd in enumerate((control, *outputs), 1):
        arguments += [
            "-chardev", f"socket,id=port{number},fd={fd}",
            "-device", f"virtserialport,chardev=port{number},nr={number}",
        ]  # fmt: skip
    return arguments


def _disk(path: str, kind: Kind) -> Sequence[str]:
    if not path:
        return ()
    file = path.replace(",", ",,")
    return (
        "-drive", f"id=image,file={file},format=raw,if=none,readonly=on",
        "-device", f"virtio-blk-{kind.bus},drive=image",
    )  # fmt: skip


def _network(tap: Tap | None, kind: Kind) -> Sequence[str]:
    if tap is None:
        return ()
    return (
        "-netdev", f"tap,id=net,fd={tap.fd}",
        "-device", f"virtio-net-{kind.bus},netdev=net,mac={tap.mac}",
    )  # fmt: skip


class Qemu:
    """A running VM, in a `with`: at its end the process is gone, however the block was left.

    Start it in a thread that lives as long: the kernel kills it when that thread ends.
    """

    __slots__ = (
        "_stack", "console", "control", "cpu_s", "errors", "outputs", "pidfd", "process", "started",
    )  # fmt: skip

    def __init__(self, machine: Machine) -> None:
        self.cpu_s = 0.0  # processor time, known when it has ended
        with contextlib.ExitStack() as stack:
            self.control, *theirs = _connection(stack)
            self.outputs = []
            for _ in range(machine.channels):
                ours, its = _connection(stack)
                self.outputs.append(ours)
                theirs.append(its)
            self.errors = stack.enter_context(tempfile.TemporaryFile())
            fds = [end.fileno() for end in theirs]
            argv = command_line(machine, fds[0], fds[1:])
            fds += [machine.tap.fd] if machine.tap else []
            parent = os.getpid()
            self.started = monotonic_ns()
            self.process = stack.enter_context(
                subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors,
                    pass_fds=fds,
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
            for end in theirs:
                end.close()
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def kill(self) -> None:
        """End the process, unless it has ended, and take its processor time from the kernel."""
        if self.process.returncode is None:
            # Not Popen's: it would reap an ended process, and drop what the kernel says of it.
            os.kill(self.process.pid, signal.SIGKILL)
            _pid, status, usage = os.wait4(self.process.pid, 0)
            self.process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu_s = usage.ru_utime + usage.ru_stime

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
