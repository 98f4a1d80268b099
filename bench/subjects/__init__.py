"""The ways to run the program, one file a family.

plain.py       a process of the host            microvm.py   a QEMU micro-VM
steps.py       minirt's steps                   sandboxes.py bubblewrap, LXC
warm.py        minirt in a resident process     engines.py   podman, docker
oci.py         runc and crun

Each is a Subject (bench/subject.py); catalog.py lists them all. place.py says where they find
the file tree; launched.py is what most of them launch. resident.py belongs to warm.py, and
booter.py to microvm.py.
"""
