"""What this machine is and what it allows, found out by trying.

machine.py    facts: kernel, container, chroot, WSL, cgroup hierarchies, rights
probes.py     what a step needs, done for real in a process of its own
obstacles.py  why a step is not possible here, and what to do about it
"""
