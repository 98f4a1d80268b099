"""The console blocks of the lessons: find them in a page, and run them.

A block is fenced as `{ .console }`, outside the site also as `console`. A line after "$ " is a
command, and one after "> " goes on with it; all else is output. A line "..." in the output
stands for any number of lines.

Further words of the fence say what a block needs or how its output may vary:

    .cgroup1 .cgroup2      only where the memory controller is in a hierarchy of this version
    .vm                    it boots a virtual machine
    data-vary="pid time"   these parts differ from run to run: names of compare.VARIES

Each block runs in a bash of its own, as root, in UTS, network and mount namespaces of its own,
on a machine that is called `laptop`, in the root of the repository with .venv's python first.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from minirt.linux import cgroups, command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "lessons" / "en").glob("*.md"))
RUN = [ROOT / "README.md", *PAGES]
FENCE = re.compile(r"^( *)```+ *(?:\{ *\.console(?P<words>[^}]*)\}|console(?P<plain>\b.*))$")
MARK = re.compile(r"\x01(\d+)\x01\n")
PATIENCE = 60  # seconds for one block
# A private copy of what lessons change on the host; what is in /run/minirt belongs to a network.
SANDBOX = """
mount --make-rshared /
hostname laptop
ip link set lo up
mkdir -p /run/minirt && mount -t tmpfs -o mode=700 none /run/minirt
exec bash --noprofile --norc
"""


@dataclass
class Command:
    """One command of a block and what it printed when it was recorded."""

    text: str
    output: list[str] = field(default_factory=list)


@dataclass
class Block:
    """One console block: its page, the line numbers of its fences, its words and commands."""

    page: Path
    first: int
    last: int
    indent: str
    words: str
    commands: list[Command]

    def __str__(self) -> str:
        return f"{self.page.stem}:{self.first + 1}"

    def has(self, word: str) -> bool:
        return f".{word}" in self.words.split()

    def varies(self) -> list[str]:
        found = re.search(r'data-vary="([^"]*)"', self.words)
        return found[1].split() if found else []


def blocks(page: Path) -> Iterator[Block]:
    """The console blocks of a page, in order."""
    lines = page.read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        opened = FENCE.match(lines[number])
        if opened:
            indent, first = opened[1], number
            number = lines.index(f"{indent}```", number + 1)
            inside = [line.removeprefix(indent) for line in lines[first + 1 : number]]
            words = opened["words"] or opened["plain"] or ""
            yield Block(page, first, number, indent, words, _commands(inside))
        number += 1


def applies(block: Block) -> bool:
    """Whether this machine has the version of cgroups that the block is about, if any."""
    holder = cgroups.holder(cgroups.hierarchies(), "memory")
    version = holder.version if holder else 0
    return not any(block.has(f"cgroup{v}") and v != version for v in (1, 2))


def _commands(lines: Sequence[str]) -> list[Command]:
    commands: list[Command] = []
    for line in lines:
        if line.startswith("$ "):
            commands.append(Command(line[2:]))
        elif line.startswith("> ") and not commands[-1].output:
            commands[-1].text += "\n" + line[2:]
        else:
            commands[-1].output.append(line)
    return commands


def run(block: Block) -> list[list[str]]:
    """Run the commands of a block in one shell; the lines that each printed."""
    marks = "__mark() { local status=$?; printf '\\001%s\\001\\n' $status; return $status; }\n"
    script = marks + "".join(f"{one.text}\n__mark\n" for one in block.commands)
    printed = sandboxed(script)
    parts = MARK.split(printed)[::2]
    if len(parts) != len(block.commands) + 1:
        raise AssertionError(f"{block}: the shell ended early:\n{printed}")
    return [part.rstrip("\n").splitlines() for part in parts[:-1]]


def sandboxed(script: str) -> str:
    """What a shell script prints in the sandbox."""
    with tempfile.TemporaryDirectory(prefix="lesson-") as scratch:
        os.chmod(scratch, 0o711)  # noqa: S103  (as /var/lib/minirt: a mapped root gets through)
        return _sandboxed(script, scratch).replace(scratch, "/tmp")  # as a reader has it


def _sandboxed(script: str, scratch: str) -> str:
    path = f"{Path(sys.executable).parent}:{command.PATH}"
    environment = {
        "PATH": path, "HOME": "/root", "LANG": "C.UTF-8", "TMPDIR": scratch, "COLUMNS": "80",
        "MINIRT_STATE": f"{scratch}/state", "TERM": "dumb",
        **{name: os.environ[name] for name in ("XDG_CACHE_HOME",) if name in os.environ},
    }  # fmt: skip
    with open(f"{scratch}/printed", "w+b") as printed:
        # Not a pipe: what is left in the background would hold it open.
        process = subprocess.Popen(
            ["unshare", "--uts", "--ipc", "--net", "--mount", "sh", "-c", SANDBOX],
            stdin=subprocess.PIPE, stdout=printed, stderr=printed,
            cwd=ROOT, env=environment, start_new_session=True,
        )  # fmt: skip
        try:
            process.communicate(script.encode(), timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            printed.write(f"\nnot done after {PATIENCE} s\n".encode())
        finally:
            _end(process)
        printed.seek(0)
        return printed.read().decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for what the block left in the background; end it if it stays."""
    process.poll()
    for number in (0, signal.SIGTERM, signal.SIGKILL):
        if _gone(process.pid, number):
            return
    raise AssertionError(f"process group {process.pid} cannot be ended")


def _gone(group: int, number: int, seconds: float = 5) -> bool:
    """Send a signal (0 is none) and wait until the group is empty."""
    deadline = time.monotonic() + seconds
    try:
        os.killpg(group, number)
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(-group, os.WNOHANG)
            os.killpg(group, 0)
            time.sleep(0.01)
    except ProcessLookupError:
        return True
    return False
