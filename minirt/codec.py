"""JSON without the json package: its import takes 7 ms, its C core 1 ms.

`loads` and `dumps` behave like json's for JSON documents. The C core is private to CPython, so
anything unexpected about it falls back to the json package.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Json = Mapping[str, "Json"] | Sequence["Json"] | str | int | float | bool | None


class _Context:
    """The attributes that _json.make_scanner reads, as json.JSONDecoder has them."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: dict[str, str] = {}


def loads(text: str) -> Json:
    """Parse one JSON document; ValueError says what is wrong and where."""
    try:
        from _json import make_scanner

        scan = make_scanner(_Context())  # type: ignore[arg-type]
        value, end = scan(text, len(text) - len(text.lstrip(" \t\r\n")))
    # The core finds the class for its complaint only where json.decoder is loaded already.
    except (ImportError, AttributeError, TypeError, StopIteration, SystemError):
        return _slow_loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if text[end:].strip(" \t\r\n"):
        return _slow_loads(text)
    parsed: Json = value
    return parsed


def _slow_loads(text: str) -> Json:
    import json

    parsed: Json = json.loads(text)
    return parsed


def dumps(value: Json) -> str:
    """One line of JSON."""
    try:
        from _json import encode_basestring_ascii, make_encoder

        no_indent, sort, skip, nan = None, False, False, True
        encode = make_encoder(
            None, _refuse, encode_basestring_ascii, no_indent, ":", ",", sort, skip, nan
        )
        return "".join(encode(value, 0))
    except (ImportError, TypeError):
        return _slow_dumps(value)


def _refuse(value: object) -> None:
    """The C core knows dict, list and tuple; any other mapping goes the slow way."""
    raise TypeError(type(value))


def _slow_dumps(value: Json) -> str:
    if isinstance(value, str):
        return _quote(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return repr(value)
    if hasattr(value, "items"):
        return "{" + ",".join(f"{_quote(k)}:{_slow_dumps(v)}" for k, v in value.items()) + "}"
    return "[" + ",".join(_slow_dumps(item) for item in value) + "]"


def _quote(text: str) -> str:
    try:
        from _json import encode_basestring_ascii
    except ImportError:
        from json.encoder import encode_basestring_ascii
    quoted: str = encode_basestring_ascii(text)
    return quoted
