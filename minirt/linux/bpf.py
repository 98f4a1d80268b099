"""bpf(2): programs that the kernel asks for a decision; here those about devices of a cgroup.

Version 2 has no files for devices: whoever opens or makes one is judged by the programs of type
BPF_PROG_TYPE_CGROUP_DEVICE at their cgroup and at those above, and all must say 1.
"""

from __future__ import annotations

import os
import struct

from minirt.linux import ffi
from minirt.linux.calls import MACHINE, NUMBERS, check

NUMBERS.update({"x86_64": {"bpf": 321}, "aarch64": {"bpf": 280}}.get(MACHINE, {}))
BPF_PROG_LOAD, BPF_PROG_ATTACH = 5, 8
BPF_PROG_TYPE_CGROUP_DEVICE = 15
BPF_CGROUP_DEVICE = 6
BPF_F_ALLOW_MULTI = 2  # a program of the container's own manager may stand beside ours
# struct bpf_cgroup_dev_ctx: what access_type is made of.
BPF_DEVCG_ACC = {"m": 1, "r": 2, "w": 4}
BPF_DEVCG_DEV = {"b": 1, "c": 2}
ACCESS_SHIFT = 16
INSTRUCTION = struct.Struct("=BBhi")
# The registers: what is still to be allowed, type, major and minor.
R_RESULT, R_CTX, R_TYPE, R_LEFT, R_MAJOR, R_MINOR, R_SCRATCH = 0, 1, 2, 3, 4, 5, 6
LDX_W, MOV_IMM, MOV_REG, AND_IMM, RSH_IMM, EXIT = 0x61, 0xB7, 0xBF, 0x57, 0x77, 0x95
JEQ_IMM, JNE_IMM = 0x15, 0x55
EVERY = -1

Decision = tuple[str, int, int, str, bool]


class LoadAttr(ffi.Structure):
    """The first members of union bpf_attr for BPF_PROG_LOAD; the rest is zero."""

    _fields_ = [
        ("prog_type", ffi.c_uint32), ("insn_cnt", ffi.c_uint32), ("insns", ffi.c_uint64),
        ("license", ffi.c_uint64),
    ]  # fmt: skip


class AttachAttr(ffi.Structure):
    """The members of union bpf_attr for BPF_PROG_ATTACH."""

    _fields_ = [
        ("target_fd", ffi.c_uint32), ("attach_bpf_fd", ffi.c_uint32),
        ("attach_type", ffi.c_uint32), ("attach_flags", ffi.c_uint32),
    ]  # fmt: skip


class Bytes(ffi.Structure):
    """A pointer to bytes, to take its value from."""

    _fields_ = [("pointer", ffi.c_char_p)]


def device_program(decisions: list[Decision]) -> bytes:
    """A program of (kind, major, minor, access, allow): for each access the last that fits counts.

    From the last to the first: what is allowed is crossed off, until nothing is left to allow;
    what is denied, and still on the list, ends it. -1 is every number.
    """
    code = [
        _code(LDX_W, R_LEFT, R_CTX, 0, 0),
        _code(MOV_REG, R_TYPE, R_LEFT, 0, 0),
        _code(AND_IMM, R_TYPE, 0, 0, (1 << ACCESS_SHIFT) - 1),
        _code(RSH_IMM, R_LEFT, 0, 0, ACCESS_SHIFT),
        _code(LDX_W, R_MAJOR, R_CTX, 4, 0),
        _code(LDX_W, R_MINOR, R_CTX, 8, 0),
    ]
    for decision in reversed(decisions):
        code += _judge(*decision)
    return b"".join([*code, *_answer(0)])


def _judge(kind: str, major: int, minor: int, access: str, allow: bool) -> list[bytes]:  # noqa: FBT001
    mask = sum(BPF_DEVCG_ACC[letter] for letter in set(access))
    if allow:
        body = [_code(AND_IMM, R_LEFT, 0, 0, ~mask), _code(JNE_IMM, R_LEFT, 0, 2, 0), *_answer(1)]
    else:
        body = [
            _code(MOV_REG, R_SCRATCH, R_LEFT, 0, 0),
            _code(AND_IMM, R_SCRATCH, 0, 0, mask),
            _code(JEQ_IMM, R_SCRATCH, 0, 2, 0),
            *_answer(0),
        ]
    wanted = ((R_TYPE, BPF_DEVCG_DEV[kind]), (R_MAJOR, major), (R_MINOR, minor))
    for register, number in reversed(wanted):
        if number != EVERY:
            body.insert(0, _code(JNE_IMM, register, 0, len(body), number))
    return body


def _answer(result: int) -> list[bytes]:
    return [_code(MOV_IMM, R_RESULT, 0, 0, result), _code(EXIT, 0, 0, 0, 0)]


def _code(code: int, dst: int, src: int, offset: int, immediate: int) -> bytes:
    return INSTRUCTION.pack(code, src << 4 | dst, offset, immediate)


def attach_device_program(directory: str, program: bytes) -> None:
    """Let `program` judge the processes of a version 2 cgroup; it goes when the cgroup goes."""
    code, terms = Bytes(program), Bytes(b"GPL")
    pointers = [int.from_bytes(bytes(memoryview(b).cast("B")), "little") for b in (code, terms)]
    load = LoadAttr(
        BPF_PROG_TYPE_CGROUP_DEVICE, len(program) // INSTRUCTION.size, pointers[0], pointers[1]
    )
    what = "cannot limit which devices the container may use"
    shown = f"BPF_PROG_LOAD, BPF_PROG_TYPE_CGROUP_DEVICE, {load.insn_cnt} instructions"
    fd = check("bpf", BPF_PROG_LOAD, load, ffi.sizeof(load), what=what, shown=shown)
    group = -1
    try:
        group = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        attach = AttachAttr(group, fd, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI)
        shown = f'BPF_PROG_ATTACH, "{directory}", BPF_CGROUP_DEVICE'
        check("bpf", BPF_PROG_ATTACH, attach, ffi.sizeof(attach), what=what, shown=shown)
    finally:
        for opened in (fd, group):
            if opened >= 0:
                os.close(opened)
