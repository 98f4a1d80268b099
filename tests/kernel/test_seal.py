"""Between clone and execve init is Python in the container's view: nothing of the image's runs."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from steps import PYTHON, Running, output, run

from minirt.images import build

if TYPE_CHECKING:
    from collections.abc import Iterator

NONE = ("--network", "none")
SEALED = [*PYTHON, str(Path(__file__).with_name("sealed.py"))]
STEPS = pytest.mark.parametrize("step", [3, 6])


@pytest.fixture(scope="module")
def busybox() -> Path:
    for layer in build.ensure().layers:
        if (Path(layer) / "bin/busybox").exists():
            return Path(layer) / "bin/busybox"
    raise LookupError("busybox")


@pytest.fixture
def image(tmp_path: Path, busybox: Path) -> Path:
    """A root file tree with a shell in it, to add traps to."""
    root = tmp_path / "image"
    (root / "bin").mkdir(parents=True)
    for name in ("busybox", "sh", "cat", "ls", "readlink", "env"):
        shutil.copy(busybox, root / "bin" / name)
    return root


@pytest.mark.parametrize("options", [(), ("--userns",)], ids=["host-ids", "userns"])
def test_no_module_and_no_library_is_loaded_after_the_clone(options: tuple[str, ...]) -> None:
    """As init sees itself: right after the clone, sealed, and in its last moment before execve."""
    done = subprocess.run(
        [*SEALED, *NONE, *options, "--memory", "64m", "--hostname", "web1", "--", "true"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    reports = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert set(reports) - {"import"} == {"begin", "sealed", "exec"}
    assert reports["sealed"] == reports["begin"]
    assert reports["exec"] == reports["begin"]
    assert "minirt.mechanisms.seccomp" in reports["begin"]
    assert "libc.so" in reports["begin"]


def stdlib() -> Iterator[Path]:
    """Where this Python, and others, look for modules."""
    yield from (Path(path) for path in sys.path if path.startswith("/"))
    yield from (Path(path) for path in ("/usr/lib/python3.11", "/usr/lib/python3", "/"))


@pytest.fixture
def trapped(image: Path, tmp_path: Path) -> Path:
    """An image with a standard library, libraries and settings that ours must not use."""
    trap = "import os; os.write(2, b'TRAPPED\\n'); raise SystemExit(99)\n"
    for directory in set(stdlib()):
        inside = image / str(directory).lstrip("/")
        inside.mkdir(parents=True, exist_ok=True)
        for name in (*sys.stdlib_module_names, "minirt", "sitecustomize", "usercustomize"):
            (inside / f"{name}.py").write_text(trap)
    library = trapped_library(tmp_path)
    for name in ("libseccomp.so.2", "libc.so.6", "libnss_files.so.2", "libffi.so.8"):
        for directory in ("lib", "lib64", "usr/lib", "lib/x86_64-linux-gnu"):
            (image / directory).mkdir(parents=True, exist_ok=True)
            shutil.copy(library, image / directory / name)
    (image / "etc").mkdir()
    (image / "etc/ld.so.preload").write_text("/lib/libc.so.6\n")
    (image / "etc/nsswitch.conf").write_text("passwd: trap\n")
    (image / "etc/passwd").write_text("root:x:0:0:::\n")
    for database in ("usr/lib/locale", "usr/share/terminfo", "usr/share/zoneinfo"):
        shutil.copytree(image / "lib", image / database)
    return image


@pytest.mark.parametrize(
    "options", [("3",), ("6", *NONE), ("6", *NONE, "--userns")], ids=["3", "6", "6-userns"]
)
def test_a_booby_trapped_image_runs_nothing(trapped: Path, options: tuple[str, ...]) -> None:
    step, *more = options
    done = run(int(step), "--rootfs", str(trapped), *more, "--", "/bin/sh", "-c", "echo fine")
    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")
    failed = run(int(step), "--rootfs", str(trapped), *more, "--", "/bin/no-such-program")
    assert failed.returncode == 127
    assert "TRAPPED" not in failed.stderr


def test_an_import_in_init_would_not_find_the_trap(trapped: Path) -> None:
    done = subprocess.run(
        [*SEALED, *NONE, "--rootfs", str(trapped), "--", "/bin/sh", "-c", ":"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert "import refused\n" in done.stdout


def trapped_library(directory: Path) -> Path:
    """No library at all: whoever loads it fails to start, or says that it is too short."""
    path = directory / "trap.so"
    path.write_bytes(b"\x7fELF" + bytes(12))
    return path


@STEPS
def test_no_environment_of_the_hosts_gets_in(step: int) -> None:
    environment = {**os.environ, "CANARY": "canary", "LD_LIBRARY_PATH": "/canary"}
    options = NONE if step == 6 else ()
    with Running(step, *options, env=environment) as container:
        assert "canary" not in container.proc("environ")


@STEPS
def test_nothing_of_the_hosts_is_mapped_or_open_in_the_program(step: int) -> None:
    script = "echo ready; exec cat"  # a shell ignores some signals itself
    with Running(step, *(NONE if step == 6 else ()), script=script) as container:
        container.process.stdin.write("from now on it is cat\n")
        container.process.stdin.flush()
        assert container.process.stdout.readline() == "from now on it is cat\n"
        assert "python" not in container.proc("maps")
        assert sorted(os.listdir(f"/proc/{container.pid}/fd")) == ["0", "1", "2"]
        assert os.readlink(f"/proc/{container.pid}/exe") in ("/bin/sh", "/bin/busybox")
        for name in ("SigIgn", "SigBlk", "SigPnd", "ShdPnd"):
            assert container.status(name) == ["0" * 16]


def test_init_cannot_be_dumped_or_traced_while_it_waits() -> None:
    """Others may be inside already, where a pid namespace is shared (CVE-2016-9962)."""
    done = subprocess.run(
        [*SEALED, *NONE, "--", "true"],
        env={**os.environ, "WHILE_IT_WAITS": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Permission denied" in done.stdout


LINKS = (
    ("/proc/self/exe", ()),
    ("/bin/link", ()),
    ("/bin/script", ("#!/proc/self/exe",)),
    ("/bin/script", ("#! \t/proc/self/exe -x",)),
    ("/bin/script", ("#!/bin/link",)),
    ("/bin/script", ("#!/bin/second", "#!/proc/thread-self/exe")),
    ("/bin/script", ("#!/proc/1/exe",)),
    ("link", ()),
)


@STEPS
@pytest.mark.parametrize(("command", "scripts"), LINKS, ids=str)
def test_a_link_to_the_interpreter_is_not_executed(
    image: Path, step: int, command: str, scripts: tuple[str, ...]
) -> None:
    (image / "bin/link").symlink_to("/proc/self/exe")
    for name, line in zip(("script", "second"), scripts, strict=False):
        (image / "bin" / name).write_text(f"{line}\n")
        (image / "bin" / name).chmod(0o755)
    done = run(step, *(NONE if step == 6 else ()), "--rootfs", str(image), "--", command)
    assert done.returncode == 126
    assert "leads through a link of /proc" in done.stderr


@pytest.mark.parametrize("offset", [64, 1 << 20])
@pytest.mark.parametrize("wide", [True, False], ids=["64-bit", "32-bit"])
def test_the_interpreter_as_a_loader_is_not_executed(image: Path, offset: int, wide: bool) -> None:  # noqa: FBT001
    program = image / "bin/program"
    program.write_bytes(elf_with_loader(b"/proc/self/exe\0", offset, wide=wide))
    program.chmod(0o755)
    done = run(3, "--rootfs", str(image), "--", "/bin/program")
    assert done.returncode == 126
    assert "leads through a link of /proc" in done.stderr


def elf_with_loader(loader: bytes, offset: int, *, wide: bool) -> bytes:
    """An ELF file of nothing but a PT_INTERP, its table and its name at `offset`."""
    machine = {True: 62, False: 3}[wide]
    ident = b"\x7fELF" + bytes((2 if wide else 1, 1, 1)) + bytes(9)
    if wide:
        header = ident + struct.pack(
            "<HHIQQQIHHHHHH", 2, machine, 1, 0, offset, 0, 0, 64, 56, 1, 0, 0, 0
        )
        table = struct.pack("<IIQQQQQQ", 3, 4, offset + 56, 0, 0, len(loader), len(loader), 1)
    else:
        header = ident + struct.pack(
            "<HHIIIIIHHHHHH", 2, machine, 1, 0, offset, 0, 0, 52, 32, 1, 0, 0, 0
        )
        table = struct.pack("<IIIIIIII", 3, offset + 32, 0, 0, len(loader), len(loader), 4, 1)
    return header.ljust(offset, b"\0") + table + loader


def test_no_process_inside_can_write_to_the_interpreter() -> None:
    """Neither by /proc/1/exe nor by what it may find in /proc of every process."""
    script = """
        for exe in /proc/[0-9]*/exe /proc/self/exe /proc/self/map_files/*; do
            case "$(readlink $exe)" in *python*) echo "$exe is the interpreter" ;; esac
        done; echo looked"""
    assert output(6, *NONE, "--", "/bin/sh", "-c", script) == "looked\n"
