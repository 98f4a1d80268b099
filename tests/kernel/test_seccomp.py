"""The default seccomp profile, loaded: what it stops, and that nothing else did."""

from __future__ import annotations

import struct

import pytest
from confined import confined, in_child

from minirt import state as states
from minirt import state_root
from minirt.engine import foreground
from minirt.errors import KernelError
from minirt.linux import caps
from minirt.linux.calls import MACHINE, NUMBERS
from minirt.linux.seccomp import INSTRUCTION
from minirt.mechanisms.bounding_set import BoundingSet
from minirt.mechanisms.capabilities import Capabilities
from minirt.mechanisms.identity import Identity
from minirt.mechanisms.no_new_privs import NoNewPrivs
from minirt.mechanisms.seccomp import Seccomp
from minirt.mechanisms.user import User
from minirt.seccomp.compiler import compile_profile
from minirt.seccomp.profile import default
from minirt.spans import Recorder

PROGRAM = compile_profile(default(caps.DEFAULT))
DEFAULT = Seccomp(lambda: PROGRAM)
CLONE_NEWUSER, SIGCHLD = 0x10000000, 17
NUMBERS = {
    **NUMBERS,
    **{
        "x86_64": {
            "ptrace": 101, "personality": 135, "add_key": 248, "socket": 41, "getpid": 39,
            "clone": 56, "bpf": 321, "io_uring_setup": 425, "swapon": 167,
        },
        "aarch64": {
            "ptrace": 117, "personality": 92, "add_key": 217, "socket": 198, "getpid": 172,
            "clone": 220, "bpf": 280, "io_uring_setup": 425, "swapon": 224,
        },
    }[MACHINE],
}  # fmt: skip
only_x86_64 = pytest.mark.skipif(MACHINE != "x86_64", reason="x86_64 calls in two more ways")


def tried(program: str, *plan: object) -> list[str]:
    """What each `do("name", argument...)` of the program answers under the plan."""
    prelude = f"numbers = {NUMBERS}\ndef do(name, *a): print(call(numbers[name], *a), flush=True)\n"
    with confined(*plan) as process:  # type: ignore[arg-type]
        return process.run(prelude + program).split()


def test_the_filter_is_seen_from_outside() -> None:
    with confined(DEFAULT) as process:
        assert process.status("Seccomp:") == "2"
        assert process.status("Seccomp_filters") == "1"
        assert process.status("NoNewPrivs") == "0"
        # The waiting process was root with all capabilities: only the filter is at work.
        assert process.caps("CapEff") == caps.of_process("self")["CapEff"]


ATTACKS = """
do("mount", b"none", b"/nonexistent", b"tmpfs", 0, None)
do("clone", 0x10000000 | 17, 0, 0, 0, 0)
do("clone3", 0, 0)
do("add_key", b"user", b"x", b"x", 1, -2)
do("keyctl", 0, -3, 0)
do("bpf", 0, 0, 0)
do("io_uring_setup", 1, 0)
do("setns", 0, 0)
do("swapon", b"/nonexistent", 0)
do("personality", 0x0040000)
do("unshare", 0x10000000)
"""
REFUSED = ["EPERM", "EPERM", "ENOSYS", *["EPERM"] * 8]


def test_known_ways_out_are_closed_even_to_root() -> None:
    assert tried(ATTACKS, DEFAULT) == REFUSED


def test_the_same_calls_get_past_without_the_filter() -> None:
    program = ATTACKS.replace('do("clone", 0x10000000 | 17', 'do("clone", 0x10000000 | 0x800')
    answers = tried(program)
    assert len(answers) == len(REFUSED)
    assert not {"EPERM", "ENOSYS"} & set(answers)


def test_what_programs_need_still_works() -> None:
    program = """
do("getpid")
do("socket", 2, 1, 0)
do("personality", 0xffffffff)
pid = os.fork()
if pid == 0:
    do("ptrace", 0, 0, 0, 0)
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    assert tried(program, DEFAULT) == ["ok", "ok", "ok", "ok", "7"]


def test_threads_start_because_clone3_answers_enosys() -> None:
    program = "import _thread; d = _thread.allocate_lock(); d.acquire()\n"
    program += "_thread.start_new_thread(d.release, ()); d.acquire(); print('ran')"
    assert tried(program, DEFAULT) == ["ran"]


def test_vsock_is_closed_also_with_bits_that_the_kernel_ignores() -> None:
    program = 'do("socket", 40, 1, 0)\ndo("socket", 1 << 32 | 40, 1, 0)'
    assert tried(program, DEFAULT) == ["EPERM", "EPERM"]


def test_a_capability_opens_the_calls_that_belong_to_it() -> None:
    kept = (*caps.DEFAULT, "CAP_SYS_ADMIN")
    plan = (BoundingSet(kept), Seccomp(lambda: compile_profile(default(kept))))
    program = 'do("mount", b"none", b"/nonexistent", None, 1 << 18, None)\ndo("clone3", 0, 0)'
    assert tried(program, *plan) == ["ENOENT", "EINVAL"]


def test_calls_newer_than_the_profile_answer_enosys() -> None:
    program = "print(call(900), call(1 << 20), call(-1))"
    assert tried(program, DEFAULT) == ["ENOSYS"] * 3


# mmap a page, put machine code there, call it: `int 0x80` makes a 32-bit call from 64-bit code.
INT_80 = """
import mmap
page = mmap.mmap(-1, 4096, prot=7)
page.write(bytes.fromhex("53 89f8 89f3 89d1 cd80 5b c3".replace(" ", "")))
entry = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int)(
    ctypes.addressof(ctypes.c_char.from_buffer(page)))
def i386(number, a=0, b=0):
    result = entry(number, a, b)
    print("ok" if result >= 0 else errno.errorcode[-result], flush=True)
"""


@only_x86_64
def test_a_32_bit_call_is_judged_by_its_own_numbers() -> None:
    program = f"{INT_80}\ni386(20)\ni386(21)\ni386(310, 0x10000000)\ni386(435)"
    without = tried(program)
    if without[0] == "ENOSYS":
        pytest.skip("this kernel has no 32-bit calls")
    assert without == ["ok", "EFAULT", "ok", "EINVAL"]  # getpid, mount, unshare, clone3
    assert tried(program, DEFAULT) == ["ok", "EPERM", "EPERM", "ENOSYS"]


@only_x86_64
def test_an_x32_call_cannot_be_used_to_get_around_the_filter() -> None:
    program = "\n".join(f"print(call({n} | 0x40000000, 0x10000000))" for n in (165, 272, 248))
    assert tried(program, DEFAULT) == ["EPERM"] * 3


def step_6(*extra: object, uid: int = 0) -> tuple[object, ...]:
    kept = caps.DEFAULT
    return (
        BoundingSet(kept),
        Identity(uid, uid, (), 0o022),
        Capabilities(kept, kept, kept),
        *extra,
        DEFAULT,
    )


@pytest.mark.parametrize("uid", [0, 1000])
@pytest.mark.parametrize("extra", [(), (NoNewPrivs(),)])
def test_the_filter_loads_last_with_and_without_no_new_privs(uid: int, extra: tuple) -> None:
    with confined(*step_6(*extra, uid=uid)) as process:  # type: ignore[arg-type]
        assert process.status("Seccomp:") == "2"
        assert process.status("NoNewPrivs") == str(len(extra))
        assert process.caps("CapEff") == (caps.mask(caps.DEFAULT) if uid == 0 else 0)


def test_the_filter_loads_in_a_user_namespace() -> None:
    maps = ((0, 100_000, 65_536),)
    with confined(User(maps, maps), *step_6(uid=1000)) as process:  # type: ignore[arg-type]
        assert process.status("Seccomp:") == "2"


def test_the_engine_makes_no_call_between_the_filter_and_execve() -> None:
    """Whatever else a strict profile refuses, it needs to allow execve only."""
    refused = ["prctl", "close_range", "rt_sigaction", "rt_sigprocmask", "fcntl", "openat2"]
    profile = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": refused, "action": "SCMP_ACT_ERRNO"}],
    }
    assert in_child(lambda: str(run_in_engine(profile))) == "0"


def run_in_engine(profile: dict[str, object]) -> int:
    """The exit status of true(1) under nothing but this profile."""
    state = states.new(state_root.default(), "strict")
    state.spec = {
        "process": {"args": ["/bin/true"], "user": {"uid": 0, "gid": 0}},
        "linux": {"seccomp": profile},
    }
    return foreground.run(state, Recorder("", ""), ("seccomp",))


def test_a_program_that_is_no_filter_is_refused_with_the_call() -> None:
    nonsense = Seccomp(lambda: struct.pack("=HBBI", 0xFFFF, 0, 0, 0))
    with pytest.raises(KernelError) as caught, confined(nonsense):
        pass
    assert caught.value.call_line().startswith("seccomp(SECCOMP_SET_MODE_FILTER, 0, 1 instr")
    assert caught.value.errno_name() == "EINVAL"


def test_the_program_is_not_longer_than_the_kernel_allows() -> None:
    assert len(PROGRAM) // INSTRUCTION <= 4096
