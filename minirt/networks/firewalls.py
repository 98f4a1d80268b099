"""Other firewalls that drop what the bridge forwards: which one, and how to allow it.

A packet must be accepted by every table that looks at it, so minirt's own rules cannot help.
Chains are read from `nft list chains` (which shows iptables-nft's too, and costs 3 ms); the
older iptables is asked only where /proc says that its filter table is in use.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from minirt.context import Call

LEGACY_TABLES = "/proc/self/net/ip_tables_names"
BOTH_WAYS = "iptables -I {chain} -i {bridge} -j ACCEPT; iptables -I {chain} -o {bridge} -j ACCEPT"
# A word of the table's listing, the firewall it betrays, and the command that allows a bridge.
KNOWN = (
    ("DOCKER-USER", "Docker", BOTH_WAYS.replace("{chain}", "DOCKER-USER")),
    (
        "ufw-",
        "ufw",
        "ufw route allow in on {bridge} && ufw route allow out on {bridge}",
    ),
    (
        "firewalld",
        "firewalld",
        "firewall-cmd --zone=trusted --add-interface={bridge}",
    ),
    ("chain FORWARD", "iptables", BOTH_WAYS.replace("{chain}", "FORWARD")),
)


def warnings(bridge: str, chains: str, call: Call) -> Iterator[str]:
    """One sentence for each firewall that drops the bridge's traffic and has no rule for it."""
    for family, table in dropping(chains):
        listing = call(["nft", "list", "table", family, table])
        if bridge not in listing:
            yield _sentence(bridge, listing, f"table {family} {table}")
    if "filter" in _legacy_tables():
        listing = call(["iptables-legacy", "-S"])
        if "-P FORWARD DROP" in listing and bridge not in listing:
            yield _sentence(bridge, f"{listing} chain FORWARD", "iptables-legacy").replace(
                "iptables -I", "iptables-legacy -I"
            )


def dropping(chains: str) -> list[tuple[str, str]]:
    """(family, table) of each table that drops forwarded IPv4 packets by policy."""
    found, table = [], ("", "")
    for line in chains.splitlines():
        words = line.split()
        if words[:1] == ["table"]:
            table = (words[1], words[2])
        elif "hook forward" in line and "policy drop" in line and table[0] in ("ip", "inet"):
            found.append(table)
    return found


def _sentence(bridge: str, listing: str, where: str) -> str:
    name, remedy = next(
        ((name, remedy) for word, name, remedy in KNOWN if word in listing),
        ("a firewall", f"accept what comes from or goes to {bridge} there"),
    )
    return (
        f"{name} ({where}) drops what {bridge} forwards: the container will not reach the "
        f"outside. Allow it: {remedy.format(bridge=bridge)}"
    )


def _legacy_tables() -> list[str]:
    try:
        with open(LEGACY_TABLES, encoding="utf-8") as file:
            return file.read().split()
    except OSError:
        return []
