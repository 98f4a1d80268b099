"""Rules about devices, as lines for version 1 and as a program for version 2, run here."""

from __future__ import annotations

import pytest

from minirt.limits.devices import ALWAYS, lines, rules
from minirt.linux import bpf

ALL = {"allow": True, "access": "rwm"}
NONE = {"allow": False, "access": "rwm"}
KMSG = {"type": "c", "major": 1, "minor": 11}
DISK = {"type": "b", "major": 8}
ALWAYS_LINES = [("devices.allow", rule.line()) for rule in ALWAYS]


def run(program: bytes, kind: str, access: str, major: int, minor: int) -> int:
    """Execute the program as the kernel would: what it answers."""
    mask = sum(bpf.BPF_DEVCG_ACC[letter] for letter in access)
    context = {0: mask << bpf.ACCESS_SHIFT | bpf.BPF_DEVCG_DEV[kind], 4: major, 8: minor}
    registers = [0] * 11
    code = list(bpf.INSTRUCTION.iter_unpack(program))
    act = {
        bpf.LDX_W: lambda _, __, offset, ___: context[offset],
        bpf.MOV_IMM: lambda _, __, ___, immediate: immediate,
        bpf.MOV_REG: lambda _, source, __, ___: source,
        bpf.AND_IMM: lambda now, _, __, immediate: now & immediate,
        bpf.RSH_IMM: lambda now, _, __, immediate: now >> immediate,
    }
    at = 0
    while code[at][0] != bpf.EXIT:
        operation, pair, offset, immediate = code[at]
        target, source = pair & 15, registers[pair >> 4]
        at += 1
        if operation in act:
            registers[target] = act[operation](registers[target], source, offset, immediate)
        else:
            assert operation in (bpf.JEQ_IMM, bpf.JNE_IMM)
            equal = registers[target] == immediate
            at += offset if equal == (operation == bpf.JEQ_IMM) else 0
    return registers[0]


def program(*entries: dict[str, object]) -> bytes:
    found = rules({"devices": list(entries)})
    return bpf.device_program([(r.kind, r.major, r.minor, r.access, r.allow) for r in found])


@pytest.mark.parametrize(
    ("entries", "request_", "answer"),
    [
        ([], ("c", "rw", 1, 3), 1),  # null, always
        ([], ("c", "r", 1, 11), 0),
        ([], ("c", "m", 1, 11), 1),  # made, but not opened
        ([ALL], ("b", "rwm", 8, 0), 1),
        ([ALL, NONE], ("b", "r", 8, 0), 0),
        ([NONE, {"allow": True, **KMSG, "access": "r"}], ("c", "r", 1, 11), 1),
        ([NONE, {"allow": True, **KMSG, "access": "r"}], ("c", "rw", 1, 11), 0),
        ([{"allow": True, **KMSG, "access": a} for a in "rw"], ("c", "rw", 1, 11), 1),
        ([ALL, {"allow": False, **KMSG, "access": "w"}], ("c", "r", 1, 11), 1),
        ([ALL, {"allow": False, **KMSG, "access": "w"}], ("c", "rw", 1, 11), 0),
        ([ALL, {"allow": False, **DISK}], ("b", "r", 8, 17), 0),
        ([ALL, {"allow": False, **DISK}], ("c", "r", 8, 17), 1),
        ([ALL, {"allow": False, **DISK, "minor": 1}], ("b", "r", 8, 2), 1),
    ],
)
def test_for_each_access_the_last_rule_that_fits_decides(
    entries: list[dict[str, object]], request_: tuple[str, str, int, int], answer: int
) -> None:
    assert run(program(*entries), *request_) == answer


def test_version_1_gets_the_rules_one_by_one_in_their_order() -> None:
    found = lines(rules({"devices": [{"allow": True, **KMSG}, {"allow": False, **DISK}]}))
    assert found == [
        ("devices.deny", "a"),
        ("devices.allow", "c 1:11 rwm"),
        ("devices.deny", "b 8:* rwm"),
        *ALWAYS_LINES,
    ]


def test_everything_is_a_state_of_its_own_in_version_1() -> None:
    assert lines(rules({"devices": [ALL]})) == [
        ("devices.deny", "a"),
        ("devices.allow", "a"),
        *ALWAYS_LINES,
    ]
