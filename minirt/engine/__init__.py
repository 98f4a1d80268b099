"""The launch engine: it runs plans, and opens one span for each phase of each mechanism.

lifecycle.py  create, start, destroy: the host's half of the protocol
init.py       the child's half, from the clone to execve
launch.py     the clone itself, after joining namespaces by path
attend.py     signals, terminal and exit status of a container in the foreground
run.py        all of it in a row
exec.py       a second process in a container that runs
"""

from minirt.engine.lifecycle import Container, create, destroy, load, start
from minirt.engine.run import run

__all__ = ["Container", "create", "destroy", "load", "run", "start"]
