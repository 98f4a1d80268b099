"""Run one image on three kernels: this machine's, as a container must, and two others in VMs.

    python -m vm.experiments.kernel_version

The same layers print `uname -r` as a container (as root; minirt's step 6) and in a micro-VM for
each of two kernels: the distribution's for VMs, and another release of it. Both come from the
distribution's packages, unpacked into the cache and never installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from minirt.errors import HostError
from minirt.images import build
from minirt.vm import kernel
from minirt.vm.guest import Guest
from minirt.vm.prepare import prepare
from vm.experiments.timeline import main

if TYPE_CHECKING:
    from minirt.vm.kernel import Kernel

COMMAND = ["uname", "-r"]
STEP6 = [sys.executable, "-m", "minirt.step6", "--quiet", "--network", "none", "--", *COMMAND]


def experiment() -> None:
    """A line for each way to run the image; HostError when there is only one kernel for VMs."""
    first = kernel.find()
    say("this machine", os.uname().release)
    say("as a container", in_container())
    say(*in_guest(first))
    say(*in_guest(kernel.find_other(first)))


def say(where: str, release: str) -> None:
    print(f"{where:<24}  {release}", flush=True)


def in_container() -> str:
    if os.geteuid() != 0:
        return "not run: a container of step 6 needs root"
    done = subprocess.run(STEP6, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HostError(f"the container failed: {done.stderr.strip()}")
    return done.stdout.strip()


def in_guest(guest_kernel: Kernel) -> tuple[str, str]:
    """How the guest runs, and what the image says there."""
    machine = prepare(build.ensure().layers, guest_kernel=guest_kernel)
    how = "in a VM (emulated)" if machine.reason else "in a VM (KVM)"
    with Guest(machine, progress=f"running {guest_kernel.release}") as guest:
        return how, guest.run(COMMAND).output.decode().strip()


if __name__ == "__main__":
    sys.exit(main(experiment, __doc__ or ""))
