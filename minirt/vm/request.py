"""Commands as lines of shell for the guest's init (data/guest-init.sh)."""

from __future__ import annotations

import os

from minirt.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from minirt.networks.subnets import Subnet

NEWLINE = b"'$'\\n''"


def launch(
    channel: int,
    end: str,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str,
    open_input: bool,
) -> bytes:
    """Run `argv` in `cwd` with exactly `env`, print on `channel`, and `end` when all is printed.

    Its standard input ends at once, or, with `open_input`, never.
    """
    start = b"launch %d %b %b" % (channel, end.encode(), b"/open" if open_input else b"/dev/null")
    words = [quote(f"{name}={value}") for name, value in env.items()]
    inside = [b'sh -c "$command" sh %d' % channel, quote(cwd), *map(quote, argv)]
    return b"%b env -i -- %b &" % (start, b" ".join([*words, *inside]))


def stop(channel: int, end: str) -> bytes:
    """Kill the command that was launched with these."""
    return b"stop %d %b" % (channel, end.encode())


def hostname(name: str) -> bytes:
    return b"hostname " + quote(name)


def network(address: str, subnet: Subnet) -> bytes:
    """Give eth0 `address` in `subnet`, and send all else to its gateway."""
    return b"network %b %b" % (quote(f"{address}/{subnet.prefix}"), quote(subnet.gateway))


def quote(word: str) -> bytes:
    """`word` for the guest's shell, on one line whatever it contains."""
    data = os.fsencode(word)
    if b"\0" in data:
        raise ConfigError("a command and its environment cannot contain NUL", pointer="/process")
    return b"'" + data.replace(b"'", b"'\\''").replace(b"\n", NEWLINE) + b"'"
