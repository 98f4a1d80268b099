"""The launch engine: it runs plans, and opens one span for each phase of each mechanism.

lifecycle.py  create, start, destroy
dialogue.py   the host's half of the talk with init
init.py       the child's half, from the clone to execve
launch.py     the clone itself, after joining namespaces by path
attend.py     signals, terminal and exit status of a container in the foreground
run.py        all of it in a row
exec.py       a second process in a container that runs
"""

from minirt.engine.container import Container
from minirt.engine.exec import execute
from minirt.engine.lifecycle import create, destroy, load, start
from minirt.engine.run import run

__all__ = ["Container", "create", "destroy", "execute", "load", "run", "start"]
