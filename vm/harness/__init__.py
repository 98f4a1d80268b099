"""Run tests on another kernel: one that has cgroup version 2 alone, in a guest of this machine.

__main__.py   the command line
run.py        one run: boot, twice if need be; hand over the order; take the report
guest.py      the guest's process, which always ends, and what it says
uml.py        User Mode Linux: Linux as an ordinary program
qemu.py       QEMU with the distribution's kernel (qemu-init.sh)
init.py       process 1 of every guest
verdict.py    what the report is worth

The guest's root is this machine's, read-only, below a layer in memory; so it has the Python and
the packages that are here. What it reports comes through a socket: nothing is left on disk.
"""
