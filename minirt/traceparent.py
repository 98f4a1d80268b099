"""The W3C trace context as it is handed from program to program (W3C Trace Context, 3.2)."""

from __future__ import annotations


def parse(text: str) -> tuple[bytes, bytes, bool] | None:
    """(trace id, span id, sampled) of a W3C traceparent; None when it is not a valid one.

    Version 00 has exactly four fields; a later version may have more (Trace Context, 3.2.4).
    """
    parts = text.strip().split("-")
    if [len(part) for part in parts[:4]] != [2, 32, 16, 2] or parts[0] == "ff":
        return None
    if len(parts) > 4 and parts[0] == "00":
        return None
    if set("".join(parts[:4])) - set("0123456789abcdef"):
        return None
    trace_id, span_id = bytes.fromhex(parts[1]), bytes.fromhex(parts[2])
    if not any(trace_id) or not any(span_id):
        return None
    return trace_id, span_id, bool(int(parts[3], 16) & 1)
