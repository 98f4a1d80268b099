"""The launch engine: it runs plans, and opens one span for each phase of each mechanism.

create.py     from the configuration to an init that waits
start.py      let it execute its program
destroy.py    undo it all
foreground.py all of it in a row, for a person who waits
exec.py       a second process in a container that runs
container.py  the container in this process's hands, new or loaded
dialogue.py   the host's half of the talk with init
birth.py      what init gets before it is born
init.py       the child's half, from the clone to execve
launch.py     the clone itself, after joining namespaces by path
signals.py    those that ask the runtime to stop
attend.py     signals, terminal and exit status of a container in the foreground
"""
