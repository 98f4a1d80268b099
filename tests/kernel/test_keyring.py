"""The caller's session keyring does not come along: keyrings are of no namespace."""

from __future__ import annotations

import subprocess
import sys

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
