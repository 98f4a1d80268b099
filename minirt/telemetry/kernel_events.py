"""The tracer's binary pages as system calls, and each call below the span that it belongs to."""

from __future__ import annotations

import errno as errnos
import os
import struct

from minirt.linux.mount import FSCONFIG_CMD_CREATE
from minirt.spans import CONTAINER, HOST, KERNEL, NO_PARENT
from minirt.telemetry.kernel_calls import EVENTS, SYSCALLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from minirt.spans import Recorder, Span

    Event = tuple[int, int, bytes]  # time in ns, kind, payload

PAGE_HEADER = struct.Struct("QQ")  # time of the first event, bytes used and flags
USED = (1 << 20) - 1
PADDING, TIME_EXTEND, TIME_STAMP = 29, 30, 31
COMMON = struct.Struct("HBBi")  # the event's kind, flags, preempt count, pid
ARGUMENTS = struct.Struct("16xQQ")  # of sys_enter: the first two
ENTER, EXIT, FORK = EVENTS[0], EVENTS[1], EVENTS[2]
PRINT = 5  # the kind of a write to trace_marker, fixed in the kernel (TRACE_PRINT)
FOREVER = 1 << 62


class Call:
    """One system call: who made it, when, and what came of it."""

    __slots__ = ("end", "name", "number", "pid", "result", "start")

    def __init__(self, pid: int, number: int, start: int, end: int, result: int) -> None:
        self.pid = pid
        self.number = number
        self.start = start
        self.end = end
        self.result = result
        self.name = SYSCALLS.get(number, f"syscall_{number}")


class Seen:
    """What the kernel saw: calls, (pid, event, time), and each child with its parent and time."""

    __slots__ = ("calls", "forks", "moments")

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.moments: list[tuple[int, str, int]] = []
        self.forks: list[tuple[int, int, int]] = []


def pages(pipe: int) -> Iterator[bytes]:
    """Every page that a trace_pipe_raw holds now."""
    size = os.sysconf("SC_PAGE_SIZE")
    while True:
        try:
            page = os.read(pipe, size)
        except BlockingIOError:
            return
        if not page:
            return
        yield page


def writer(found: Iterable[bytes]) -> int:
    """The pid that wrote to trace_marker, as the tracer counts."""
    for page in found:
        for _, kind, payload in _events(page):
            if kind == PRINT:
                return _pid(payload)
    raise OSError(errnos.ENODATA, "it recorded nothing")


def parse(found: Iterable[bytes], formats: Mapping[str, str]) -> Seen:
    """Pair entries with exits and sort out the rest; `formats` are the events' format files."""
    kinds = {_kind(text): (name, _fields(text)) for name, text in formats.items()}
    events = sorted((event for page in found for event in _events(page)), key=lambda e: e[0])
    seen = Seen()
    entered: dict[int, tuple[int, bytes]] = {}
    for at, kind, payload in events:
        if kind not in kinds:
            continue
        name, fields = kinds[kind]
        pid = _pid(payload)
        if name == ENTER:
            entered[pid] = (at, payload)
        elif name == EXIT and pid in entered:
            start, entry = entered.pop(pid)
            call = Call(pid, fields["id"].of(payload), start, at, fields["ret"].of(payload))
            if call.result < 0 or not _stores_option(call, entry):
                seen.calls.append(call)
        elif name != EXIT:
            seen.moments.append((pid, name.rpartition("/")[2], at))
            if name == FORK:
                seen.forks.append((pid, fields["child_pid"].of(payload), at))
    return seen


def _stores_option(call: Call, entry: bytes) -> bool:
    """An fsconfig(2) that only notes an option: many in a row, none of them does anything yet."""
    return call.name == "fsconfig" and ARGUMENTS.unpack_from(entry)[1] != FSCONFIG_CMD_CREATE


class Field:
    """Where an integer lies in an event's payload."""

    __slots__ = ("offset", "signed", "size")

    def __init__(self, offset: int, size: int, *, signed: bool) -> None:
        self.offset = offset
        self.size = size
        self.signed = signed

    def of(self, payload: bytes) -> int:
        raw = payload[self.offset : self.offset + self.size]
        return int.from_bytes(raw, "little", signed=self.signed)


def _kind(text: str) -> int:
    return int(text.partition("ID: ")[2].split()[0])


def _fields(text: str) -> dict[str, Field]:
    r"""From lines as "\tfield:long id;\toffset:8;\tsize:8;\tsigned:1;"."""
    fields = {}
    for line in text.splitlines():
        parts = dict(part.strip().split(":", 1) for part in line.split(";") if ":" in part)
        if "field" in parts and "offset" in parts:
            name = parts["field"].split()[-1].partition("[")[0]
            offset, size = int(parts["offset"]), int(parts["size"])
            fields[name] = Field(offset, size, signed=parts["signed"] == "1")
    return fields


def _pid(payload: bytes) -> int:
    pid: int = COMMON.unpack_from(payload)[3]
    return pid


def _events(page: bytes) -> Iterator[Event]:
    """The events of one ring buffer page (Documentation/trace/ring-buffer-map, header_event).

    Each begins with 5 bits of type or length in words, and 27 bits of time since the last.
    """
    at, used = PAGE_HEADER.unpack_from(page)
    offset, end = PAGE_HEADER.size, PAGE_HEADER.size + (used & USED)
    while offset < end:
        head, word = struct.unpack_from("II", page, offset)
        kind, delta = head & 31, head >> 5
        if kind == PADDING and not delta:
            return
        at = (word << 27) + delta if kind == TIME_STAMP else at + delta
        if kind == TIME_EXTEND:
            at += word << 27
        # 0: the length is the next word, which it includes.
        length = kind * 4 if 0 < kind < PADDING else 4 if kind > PADDING else word
        skip = 4 if kind else 8
        if kind < PADDING:
            data = page[offset + skip : offset + 4 + length]
            yield at, int.from_bytes(data[:2], "little"), data
        offset += 4 + length


def attach(recorder: Recorder, seen: Seen, *, launcher: int, init: int, lost: int) -> None:
    """Add a span for each call below the recorder's own; `launcher` counts as the tracer does."""
    roots = [span for span in recorder.spans if span.parent in (NO_PARENT, recorder.parent)]
    if not roots:
        return
    roots[0].set("minirt.kernel.source", "tracefs")
    if lost:
        roots[0].set("minirt.kernel.lost", lost)
    inside = _descendants(_translate(seen, launcher, init), seen.forks)
    own = {side: [s for s in recorder.spans if s.side == side] for side in (HOST, CONTAINER)}
    for call in seen.calls:
        candidates = own[CONTAINER] if call.pid in inside else own[HOST]
        below = _innermost(candidates, call.start, call.end) or roots[0]
        if below.start <= call.start:  # what the caller did before its first span is not shown
            _add(recorder, call, below)
    for pid, name, at in seen.moments:
        candidates = own[CONTAINER] if pid in inside else own[HOST]
        (_innermost(candidates, at, at) or roots[0]).event(name, at)


def _add(recorder: Recorder, call: Call, below: Span) -> None:
    span = recorder.add(f"{call.name}(2)", call.start, call.end, parent=below.span_id)
    span.side = KERNEL
    span.set("minirt.syscall.name", call.name)
    span.set("minirt.syscall.nr", call.number)
    span.set("minirt.syscall.ret", call.result)
    if -4096 < call.result < 0:
        # Only an attribute: whether it is a failure is for the one who called to say.
        span.set("minirt.syscall.errno", errnos.errorcode.get(-call.result, str(-call.result)))


def _innermost(spans: Sequence[Span], start: int, end: int) -> Span | None:
    """The shortest span that was open from `start` to `end`."""
    around = [s for s in spans if s.start <= start and end <= (s.end or FOREVER)]
    return min(around, key=lambda s: (s.end or FOREVER) - s.start, default=None)


def _translate(seen: Seen, launcher: int, init: int) -> int:
    """Init's pid as the tracer counts: the fork within the call that returned `init`."""
    for call in seen.calls:
        if call.result == init and call.name in ("clone3", "clone", "vfork"):
            for parent, child, at in seen.forks:
                if parent == call.pid and call.start <= at <= call.end:
                    return child
    return init if launcher == os.getpid() else 0


def _descendants(pid: int, forks: Sequence[tuple[int, int, int]]) -> set[int]:
    found = {pid}
    for parent, child, _ in forks:  # in the order of time, so a parent is known before its child
        if parent in found:
            found.add(child)
    return found
