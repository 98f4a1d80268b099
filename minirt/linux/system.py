"""Calls that change what the whole (namespaced) system is called."""

from __future__ import annotations

from minirt.linux.calls import check


def sethostname(name: str) -> None:
    """Set the host name of this UTS namespace (sethostname(2))."""
    data = name.encode()
    check("sethostname", data, len(data), what="cannot set the host name", shown=f'"{name}"')
