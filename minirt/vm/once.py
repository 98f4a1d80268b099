"""Boot a VM for one command, and say what that took: what step 7 puts beside a container."""

from __future__ import annotations

from minirt.vm import measure
from minirt.vm.guest import BOOT_SECONDS, COMMAND_SECONDS, Guest
from minirt.vm.prepare import prepare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from minirt.spans import Recorder
    from minirt.vm.machine import Machine


class Result:
    """How a command ended in a VM of its own.

    `status` is its own exit status as a shell counts it, `output` what it wrote to stdout and
    stderr. `marks` are (name, CLOCK_MONOTONIC ns) pairs in the order of time. `accelerator` is
    "kvm" or "tcg", `reason` why it is not KVM. `pss_bytes` is QEMU's memory when the command had
    ended. `image_bytes` is what the disk takes, `boot_bytes` the kernel and the initramfs, which
    all VMs share. `retries` is how many boots failed.
    """

    __slots__ = (
        "accelerator", "boot_bytes", "emulated", "image_bytes", "kernel_release", "marks",
        "output", "pss_bytes", "reason", "retries", "status",
    )  # fmt: skip

    def __init__(self, guest: Guest, *, pss: int) -> None:
        job, machine = guest.jobs[0], guest.machine
        self.status = job.status
        self.output = bytes(job.output)
        self.kernel_release = guest.session.record.release
        self.marks = tuple(guest.marks().items())
        self.accelerator = machine.accelerator
        self.reason = machine.reason
        self.emulated = guest.emulated
        self.pss_bytes = pss
        self.image_bytes = measure.disk_bytes([machine.disk])
        self.boot_bytes = measure.disk_bytes([machine.kernel, machine.initramfs])
        self.retries = guest.retries

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
    recorder: Recorder | None = None,
) -> Result:
    """Boot a VM from an image's unpacked `layers` (lowest first) and run `argv` in it as root.

    A guest that is not ready within `timeout` seconds is started once more, and that is said.
    HostError when it does not boot then either, or QEMU or a kernel is missing; MinirtError when
    the command takes longer than `command_timeout` or takes the guest down with it.
    """
    machine = prepare(layers, memory_mib=memory_mib)
    guest = Guest(machine, hostname=hostname, timeout=timeout, progress=progress(machine))
    with guest:
        guest.run(argv, env=env, cwd=cwd, timeout=command_timeout)
        pss = guest.pss_bytes
    if recorder:
        guest.record(recorder)
    return Result(guest, pss=pss)


def progress(machine: Machine) -> str:
    return f"running a VM ({machine.accelerator})"
