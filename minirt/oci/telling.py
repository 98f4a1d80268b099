"""--debug: a line in the log as each phase of each mechanism begins, and as it ends.

Init's phases are told when it waits: it has no log, only the page that it stamps. Imported only
with --debug.
"""

from __future__ import annotations

from minirt.spans import HOST, Recorder
from minirt.untraced import Untraced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.oci.log import Log
    from minirt.spans import Span


class Telling(Recorder):
    """A recorder of which nothing is kept but the lines; it begins no trace."""

    __slots__ = ()

    def __init__(self, log: Log) -> None:
        super().__init__()
        tell(self, log)

    def carried(self, span_id: bytes = b"") -> tuple[str, str]:
        return Untraced().carried(span_id)


def tell(recorder: Recorder, log: Log) -> None:
    """Have every span of `recorder` told to `log`."""

    def sink(moment: str, span: Span) -> None:
        log.debug(_sentence(span, began=moment == "start"))

    recorder.sink = sink


def _sentence(span: Span, *, began: bool) -> str:
    if began:
        return f"{span.name} begins"
    where = "" if span.side == HOST else " inside"
    how = f"failed: {span.message}" if span.error else "ended"
    return f"{span.name}{where} {how} after {(span.end - span.start) / 1e6:.2f} ms"
