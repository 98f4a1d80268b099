"""Seccomp profiles: what they say, as a program for the kernel, kept between runs.

profile.py   the default profile, resolved for a set of capabilities and a machine
compiler.py  a profile -> a BPF program, by libseccomp
cache.py     compiled programs, so that a start reads one small file
"""
