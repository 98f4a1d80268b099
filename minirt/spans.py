"""The recorder: what happened when, as plain records, about a microsecond each.

No OpenTelemetry here: it is slow to import, and its export thread makes unshare(CLONE_NEWUSER)
and setns fail. The records are replayed through opentelemetry-sdk after the container has
started or ended (minirt/telemetry). The container's init writes into one shared page of fixed
slots, so a slot that was never closed tells where init died.
"""

from __future__ import annotations

import errno as errnos
import mmap
import os
import struct
from time import monotonic_ns, time_ns

from minirt.traceparent import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self

    Attribute = str | int | float | bool | Sequence[str]

INTERNAL, CLIENT = "internal", "client"
HOST, CONTAINER, KERNEL, GUEST = SIDES = ("host", "container", "kernel", "guest")
NO_PARENT = b"\0" * 8
SLOT = struct.Struct("8s8sqqi60s")  # span id, parent id, start, end, errno, name
SLOTS = 128
START, END = 16, 24  # the offsets of the two stamps in a slot


class Span:
    """One recorded interval; a context manager that ends itself and notes an exception.

    `start` and `end` are CLOCK_MONOTONIC ns (`end` 0 while open); `error` is an errno name or
    an exception's class, never user data; `side` says where it happened (one of SIDES).
    """

    __slots__ = (
        "attributes", "end", "error", "events", "kind", "links", "message", "name", "parent",
        "recorder", "side", "span_id", "start",
    )  # fmt: skip

    def __init__(self, recorder: Recorder, name: str, span_id: bytes, parent: bytes) -> None:
        self.recorder = recorder
        self.name = name
        self.span_id = span_id
        self.parent = parent
        self.start = monotonic_ns()
        self.end = 0
        self.kind = INTERNAL
        self.side = HOST
        self.attributes: dict[str, Attribute] = {}
        self.events: list[tuple[str, int]] = []
        self.links: list[tuple[bytes, bytes]] = []
        self.error = ""
        self.message = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if error is not None:
            self.fail(error)
        self.recorder.finish(self)

    def set(self, name: str, value: Attribute) -> None:
        self.attributes[name] = value

    def event(self, name: str, at: int = 0) -> None:
        """Something that happened at `at` (CLOCK_MONOTONIC ns, default now)."""
        self.events.append((name, at or monotonic_ns()))

    def fail(self, error: BaseException) -> None:
        """Mark the span failed: the kind of error and the call, no text of the user's."""
        type_of = getattr(error, "error_type", None)
        self.error = type_of() if type_of else type(error).__name__
        summary = getattr(error, "summary", None)
        self.message = summary() if summary else self.error


class Recorder:
    """All spans of one invocation: a tree that grows at the innermost open span."""

    __slots__ = (
        "_stack", "anchor", "parent", "sampled", "sink", "spans", "trace_id", "tracestate",
    )  # fmt: skip

    kept = True

    def __init__(self, traceparent: str = "", tracestate: str = "") -> None:
        context = parse(traceparent)
        self.trace_id, self.parent, self.sampled = context or (os.urandom(16), NO_PARENT, True)
        self.tracestate = tracestate if context else ""
        self.spans: list[Span] = []
        self._stack: list[Span] = []
        self.anchor = clock_anchor()
        self.sink: Callable[[str, Span], None] | None = None

    def span(self, name: str, *, kind: str = INTERNAL) -> Span:
        """Open a span below the innermost open one; use it in a `with`."""
        span = Span(self, name, os.urandom(8), self.current())
        span.kind = kind
        self.spans.append(span)
        self._stack.append(span)
        if self.sink is not None:
            self.sink("start", span)
        return span

    def add(self, name: str, start: int, end: int, *, parent: bytes = b"") -> Span:
        """Add a span whose times are known already (CLOCK_MONOTONIC ns)."""
        span = Span(self, name, os.urandom(8), parent or self.current())
        span.start, span.end = start, end
        self.spans.append(span)
        return span

    def finish(self, span: Span) -> None:
        span.end = monotonic_ns()
        self._stack.remove(span)
        if self.sink is not None:
            self.sink("end", span)

    def current(self) -> bytes:
        """The id of the innermost open span, else of the caller's, else zeroes."""
        return self._stack[-1].span_id if self._stack else self.parent

    def carried(self, span_id: bytes = b"") -> tuple[str, str]:
        """The trace context for a program of a span: (traceparent, tracestate)."""
        return self.traceparent(span_id), self.tracestate

    def traceparent(self, span_id: bytes = b"") -> str:
        """The W3C trace context to hand on: of the span `span_id`, else the innermost open."""
        flags = "01" if self.sampled else "00"
        return f"00-{self.trace_id.hex()}-{(span_id or self.current()).hex()}-{flags}"


def clock_anchor() -> tuple[int, int]:
    """One moment on both clocks, (CLOCK_MONOTONIC, CLOCK_REALTIME) ns: the tightest of 20."""
    best = (1 << 62, 0, 0)
    for _ in range(20):
        before, wall, after = monotonic_ns(), time_ns(), monotonic_ns()
        best = min(best, (after - before, (before + after) // 2, wall))
    return best[1], best[2]


class Page:
    """Fixed slots in shared memory: init stamps them, the host reads them, even post mortem.

    With a `path` it is a file, for a `start` in another process to map too.

    The host writes names and ids before the clone; the child allocates nothing and only
    stamps. Times are the host's CLOCK_MONOTONIC in ns, 0 = not yet; `ahead` is how far the
    clock of this process was set ahead of that by a time namespace (time_namespaces(7)).
    """

    __slots__ = ("_map", "_names", "ahead")

    def __init__(self, path: str = "", *, create: bool = False) -> None:
        self._map = _file(path, create=create) if path else mmap.mmap(-1, SLOT.size * SLOTS)
        self._names: dict[str, int] = {}
        self.ahead = 0

    def reserve(self, name: str, parent: bytes) -> None:
        """Prepare the slot for one span of the child's, before the clone; a second is ignored."""
        if name in self._names:
            return
        index = len(self._names)
        slot = (os.urandom(8), parent, 0, 0, 0, name.encode()[:60])
        SLOT.pack_into(self._map, index * SLOT.size, *slot)
        self._names[name] = index

    def find(self) -> None:
        """Learn the names of the slots that another process has reserved in the file."""
        names = (SLOT.unpack_from(self._map, i * SLOT.size)[-1] for i in range(SLOTS))
        self._names = {name.rstrip(b"\0").decode(): i for i, name in enumerate(names) if any(name)}

    def align(self, anchor: tuple[int, int]) -> None:
        """Stamp by the clock of `anchor`, though this process's is ahead of that."""
        monotonic, wall = clock_anchor()  # no namespace changes the wall clock
        self.ahead = (monotonic - wall) - (anchor[0] - anchor[1])

    def begin(self, name: str) -> None:
        offset = self._names[name] * SLOT.size + START
        struct.pack_into("q", self._map, offset, monotonic_ns() - self.ahead)

    def end(self, name: str, errno: int = 0) -> None:
        offset = self._names[name] * SLOT.size + END
        struct.pack_into("qi", self._map, offset, monotonic_ns() - self.ahead, errno)

    def executed(self) -> int:
        """End the open slot "exec", now that the program was seen to run; when that was.

        0 when init never came to execve, or execve failed.
        """
        offset = self._names["exec"] * SLOT.size
        _, _, start, end, _, _ = SLOT.unpack_from(self._map, offset)
        if not start or end:
            return 0
        self.end("exec")
        seen: int = struct.unpack_from("q", self._map, offset + END)[0]
        return seen

    def collect(self, recorder: Recorder, *, died_at: int = 0) -> None:
        """Copy the stamped slots to `recorder`, each once; an open one of a dead init failed.

        `died_at` is when init was found dead (CLOCK_MONOTONIC ns), 0 while it lives.
        """
        for index in range(SLOTS):
            offset = index * SLOT.size
            span_id, parent, start, end, errno, name = SLOT.unpack_from(self._map, offset)
            if not start or not (end or died_at):
                continue
            span = Span(recorder, name.rstrip(b"\0").decode(), span_id, parent)
            span.start, span.end, span.side = start, end or died_at, CONTAINER
            if errno or not end:
                known = errnos.errorcode.get(errno, "")
                span.error = (known or "MinirtError") if end else "InitDied"
                span.message = (known or "failed") if end else "init died"
            recorder.spans.append(span)
            struct.pack_into("q", self._map, offset + START, 0)
            if recorder.sink is not None:
                recorder.sink("end", span)

    def close(self) -> None:
        self._map.close()


def _file(path: str, *, create: bool) -> mmap.mmap:
    flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT | os.O_TRUNC if create else 0)
    fd = os.open(path, flags, 0o600)
    try:
        if create:
            # Not a sparse file: on a full disk, writing to its memory would be a SIGBUS.
            os.posix_fallocate(fd, 0, SLOT.size * SLOTS)
        return mmap.mmap(fd, SLOT.size * SLOTS)
    finally:
        os.close(fd)
