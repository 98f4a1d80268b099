"""`linux.seccomp` of config.json, compiled to the program that the kernel runs at every call.

Compiling takes tens of milliseconds and needs libseccomp; see cache.py for the way round.
"""

from __future__ import annotations

import struct
import sys

from minirt.errors import ConfigError, HostError
from minirt.linux.caps import DEFAULT
from minirt.linux.libseccomp import (
    ACTIONS,
    ALLOW,
    ARCHITECTURES,
    ERRNO,
    LOG,
    NATIVE,
    NOTIFY,
    OPERATORS,
    TRACE,
    Filter,
)
from minirt.reader import Reader
from minirt.seccomp.profile import default as default_profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from minirt.codec import Json
    from minirt.linux.libseccomp import Comparison

EPERM, ENOSYS = 1, 38
MAX_ERRNO = 4095
LARGEST_VALUE = 0xFFFFFFFFFFFFFFFF
X32_BIT = 0x40000000
# Opcodes of classic BPF: load a word, jump if equal or greater, return (linux/filter.h).
LD, JEQ, JGT, RET = 0x20, 0x15, 0x25, 0x06
OFFSET_NR, OFFSET_ARCH = 0, 4


def compile_profile(profile: Mapping[str, Json]) -> bytes:
    """The BPF program for a profile: instructions of 8 bytes.

    ConfigError points at what is wrong in the profile; a call that libseccomp does not know is
    skipped, as the specification wants it. HostError without libseccomp.
    """
    reader = Reader(profile, "/linux/seccomp")
    default = _action(reader, "defaultAction", "defaultErrnoRet")
    tokens = [*dict.fromkeys((ARCHITECTURES[NATIVE], *_tokens(reader)))]
    with Filter(default) as filter_:
        for token in tokens:
            _add_architecture(filter_, token, reader)
        named: set[str] = set()
        for rule in reader.objects("syscalls"):
            named.update(_add(filter_, rule, default))
        newest = [(token, _newest(filter_, token, named)) for token in tokens]
        program = filter_.export()
    lenient = default in (ALLOW, LOG, NOTIFY) or default & 0xFFFF0000 == TRACE
    return program if lenient else _unknown_calls(newest) + program


def _tokens(reader: Reader) -> list[int]:
    names = reader.texts("architectures")
    for index, name in enumerate(names):
        if name not in ARCHITECTURES:
            known = ", ".join(ARCHITECTURES)
            pointer = f"{reader.where('architectures')}/{index}"
            raise ConfigError(f'"{name}" is not one of {known}', pointer=pointer)
    return [ARCHITECTURES[name] for name in names]


def _add_architecture(filter_: Filter, token: int, reader: Reader) -> None:
    try:
        filter_.add_architecture(token)
    except HostError as error:  # of another byte order, or newer than the library
        name = next(name for name, number in ARCHITECTURES.items() if number == token)
        what = f"{name} cannot be judged on this machine: {error}"
        hint = "leave it out: its programs do not run here"
        raise ConfigError(what, pointer=reader.where("architectures"), hint=hint) from None


def _action(reader: Reader, member: str, number: str = "errnoRet") -> int:
    """The action with its number of an error, which only some actions have."""
    name = reader.text(member)
    if name not in ACTIONS:
        known = ", ".join(ACTIONS)
        raise ConfigError(f'"{name}" is not one of {known}', pointer=reader.where(member))
    action = ACTIONS[name]
    errno = reader.number(number, EPERM)
    if not 0 <= errno <= MAX_ERRNO:
        raise ConfigError(f"{errno} is not an error number", pointer=reader.where(number))
    if action not in (ERRNO, TRACE):
        if reader.value.get(number) is not None:
            what = f"does not go with {name}, which returns no error number"
            raise ConfigError(what, pointer=reader.where(number), hint="leave it out")
        return action
    return action | errno


def _add(filter_: Filter, rule: Reader, default: int) -> tuple[str, ...]:
    """Add one entry of `syscalls`; return the names that it speaks of."""
    action = _action(rule, "action")
    names = rule.texts("names")
    if not names:
        raise ConfigError("must name a system call", pointer=rule.where("names"))
    # libseccomp refuses a rule that says what happens anyway.
    if action != default:
        for name in names:
            for comparisons in _alternatives(rule):
                filter_.add_rule(action, name, comparisons)
    return names


def _alternatives(rule: Reader) -> list[list[Comparison]]:
    """The comparisons of `args`, as rules of which one has to match.

    All entries of `args` must hold. But a filter compares an argument only once in a rule: if
    one argument has several entries, each becomes a rule of its own (as runc reads it).
    """
    found = [_comparison(entry) for entry in rule.objects("args")]
    if len({comparison[0] for comparison in found}) < len(found):
        return [[comparison] for comparison in found]
    return [found]


def _comparison(entry: Reader) -> Comparison:
    """An entry of `args`; SCMP_CMP_MASKED_EQ has the mask in `value`."""
    operator, index = entry.text("op"), entry.number("index")
    if operator not in OPERATORS:
        known = ", ".join(OPERATORS)
        raise ConfigError(f'"{operator}" is not one of {known}', pointer=entry.where("op"))
    if not 0 <= index <= 5:
        raise ConfigError("must be from 0 to 5", pointer=entry.where("index"))
    for name in ("value", "valueTwo"):
        if not 0 <= entry.number(name) <= LARGEST_VALUE:
            raise ConfigError("must be a number of 64 bits", pointer=entry.where(name))
    return index, OPERATORS[operator], entry.number("value"), entry.number("valueTwo")


def _newest(filter_: Filter, token: int, names: Iterable[str]) -> int:
    return max((filter_.resolve(name, token) for name in names), default=0)


def _unknown_calls(newest: Iterable[tuple[int, int]]) -> bytes:
    """Instructions that answer ENOSYS to calls newer than any that the profile names.

    Whoever wrote the profile could not judge them. EPERM would be a refusal; at ENOSYS the C
    library takes the older call instead. One block for each (architecture, newest number).
    """
    code = b""
    x32 = ARCHITECTURES["SCMP_ARCH_X32"]
    for token, number in newest:
        audit = ARCHITECTURES["SCMP_ARCH_X86_64"] if token == x32 else token
        last = X32_BIT - 1 if token == ARCHITECTURES["SCMP_ARCH_X86_64"] else 0xFFFFFFFF
        if number > 0:
            code += _block(audit, number, last)
    return code


def _block(audit: int, newest: int, last: int) -> bytes:
    """ENOSYS for numbers from newest + 1 to last; jumps count instructions to skip."""
    return b"".join(
        struct.pack("=HBBI", *instruction)
        for instruction in (
            (LD, 0, 0, OFFSET_ARCH),
            (JEQ, 0, 4, audit),
            (LD, 0, 0, OFFSET_NR),
            (JGT, 0, 2, newest),
            (JGT, 1, 0, last),
            (RET, 0, 0, ERRNO | ENOSYS),
        )
    )


def main() -> None:
    """Write the default profile's program to standard output, for `setpriv --seccomp-filter`."""
    kept = tuple(sys.argv[1:]) or DEFAULT
    sys.stdout.buffer.write(compile_profile(default_profile(kept)))


if __name__ == "__main__":
    main()
