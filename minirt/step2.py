"""Step 2: process 1.

A PID namespace gives the program process numbers of its own: it is process 1, and can name, and
so signal, nobody outside. It also inherits process 1's duties: to reap orphans, and to take the
whole namespace with it when it ends. An IPC namespace hides the host's System V queues and shared
memory. `ps` still lists the host's processes: it reads /proc, which is mounted anew in step 3.

examples:
  python -m minirt.step2 -- sh -c 'echo I am process $$'
  python -m minirt.step2 -- ipcs -q

"""

from minirt import step1
from minirt.stepping.step import Step, main

STEP = Step(2, __doc__, adds=("pid", "ipc"), former=step1.STEP)

if __name__ == "__main__":
    main(STEP)
