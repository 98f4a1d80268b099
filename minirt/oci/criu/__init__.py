"""Checkpoint and restore: a container's processes to files and back, by the program criu(8).

program.py  run criu, and say what it said when it fails
outside.py  what a container has of the host: mounts, namespaces, standard streams
dump.py     checkpoint
restore.py  a container made of the files, in place of `create` and `start`

A container with a terminal is refused: its other end belongs to the engine.
"""
