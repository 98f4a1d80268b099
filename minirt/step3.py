"""Step 3: a file tree of its own.

A mount namespace makes the list of mounts private. Then an overlay of read-only image layers and
one writable directory becomes the root, with fresh /proc, /dev and /sys, and pivot_root leaves
the host's files behind. What the program writes vanishes with the container; volumes stay.

examples:
  python -m minirt.step3 -- ps
  python -m minirt.step3 -- sh -c 'echo hello >/file; ls /'
  python -m minirt.step3 --volume .:/here:ro -- ls /here

"""

from minirt import step2
from minirt.stepping.step import Step, main

STEP = Step(3, __doc__, adds=("mnt", "overlay", "mounts", "devices", "pivot"), former=step2.STEP)

if __name__ == "__main__":
    main(STEP)
