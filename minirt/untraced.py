"""What takes the recorder's place where nobody will look: it keeps nothing, and costs nothing."""

from __future__ import annotations

import os
from time import monotonic_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self, TypeAlias

    from minirt.spans import Attribute, Page, Recorder

    Tracer: TypeAlias = "Recorder | Untraced"
    Slots: TypeAlias = "Page | Untraced"


class Untraced:
    """A recorder, its spans, and the page of init's spans (minirt/spans.py), all without memory."""

    __slots__ = ()

    kept = False

    def span(self, _name: str, *, kind: str = "") -> Self:  # noqa: ARG002
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _tb: TracebackType | None,
    ) -> None:
        pass

    def set(self, name: str, value: Attribute) -> None:
        pass

    def fail(self, error: BaseException) -> None:
        pass

    def current(self) -> bytes:
        return b""

    def carried(self, _span_id: bytes = b"") -> tuple[str, str]:
        """The caller's own trace context, as it is: (traceparent, tracestate), or empty."""
        return os.environ.get("TRACEPARENT", ""), os.environ.get("TRACESTATE", "")

    def reserve(self, name: str, parent: bytes) -> None:
        pass

    def align(self, anchor: tuple[int, int]) -> None:
        pass

    def begin(self, name: str) -> None:
        pass

    def end(self, name: str, errno: int = 0) -> None:
        pass

    def executed(self) -> int:
        """When the program was executed, as far as is known: by now."""
        return monotonic_ns()

    def collect(self, recorder: Tracer, *, died_at: int = 0) -> None:
        pass

    def close(self) -> None:
        pass
