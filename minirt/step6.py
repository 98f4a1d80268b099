"""Step 6: no more rights than it needs.

So far root inside is root of the machine: it can load kernel modules and set the clock. Linux
splits root's power into capabilities; the container keeps docker's fourteen. Kernel files that
are the whole machine's are hidden or read-only, no program can bring rights back (no_new_privs),
and a seccomp filter answers system calls that a container has no business making. With --userns,
root inside is an ordinary user outside.

examples:
  python -m minirt.step6 -- grep Cap /proc/self/status
  python -m minirt.step6 -- mount -t tmpfs none /mnt
  python -m minirt.step6 --cap-drop ALL -- chown 1 /etc/motd
  python -m minirt.step6 --userns -- cat /proc/self/uid_map
"""

from minirt import step5
from minirt.stepping.step import Step, main

STEP = Step(
    6,
    __doc__,
    adds=(
        "user",
        "masked_paths",
        "bounding_set",
        "identity",
        "capabilities",
        "no_new_privs",
        "seccomp",
    ),
    former=step5.STEP,
)

if __name__ == "__main__":
    main(STEP)
