"""IPC: own System V queues, semaphores and shared memory (ipc_namespaces(7)).

POSIX message queues belong to the namespace too, but are seen through an mqueue mount; POSIX
shared memory is files in /dev/shm. Both therefore wait for the mounts of step 3.
"""

from __future__ import annotations

from minirt.mechanism import Mechanism


# --8<-- [start:ipc]
class Ipc(Mechanism):
    """Empty tables of System V objects; the host's keys mean nothing inside."""

    name = "ipc"
    namespace = "ipc"
    # --8<-- [end:ipc]

    def describe(self) -> str:
        return "IPC namespace: no System V queue, semaphore or segment of the host"
