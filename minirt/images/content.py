"""What is in the embedded image: two layers, made of a static busybox and a few lines of text.

Where there is no busybox package, the host's own shell and tools take its place, with the
shared libraries that ldd(1) names.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess

from minirt.errors import HostError
from minirt.host import debs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ENV = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",)
CMD = ("/bin/sh",)
TOOLS = (
    "sh", "cat", "chmod", "date", "df", "echo", "env", "expr", "false", "free", "grep", "head",
    "hostname", "id", "ip", "kill", "ln", "ls", "mkdir", "mknod", "mount", "mv", "nproc", "ping",
    "ps", "pwd", "readlink", "rm", "sed", "sleep", "sort", "stat", "stty", "tail", "test", "touch",
    "tr", "true", "tty", "umount", "uname", "wc",
)  # fmt: skip

FIRST = {
    # Where those of a container are mounted: made there, they would be in each writable layer.
    "etc/hosts": "",
    "etc/hostname": "",
    "etc/resolv.conf": "",
    "etc/group": "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n",
    "etc/issue": "This file is in the first layer only: the second deletes it.\n",
    "etc/motd": "This file is in the first layer: the second hides it behind its own.\n",
    "etc/os-release": 'ID=minirt\nNAME="minirt embedded image"\n',
    "etc/passwd": (
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
    ),
}
SECOND = {
    "etc/motd": "Welcome. This file comes from the second layer.\n",
    "etc/.wh.issue": "",
}
SCRIPTS = {
    "usr/local/bin/hello": """#!/bin/sh
echo "hello from $(hostname), where I am process $$"
""",
    "usr/local/bin/eat": """#!/bin/sh
# eat MIB: take that much memory, then give it back. tail keeps a line until it has all of it.
head -c "${1:?how many MiB}m" /dev/zero | tail -n 1 >/dev/null || exit
echo "had $1 MiB"
""",
}
DIRECTORIES = (
    "bin", "dev", "etc", "home", "lib", "mnt", "opt", "proc", "root", "run", "sbin", "srv", "sys",
    "tmp", "usr", "usr/bin", "usr/lib", "usr/local", "usr/local/bin", "usr/sbin", "var", "var/tmp",
)  # fmt: skip
MODES = {"tmp": 0o1777, "var/tmp": 0o1777, "root": 0o700}

# Changes with what this file says, so that a newer minirt replaces an older one's image.
VERSION = hashlib.sha256(repr((ENV, CMD, FIRST, SECOND, SCRIPTS, DIRECTORIES)).encode()).hexdigest()


class Entry:
    """One entry of a layer: a directory, a file with `content`, or a link to `link`."""

    __slots__ = ("content", "link", "mode", "path")

    def __init__(
        self, path: str, mode: int, content: bytes | None = None, *, link: str = ""
    ) -> None:
        self.path = path
        self.mode = mode
        self.content = content
        self.link = link


def layers() -> list[list[Entry]]:
    """The entries of each layer, lowest first; always in the same order."""
    base = [*_directories(DIRECTORIES), *_files(FIRST, 0o644), *_tools()]
    app = [*_files(SECOND, 0o644), *_files(SCRIPTS, 0o755)]
    return [_sorted(base), _sorted(app)]


def _sorted(entries: list[Entry]) -> list[Entry]:
    """By path, so a directory comes before what is in it; those that are missing are added."""
    paths = {entry.path for entry in entries}
    for path in list(paths):
        while path := os.path.dirname(path):
            paths.add(path)
    added = paths - {entry.path for entry in entries}
    return sorted([*entries, *_directories(added)], key=lambda entry: entry.path)


def _directories(paths: Iterable[str]) -> Iterator[Entry]:
    return (Entry(path, MODES.get(path, 0o755)) for path in paths)


def _files(texts: dict[str, str], mode: int) -> Iterator[Entry]:
    return (Entry(path, mode, text.encode()) for path, text in texts.items())


def _tools() -> list[Entry]:
    busybox = _busybox()
    if not busybox:
        return list(host_tools(TOOLS))
    # A link for each of busybox's commands, where it wants it: "bin/sh", "usr/bin/awk".
    listed = subprocess.run([busybox, "--list-full"], capture_output=True, text=True, check=True)
    links = set(listed.stdout.split()) - {"bin/busybox", "linuxrc"}
    program = Entry("bin/busybox", 0o755, _content(busybox))
    return [program, *(Entry(path, 0o777, link="/bin/busybox") for path in links)]


def _busybox() -> str:
    """A busybox that needs no library: from its package, or the host's own; "" for none."""
    try:
        package = debs.fetch("busybox-static")
    except HostError:
        found = shutil.which("busybox")
        return found if found and not list(_libraries(found)) else ""
    paths = (f"{package}/bin/busybox", f"{package}/usr/bin/busybox")
    return next((path for path in paths if os.access(path, os.X_OK)), "")


def host_tools(names: Iterable[str]) -> Iterator[Entry]:
    """Programs of the host under their own names in bin/, then the libraries they all need."""
    libraries: set[str] = set()
    for name in names:
        path = shutil.which(name)
        if path:
            libraries.update(_libraries(path))
            yield Entry(f"bin/{name}", 0o755, _content(path))
    for path in libraries:
        yield Entry(path.strip("/"), 0o755, _content(path))


def _libraries(program: str) -> Iterator[str]:
    """The absolute paths in ldd's lines: "libc.so.6 => /lib/libc.so.6 (0x…)", "/lib64/ld…"."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    for word in said.stdout.split():
        if word.startswith("/"):
            yield word


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
