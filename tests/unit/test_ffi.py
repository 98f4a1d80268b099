"""minirt.linux.ffi: ctypes without its Python half, and ctypes itself where that fails."""

from __future__ import annotations

import subprocess
import sys

CALL = (
    "from minirt.linux import ffi; libc = ffi.PyDLL(None, use_errno=True);"
    "libc.syscall.restype = ffi.c_long;"
    "print(libc.syscall(ffi.c_long(-1)), ffi.get_errno(), 'ctypes' in sys.modules)"
)
ENOSYS = 38


def ran(program: str) -> list[str]:
    words = [sys.executable, "-I", "-c", f"import sys; {program}"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()


def test_a_call_gives_its_result_and_errno_without_ctypes() -> None:
    assert ran(CALL) == ["-1", str(ENOSYS), "False"]


def test_another_core_than_expected_falls_back_to_ctypes() -> None:
    assert ran(
        f"import ctypes, types; sys.modules['_ctypes'] = types.ModuleType('other'); {CALL}"
    ) == [
        "-1",
        str(ENOSYS),
        "True",
    ]


def test_the_sizes_are_those_of_ctypes() -> None:
    import ctypes

    from minirt.linux import ffi

    for name in ("c_int", "c_long", "c_ushort", "c_uint32", "c_uint64", "c_char_p"):
        assert ffi.sizeof(getattr(ffi, name)) == ctypes.sizeof(getattr(ctypes, name)), name
