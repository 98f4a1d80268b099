"""KVM where it truly boots a guest, else emulation (TCG): which, and why.

/dev/kvm is there on many machines where it runs no guest: a VM inside a VM, most often. So the
guest's own kernel is started once, and the verdict is kept until the next boot of the machine.
"""

from __future__ import annotations

import hashlib
import os

from minirt import codec
from minirt.host import cache
from minirt.host.progress import Progress
from minirt.vm.machine import KVM, TCG, Machine, program
from minirt.vm.qemu import Qemu
from minirt.vm.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.codec import Json

DEVICE = "/dev/kvm"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
# With KVM the first line comes after some 50 ms and init after some 500.
FIRST_LINE, INIT = 2.0, 3.0  # seconds
MEMORY_MIB = 128
REMEMBERED = 8  # verdicts: one for each of the kernels that are in use


class Accelerator:
    """`name` is "kvm" or "tcg"; `reason` says why it is not KVM, or ""."""

    __slots__ = ("name", "reason")

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason


def choose(kernel: str, initramfs: str) -> Accelerator:
    """The accelerator for guests of `kernel` and `initramfs` (paths): found out once a boot."""
    if not os.path.exists(DEVICE):
        return Accelerator(TCG, f"this machine has no {DEVICE}")
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        return Accelerator(TCG, f"{DEVICE} is not for this user{_remedy()}")
    key = _key(kernel)
    return _remembered(key) or _remember(key, _probe(kernel, initramfs))


def _remedy() -> str:
    """What gives the device to this user, where it belongs to the group that is made for it."""
    import grp
    import pwd

    try:
        if os.stat(DEVICE).st_gid != grp.getgrnam("kvm").gr_gid:
            return ""
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return ""
    return f"; try sudo usermod -aG kvm {user}, and log in anew"


def _key(kernel: str) -> str:
    """What the verdict depends on: this boot of the machine, QEMU, the guest's kernel."""
    with open(BOOT_ID, encoding="ascii") as boot_id:
        parts = [boot_id.read()]
    for path in (program(), kernel):
        status = os.stat(path)
        parts.append(f"{path} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _probe(kernel: str, initramfs: str) -> Accelerator:
    machine = Machine(
        kernel, initramfs, "", accelerator=Accelerator(KVM, ""), memory_mib=MEMORY_MIB
    )
    problem = trial(machine)
    return (
        Accelerator(TCG, f"{DEVICE} is there, but {problem}") if problem else Accelerator(KVM, "")
    )


def trial(machine: Machine) -> str:
    """Boot `machine` as far as its init; "" or what went wrong, within five seconds."""
    with Qemu(machine) as qemu, Progress(f"trying whether {machine.accelerator} boots a VM here"):
        session = Session(qemu)
        if session.wait_for("kernel", FIRST_LINE) and session.wait_for("init", INIT):
            return ""
        ended = "exit" in session.record.marks
    return "QEMU fails with it" if ended else "a guest's kernel gets stuck with it"


def _path() -> str:
    return f"{cache.directory()}/accelerator.json"


def _remembered(key: str) -> Accelerator | None:
    verdict = _verdicts().get(key)
    if not isinstance(verdict, dict):
        return None
    return Accelerator(str(verdict.get("name")), str(verdict.get("reason")))


def _verdicts() -> dict[str, Json]:
    """By key, the oldest first."""
    try:
        with open(_path(), encoding="utf-8") as file:
            found = codec.loads(file.read())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _remember(key: str, found: Accelerator) -> Accelerator:
    with cache.Writing("accelerator") as scratch:
        verdicts = [*_verdicts().items(), (key, {"name": found.name, "reason": found.reason})]
        with open(f"{scratch}/verdicts", "w", encoding="utf-8") as file:
            file.write(codec.dumps(dict(verdicts[-REMEMBERED:])))
        os.rename(f"{scratch}/verdicts", _path())
    return found
