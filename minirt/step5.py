"""Step 5: a limit to its share.

Namespaces change what a program sees; control groups change how much it can use. The container is
put into a cgroup of its own before it starts, with limits for processor time, memory, the number
of processes and disk throughput. A cgroup namespace hides where in the tree that cgroup is.

examples:
  python -m minirt.step5 --memory 32m -- sh -c 'tail /dev/zero'
  python -m minirt.step5 --pids 5 -- sh -c 'for i in 1 2 3 4 5 6; do sleep 1 & done; wait'
  python -m minirt.step5 --cpus 0.5 -- sh -c 'time seq 3000000 >/dev/null'
"""

from minirt import step4
from minirt.stepping.step import Step, main

STEP = Step(5, __doc__, adds=("cgroup", "cgroup_ns"), former=step4.STEP)

if __name__ == "__main__":
    main(STEP)
