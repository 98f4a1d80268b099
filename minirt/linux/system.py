"""Calls that change what the whole (namespaced) system is called."""

from __future__ import annotations

from minirt.linux.calls import MACHINE, NUMBERS, check

NUMBERS.update({"x86_64": {"personality": 135}, "aarch64": {"personality": 92}}.get(MACHINE, {}))
# As the OCI specification calls them, without the prefix PER_.
DOMAINS = {"LINUX": 0, "LINUX32": 8}


def sethostname(name: str) -> None:
    """Set the host name of this UTS namespace (sethostname(2))."""
    data = name.encode()
    check("sethostname", data, len(data), what="cannot set the host name", shown=f'"{name}"')


def setdomainname(name: str) -> None:
    """Set the NIS domain name of this UTS namespace (setdomainname(2))."""
    data = name.encode()
    check("setdomainname", data, len(data), what="cannot set the domain name", shown=f'"{name}"')


def personality(domain: int) -> None:
    """Choose the execution domain of this process: with PER_LINUX32, uname says i686."""
    shown = next(name for name, number in DOMAINS.items() if number == domain)
    check("personality", domain, what="cannot set the execution domain", shown=f"PER_{shown}")
