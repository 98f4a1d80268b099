"""Step 6, whose init says what is loaded in it: at its begin, sealed, and right before execve.

    python -I sealed.py [ARGUMENTS ...]

With WHILE_IT_WAITS set it says instead, from the host, who may look into init between create and
start.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from minirt import step6
from minirt.engine import birth, foreground
from minirt.engine.init import Init
from minirt.stepping import step as steps

if TYPE_CHECKING:
    from minirt.engine.container import Container


def report(moment: str) -> None:
    """The modules and the mapped files, with os.write: print would need more."""
    with open("/proc/self/maps") as maps:
        files = {line.split()[5] for line in maps if len(line.split()) > 5}
    loaded = [*sorted(sys.modules), *sorted(name.rpartition("/")[2] for name in files)]
    os.write(1, f"{moment} {','.join(loaded)}\n".encode())


class Reporting(Init):
    """An init that reports what it has loaded."""

    def begin(self) -> None:
        super().begin()
        report("begin")

    def settle(self) -> str:
        program = super().settle()
        report("sealed")
        try:
            import colorsys  # noqa: F401  (any module that nothing has loaded)
        except ImportError:
            os.write(1, b"import refused\n")
        return program

    def execute(self, program: str) -> None:
        report("exec")
        super().execute(program)


def look(container: Container) -> None:
    """Open init's program as another root without CAP_SYS_PTRACE: as one inside would be."""
    weak = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
    program = f"/proc/{container.ctx.pid}/exe"
    done = subprocess.run([*weak, "cat", program], capture_output=True, check=False)
    os.write(1, done.stderr or b"it could be opened")


def start(container: Container, start=foreground.start) -> None:  # noqa: ANN001
    """`start` of the engine, with a look before it."""
    look(container)
    start(container)


def main() -> None:
    """Run the step with the reports built in."""
    if os.environ.get("WHILE_IT_WAITS"):
        foreground.start = start
    else:
        birth.Init = Reporting  # type: ignore[misc]
    sys.argv.insert(1, "--quiet")
    steps.main(step6.STEP)


if __name__ == "__main__":
    main()
