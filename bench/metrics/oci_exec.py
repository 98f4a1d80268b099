"""`exec`: one more program in a container that runs, in the foreground, until its end.

The program ends at once. The container is created and deleted for each sample, which is not timed;
what the kernel shows of its init is in the detail, so that one sees whether the work was the same.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.metrics.memory import IDLE
from bench.metrics.metric import Reading, total
from bench.metrics.oci_run import GAPS
from bench.metrics.start import MARK
from bench.subjects.driven import Driven
from minirt.linux import mountinfo

if TYPE_CHECKING:
    from bench.samples import Setting
    from bench.subject import Subject


class OciExec:
    name, title = "oci-exec", "exec"
    seconds, least = (50.0, 300.0), 10

    def settings(self, *, full: bool) -> tuple[Setting, ...]:
        del full
        return GAPS

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        del setting, full
        return isinstance(subject, Driven)

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        assert isinstance(subject, Driven)  # noqa: S101  (see about)
        with subject.launch(IDLE) as container:
            time.sleep(float(setting["gap_s"]))
            run = container.exec(MARK)
            shown = seen(container.pid)
        return [Reading(total(run), "s", {"cpu_s": run.cpu_s, "seen": shown})]


def seen(pid: int) -> dict[str, str | int]:
    """What a container's init has, by the kernel's own tables."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return {
        "mounts": len(mountinfo.mounts(pid)),
        "seccomp": int(fields["Seccomp"]),
        "capabilities": fields["CapBnd"].strip(),
    }
