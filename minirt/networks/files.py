"""What a container reads in /etc/hosts and /etc/resolv.conf."""

from __future__ import annotations

import os

from minirt.linux.calls import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

LOCALHOST = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
RESOLV_CONF = "/etc/resolv.conf"
# Where a local resolver (systemd-resolved, NetworkManager's dnsmasq) tells whom it asks.
UPSTREAMS = ("/run/systemd/resolve/resolv.conf", "/run/NetworkManager/no-stub-resolv.conf")
NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._")


def hosts(neighbours: Iterable[tuple[str, Iterable[str]]]) -> str:
    """A hosts file (hosts(5)) for these (address, names).

    A host name is the container's own choice: one that is no host name could add lines here.
    """
    lines = [LOCALHOST]
    for address, names in neighbours:
        plain = [name for name in dict.fromkeys(names) if name and not set(name) - NAME]
        if plain:
            lines.append(f"{address}\t{' '.join(plain)}\n")
    return "".join(lines)


def write(path: str, text: str) -> None:
    """Make a file of the container's state directory."""
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)  # every user inside reads it, whatever our umask
    except OSError as error:
        raise failed(f"cannot write {path}", f'write("{path}")', error) from None


def rewrite(path: str, text: str) -> None:
    """Replace what the file holds, not the file: it is bind-mounted into a container.

    One write and then a cut: a reader meets the old text, the new text, or the new text with an
    end of the old one. OSError when it is gone, or when the container holds a lease on it
    (fcntl(2), F_SETLEASE): without O_NONBLOCK its root could keep us waiting for 45 seconds.
    """
    data = text.encode()
    fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.pwrite(fd, data, 0)
        os.ftruncate(fd, len(data))
    finally:
        os.close(fd)


def resolv_conf(root: str = "") -> tuple[str, str]:
    """(text, warning): the host's resolv.conf as it works from the bridge network.

    A name server on the host's loopback address is out of reach there: then the one that it
    asks is named. No public server is put in its place without the user's knowledge: names of
    an office or a VPN would leak to it.
    """
    for path in (RESOLV_CONF, *UPSTREAMS):
        lines = _lines(root + path)
        kept = [line for line in lines if _works(line)]
        if any(line.startswith("nameserver") for line in kept):
            return "".join(kept), ""
    return "# the host has no name server that is reachable from here\n", (
        f"{RESOLV_CONF} names no IPv4 name server beyond the host itself, so the container "
        "cannot look up names of the outside; put one there, or use --network host"
    )


def of_host() -> tuple[str, str]:
    """(hosts, resolv.conf) as they are on the host."""
    return "".join(_lines("/etc/hosts")), "".join(_lines(RESOLV_CONF))


def nameservers(root: str = "") -> list[str]:
    """The addresses of the host's IPv4 name servers, its own loopback ones left out."""
    lines = resolv_conf(root)[0].splitlines()
    return [line.split()[1] for line in lines if line.startswith("nameserver")]


def _works(line: str) -> bool:
    words = line.split()
    if words[:1] != ["nameserver"]:
        return True
    address = words[1] if len(words) > 1 else ""
    return address.count(".") == 3 and not address.startswith(("127.", "0."))


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return [f"{line.rstrip()}\n" for line in file]
    except OSError:
        return []
