"""PID: the container's own process numbers (pid_namespaces(7)).

The first process born in the namespace is pid 1. It has two duties: it inherits orphans and
must reap them, and when it ends the kernel kills all others. Signals it does not handle are
not delivered to it. Nothing is to be done after the clone; the namespace is the mechanism.
"""

from __future__ import annotations

from minirt.mechanism import Mechanism


# --8<-- [start:pid]
class Pid(Mechanism):
    """Born as pid 1: CLONE_NEWPID takes effect for the child of the call, not the caller."""

    name = "pid"
    namespace = "pid"
    # --8<-- [end:pid]

    def describe(self) -> str:
        return "PID namespace: the command is process 1, and sees none of the host's numbers"
