"""Step 1: a name of its own.

Your program says who it is: uname(2) gives it the machine's host name. Step 1 runs it in a UTS
namespace, a private copy of that name. It can change the name, and the machine does not notice.
Files, processes and network are still the machine's own.

examples:
  python -m minirt.step1 -- hostname
  python -m minirt.step1 --hostname web1 -- sh -c 'hostname; hostname other; hostname'

"""

from minirt.stepping.step import Step, main

STEP = Step(1, __doc__, adds=("uts", "terminal"))

if __name__ == "__main__":
    main(STEP)
