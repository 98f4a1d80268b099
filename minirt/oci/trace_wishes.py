"""What annotations and environment want of a container's trace: on or off, below what, to where.

An annotation may come from somebody who may start containers and nothing else, so it switches and
names a parent; files and collectors are named by the environment alone.
"""

from __future__ import annotations

import os

from minirt import traceparent
from minirt.oci.call import TRACED
from minirt.spans import NO_PARENT
from minirt.telemetry.otlp_http import REMEMBERED, wanted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from minirt.codec import Json
    from minirt.spans import Recorder

PARENT, STATE = "minirt.dev/traceparent", "minirt.dev/tracestate"
INSIDE = "minirt.dev/trace-inside"
OFF = ("", "0", "off", "false", "no")
ON = ("1", "on", "true", "yes")
LONGEST_STATE = 512  # characters of a tracestate that must be passed on (Trace Context, 3.3.1.5)


class Wishes:
    """Of one configuration's annotations, and of the environment; `warn` is told of wrong ones."""

    __slots__ = ("annotations", "environ", "variable", "warn")

    def __init__(self, annotations: Json, warn: Callable[[str], None]) -> None:
        self.annotations = annotations if isinstance(annotations, dict) else {}
        self.environ = os.environ
        self.variable = os.environ.get("MINIRT_TRACE", "")
        self.warn = warn

    def trace(self) -> bool:
        """What the annotation says, else MINIRT_TRACE, else whether there is a collector."""
        if self.variable.lower() not in OFF + ON and not os.path.isabs(self.variable):
            # Relative to whatever directory the engine has: a misspelt word, more likely.
            self.warn("MINIRT_TRACE is neither on, nor off, nor an absolute path: ignored")
            self.variable = ""
        annotation = self._annotation(TRACED).lower()
        if annotation in ON:
            return True
        if annotation and annotation not in OFF:
            self.warn(f"{TRACED} is neither on nor off: ignored")
        elif annotation:
            return False
        return self.variable.lower() not in OFF if self.variable else wanted(self.environ)

    def inside(self) -> bool:
        """Whether the program inside is to get the context."""
        asked = self._annotation(INSIDE) or self.environ.get("MINIRT_TRACE_INSIDE", "")
        return asked.lower() in ON

    def join(self, recorder: Recorder) -> None:
        """Be below the caller's span: the environment's, else the annotation's; else below none."""
        text = self._annotation(PARENT)
        if self.joined(recorder) or not text:
            return
        found = traceparent.parse(text)
        if found is None:
            self.warn(f"{PARENT} is no traceparent of W3C: ignored")
            return
        recorder.trace_id, recorder.parent, recorder.sampled = found
        recorder.tracestate = _tracestate(self._annotation(STATE))

    def joined(self, recorder: Recorder) -> bool:
        """Whether the environment names a caller's span, of which the recorder knows by itself."""
        recorder.tracestate = _tracestate(recorder.tracestate)
        if recorder.parent == NO_PARENT and self.environ.get("TRACEPARENT"):
            self.warn("TRACEPARENT is no traceparent of W3C: ignored")
        return recorder.parent != NO_PARENT

    def file(self, container_id: str) -> str:
        """The file that MINIRT_TRACE names, or in the directory that it names; "" for none.

        Nothing that one could have to wait for, such as a pipe.
        """
        if self.variable.lower() in OFF + ON:
            return ""
        path = os.path.abspath(self.variable)
        if os.path.isdir(path):
            path = f"{path}/{container_id}.jsonl"
        if not path.isprintable() or (os.path.exists(path) and not os.path.isfile(path)):
            self.warn("MINIRT_TRACE names neither a file nor a directory: ignored")
            return ""
        return path

    def collector(self) -> dict[str, Json]:
        """What names the collector, but nothing that may be a secret.

        Headers are left out, and an address with a user or a query in it.
        """
        if not wanted(self.environ):
            return {}
        found = {name: self.environ.get(name, "") for name in REMEMBERED}
        return {k: v for k, v in found.items() if v.isprintable() and v and not set(v) & set("@?")}

    def _annotation(self, name: str) -> str:
        text = self.annotations.get(name, "")
        return text if isinstance(text, str) else ""


def _tracestate(text: str) -> str:
    """What may be passed on: of a length, and in the characters, of the recommendation."""
    return text if len(text) <= LONGEST_STATE and text.isascii() and text.isprintable() else ""
