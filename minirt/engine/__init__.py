"""The launch engine: it runs plans, and opens one span for each phase of each mechanism.

lifecycle.py  create, start, destroy
dialogue.py   the host's half of the talk with init
init.py       the child's half, from the clone to execve
launch.py     the clone itself, after joining namespaces by path
attend.py     signals, terminal and exit status of a container in the foreground
foreground.py all of it in a row, for a person who waits
exec.py       a second process in a container that runs
"""

from minirt.engine.container import Container
from minirt.engine.foreground import run
from minirt.engine.lifecycle import create, destroy, load, start, thaw

__all__ = ["Container", "create", "destroy", "load", "run", "start", "thaw"]
