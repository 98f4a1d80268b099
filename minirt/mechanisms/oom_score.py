"""OOM score: whom the kernel kills first when memory runs out (proc_pid_oom_score_adj(5)).

Anyone may raise their own; to lower it below what it once was needs CAP_SYS_RESOURCE on the
host, so it is written from there.
"""

from __future__ import annotations

import errno
import os

from minirt.linux.calls import failed
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class OomScore(Mechanism):
    """From -1000 (never) to 1000 (first)."""

    name = "oom_score"

    def __init__(self, score: int) -> None:
        self.score = score

    def attach(self, ctx: Context) -> None:
        path = f"/proc/{ctx.pid}/oom_score_adj"
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(fd, str(self.score).encode())
            finally:
                os.close(fd)
        except OSError as error:
            refused = failed("cannot set oomScoreAdj", f'write("{path}", "{self.score}")', error)
            if error.errno == errno.EACCES:
                refused.hint = "lowering it needs CAP_SYS_RESOURCE, which minirt does not have here"
            raise refused from None

    def describe(self) -> str:
        return f"OOM score: {self.score:+} when the kernel chooses whom to kill"
