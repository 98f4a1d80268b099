"""The part of ctypes that minirt uses, from its C core: importing ctypes takes 1.6 ms more.

The names and their meaning are those of ctypes. The core is private to CPython, so where it has
changed, this falls back to ctypes itself.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ctypes import (
        PyDLL,
        Structure,
        addressof,
        byref,
        c_char_p,
        c_int,
        c_long,
        c_uint32,
        c_uint64,
        c_ushort,
        get_errno,
        pythonapi,
        sizeof,
    )
else:
    try:
        import _ctypes
        from _ctypes import Structure, addressof, byref, get_errno, sizeof

        def _simple(name: str, code: str) -> type:
            base = _ctypes._SimpleCData  # noqa: SLF001
            return type(base)(name, (base,), {"_type_": code})

        # The codes of struct(3), at their native sizes.
        c_int, c_ushort = _simple("c_int", "i"), _simple("c_ushort", "H")
        c_char_p, c_long = _simple("c_char_p", "z"), _simple("c_long", "l")
        c_uint32, c_uint64 = _simple("c_uint32", "I"), _simple("c_uint64", "L")

        class PyDLL:
            """The functions of the running program and its libraries, called with the lock held."""

            def __init__(self, name: str | None, *, use_errno: bool = False) -> None:
                flags = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_PYTHONAPI
                flags |= _ctypes.FUNCFLAG_USE_ERRNO if use_errno else 0
                self._function = type(_ctypes.CFuncPtr)(
                    "Function", (_ctypes.CFuncPtr,), {"_flags_": flags, "_restype_": c_int}
                )
                self._handle = _ctypes.dlopen(name, 0)

            def __getattr__(self, name: str) -> object:
                function = self._function(_ctypes.dlsym(self._handle, name))
                setattr(self, name, function)
                return function

        pythonapi = PyDLL(None)
    except (ImportError, AttributeError):
        from ctypes import (
            PyDLL,
            Structure,
            addressof,
            byref,
            c_char_p,
            c_int,
            c_long,
            c_uint32,
            c_uint64,
            c_ushort,
            get_errno,
            pythonapi,
            sizeof,
        )

__all__ = [
    "PyDLL", "Structure", "addressof", "byref", "c_char_p", "c_int", "c_long", "c_uint32",
    "c_uint64", "c_ushort", "get_errno", "pythonapi", "sizeof",
]  # fmt: skip
