"""Ways out of a container by the process that enters it, each known by its number."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import oci
import pytest
from oci import Runtime
from steps import children, status

from minirt.oci import guard, install
from minirt.oci.interpreter import chosen

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(tmp_path, "sleep", "60")


@contextmanager
def waiting(runtime: Runtime, path: Path) -> Iterator[int]:
    """The host pid of a process of exec that is in the container and waits for its runtime.

    The runtime itself waits, for a socket whose queue is full.
    """
    with socket.socket(socket.AF_UNIX) as full, socket.socket(socket.AF_UNIX) as first:
        full.bind(str(path))
        full.listen(0)
        first.connect(str(path))
        words = ("--root", str(runtime.root), "exec", "--pidfd-socket", str(path), "c1", "true")
        with subprocess.Popen([*oci.PROGRAM, *words], cwd=runtime.bundle) as process:
            try:
                yield inside(process.pid)
            finally:
                accepted = [full.accept()[0], full.accept()[0]]
                assert process.wait(30) == 0
                for connection in accepted:
                    connection.close()


def inside(runtime: int) -> int:
    """The child of `runtime` that has joined the pid namespace; the one that joins is another."""
    while True:
        for child in children(runtime):
            try:
                if len(status(child, "NSpid")) == 2:
                    return child
            except (OSError, LookupError):  # it has ended
                continue


def test_cve_2016_9962_who_enters_cannot_be_reached_from_inside(
    runtime: Runtime, tmp_path: Path
) -> None:
    """Until its execve, a process of exec holds files of the host's.

    Who has all the capabilities that it has may trace it (ptrace(2)): so they get them here.
    """
    sets = {key: ["CAP_SYS_ADMIN"] for key in ("bounding", "permitted", "effective")}
    runtime.config["process"]["capabilities"] = sets
    runtime.start("c1", tmp_path / "output")
    with waiting(runtime, tmp_path / "socket") as pid:
        number = status(pid, "NSpid")[1]
        links = f"cd /proc/{number}; cat comm; for link in exe cwd root fd/*; do"
        look = f"{links} readlink $link && echo reached; done"
        done = runtime.call("exec", "c1", "sh", "-c", look)
    assert done.stdout == "minirt-oci\n"
    runtime.must("delete", "--force", "c1")


@pytest.mark.parametrize("verb", ["create", "exec"])
def test_cve_2019_5736_a_link_to_the_interpreter_is_not_executed(
    runtime: Runtime, tmp_path: Path, verb: str
) -> None:
    script = runtime.bundle / "rootfs/bin/innocent"
    script.write_text("#!/proc/self/exe\n")
    script.chmod(0o755)
    if verb == "create":
        runtime.config["process"]["args"] = ["innocent"]
        runtime.create("c1", tmp_path / "output")
        said = runtime.refusal("start", "c1")
    else:
        runtime.start("c1", tmp_path / "output")
        said = runtime.refusal("exec", "c1", "innocent")
    assert "leads through a link of /proc" in said
    runtime.must("delete", "--force", "c1")


@pytest.fixture
def copied(playground: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A launcher for a copy of the interpreter that nothing else runs; the copy's path."""
    interpreter = str(tmp_path / "python")
    shutil.copy(os.path.realpath(sys.executable), interpreter)
    target = str(playground / "state/minirt-oci")
    install.install(target, chosen(interpreter)[0])
    before, oci.PROGRAM[:] = list(oci.PROGRAM), [target]
    yield interpreter
    oci.PROGRAM[:] = before
    install.uninstall(target)


def test_cve_2019_5736_the_interpreter_cannot_be_written_to_by_who_gets_its_link(
    runtime: Runtime, tmp_path: Path, copied: str
) -> None:
    """While it runs nobody can write to it; afterwards, only who kept the link open could try."""
    pid = runtime.create("c1", tmp_path / "output")
    kept = os.open(f"/proc/{pid}/exe", os.O_PATH)
    assert os.path.samestat(os.fstat(kept), os.stat(copied))
    runtime.must("delete", "--force", "c1")
    os.waitpid(pid, 0)
    guard.release(install.place(copied))  # even when no mount is left but the one in the link
    with pytest.raises(OSError, match="Read-only file system") as caught:
        os.open(f"/proc/self/fd/{kept}", os.O_WRONLY)
    os.close(kept)
    assert caught.value.errno == errno.EROFS


OUTSIDE = [f"/proc/self/fd/{number}" for number in range(12)] + [
    "/link",
    "/proc/self/fd/3/../../..",
]


def test_cve_2024_21626_no_working_directory_outside(runtime: Runtime, tmp_path: Path) -> None:
    """Neither a descriptor that leaked in, nor one that was given on purpose, is a way out."""
    (runtime.bundle / "rootfs/link").symlink_to("/proc/self/fd/3")
    (runtime.bundle / "rootfs/work").mkdir()
    runtime.config["process"]["cwd"] = "/work"
    runtime.start("c1", tmp_path / "output")
    for path in OUTSIDE:
        for preserve in ("0", "1"):
            words = ("--preserve-fds", preserve, "--cwd", path, "c1", "ls")
            done = from_host_root(runtime, "exec", *words)
            assert done.returncode == 255, (path, done)
            assert done.stdout == ""
    runtime.must("delete", "--force", "c1")
    for path in OUTSIDE[3:]:
        runtime.config["process"] |= {"cwd": path, "args": ["ls"]}
        done = from_host_root(runtime, "run", "--preserve-fds", "1", "c1")
        assert done.returncode == 1, (path, done)
        assert done.stdout == ""


def from_host_root(runtime: Runtime, *words: str) -> subprocess.CompletedProcess[str]:
    """A call with the host's root as descriptor 3 and as the working directory."""
    (runtime.bundle / "config.json").write_text(json.dumps(runtime.config))
    root = ("--root", str(runtime.root))
    bundle = ("--bundle", str(runtime.bundle)) if words[0] == "run" else ()
    argv = [*oci.PROGRAM, *root, words[0], *bundle, *words[1:]]
    return subprocess.run(
        ["sh", "-c", 'exec "$@" 3</', "sh", *argv], cwd="/", check=False,
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip


def test_who_enters_does_not_show_the_runtimes_arguments(runtime: Runtime, tmp_path: Path) -> None:
    """Everybody inside may read them: paths of the host, and what `exec --env` was given."""
    init = runtime.create("c1", tmp_path / "output")
    assert Path(f"/proc/{init}/cmdline").read_bytes().rstrip(b"\0") == b"minirt\0init"
    runtime.must("start", "c1")
    with waiting(runtime, tmp_path / "socket") as pid:
        assert Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0") == b"minirt\0init"
    runtime.must("delete", "--force", "c1")
