"""Step 7: beside a virtual machine.

A container is a process that the host's kernel treats specially; a virtual machine is a machine
that runs a kernel of its own. Step 7 adds no mechanism: it runs the same image and command as
step 6 does, and then once more in a small VM (QEMU, with KVM where that works), and shows both on
one time axis, with what each took in time, memory and disk. The VM has one processor, 128 MiB and
no network, and no terminal: what its command prints is shown when it has ended.

examples:
  python -m minirt.step7 --network none -- uname -r
  python -m minirt.step7 --network none -- sh -c 'ps; free -m'
"""

from minirt import step6
from minirt.stepping import beside
from minirt.stepping.step import Step, main

STEP = Step(7, __doc__, adds=(), former=step6.STEP)

if __name__ == "__main__":
    main(STEP, beside.run)
