"""The caller's session keyring does not come along: keyrings are of no namespace."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import oci
import pytest

if TYPE_CHECKING:
    from pathlib import Path

# request_key(2) finds a key of the session keyring by its description.
LOOK = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
{add}
print("found" if libc.syscall({request}, b"user", b"minirt-test", None, 0) >= 0 else "none")
"""
ADD, REQUEST, SESSION = (248, 249, -3)
ADDING = f'libc.syscall({ADD}, b"user", b"minirt-test", b"secret", 6, {SESSION})'


def test_a_key_of_the_callers_session_is_not_found_inside() -> None:
    look = LOOK.format(add="", request=REQUEST)
    inside = [
        sys.executable,
        "-I",
        "-m",
        "minirt.step2",
        "--quiet",
        "--",
        sys.executable,
        "-c",
        look,
    ]
    program = (
        "import ctypes, subprocess, sys\n"
        "ctypes.CDLL(None).syscall(250, 1, None, 0, 0, 0)\n"  # a session keyring of our own
        f"{LOOK.format(add=ADDING, request=REQUEST)}\n"
        f"sys.stdout.flush(); subprocess.run({inside!r}, check=True)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.stdout.split() == ["found", "none"], ran.stderr


@pytest.mark.parametrize(
    ("options", "said"), [((), "none"), (("--no-new-keyring",), "found")], ids=str
)
def test_the_runtime_keeps_the_callers_session_keyring_only_if_asked_to(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    look = LOOK.format(add="", request=REQUEST)
    runtime = oci.Runtime(tmp_path, sys.executable, "-I", "-c", look)
    runtime.config |= {"root": {"path": "/"}, "mounts": [], "hostname": ""}
    runtime.config["linux"] = {"namespaces": [{"type": "pid"}]}
    (runtime.bundle / "config.json").write_text(json.dumps(runtime.config))
    call = [*runtime.program, "--root", str(runtime.root), "run", *options, "c1"]
    program = (
        "import ctypes, subprocess, sys\n"
        "ctypes.CDLL(None).syscall(250, 1, None, 0, 0, 0)\n"
        f"{LOOK.format(add=ADDING, request=REQUEST)}\n"
        f"sys.stdout.flush(); subprocess.run({call!r}, check=True, cwd={str(runtime.bundle)!r})\n"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.stdout.split() == ["found", said], ran.stderr
