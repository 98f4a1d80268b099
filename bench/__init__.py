"""Benchmarks: one program, run in every way there is, timed from outside by one clock.

work*.c      the program; tree.py puts it into the file tree that all subjects run, and large.py
             a large file beside it
process.py   start a program, stamp what it prints, see its end: the one way to measure
subjects/    the ways to run it: a process, minirt's steps, other runtimes, a VM
metrics/     what is measured of them
suites.py    which of both belong together: containers beside VMs, or runtimes as engines call them
schedule.py  in which order and how often (plan.py), pressure.py: and how disturbed
machine.py   on which machine
run.py       `python -m bench run`: all of it, into a file of samples (samples.py)
"""
