"""Other firewalls that stop what the bridge forwards: which one, and how to allow it.

A packet must be accepted by every table that looks at it, so minirt's own rules cannot help.
Chains are read from `nft list chains` (which shows iptables-nft's too, and costs 3 ms); the
older iptables is asked only where /proc says that its filter table is in use. Each remedy was
tried with the real firewall.
"""

from __future__ import annotations

from minirt.errors import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from minirt.context import Call

FIREWALLD = "inet firewalld filter_FORWARD"
LEGACY_TABLES = "/proc/self/net/ip_tables_names"
IPTABLES = "iptables -I {chain} -i {bridge} -j ACCEPT; iptables -I {chain} -o {bridge} -j ACCEPT"
# A word of the table's listing, the firewall it betrays, and the command that allows a bridge.
KNOWN = (
    ("DOCKER-USER", "Docker", IPTABLES.replace("{chain}", "DOCKER-USER")),
    ("ufw-", "ufw", "ufw route allow in on {bridge}; ufw route allow out on {bridge}"),
    ("firewalld", "firewalld", "firewall-cmd --zone=trusted --add-interface={bridge}"),
    ("chain FORWARD", "iptables", IPTABLES.replace("{chain}", "FORWARD")),
)
NFTABLES = (
    "nft insert rule {chain} iifname {bridge} accept; "
    "nft insert rule {chain} oifname {bridge} accept"
)


def warnings(bridge: str, chains: str, call: Call) -> Iterator[str]:
    """One sentence for each firewall that stops the bridge's traffic and has no rule for it."""
    for chain in stopping(chains):
        table = chain.rpartition(" ")[0]
        listing = call(["nft", "list", "table", *table.split()])
        if bridge not in listing:
            yield _sentence(bridge, listing, f"table {table}", chain)
    if "filter" in _legacy_tables():
        listing = _legacy_rules(call)
        if "-P FORWARD DROP" in listing and bridge not in listing:
            sentence = _sentence(bridge, f"{listing} chain FORWARD", "iptables-legacy", "")
            yield sentence.replace("iptables -I", "iptables-legacy -I")


def stopping(chains: str) -> list[str]:
    """The chains ("ip filter FORWARD") that drop forwarded IPv4 packets by policy.

    firewalld's chain accepts by policy, but its last rule rejects.
    """
    found, table, chain = [], "", ""
    for line in chains.splitlines():
        words = line.split()
        if words[:1] == ["table"]:
            table = f"{words[1]} {words[2]}"
        elif words[:1] == ["chain"]:
            chain = f"{table} {words[1]}"
        elif "hook forward" in line and chain.startswith(("ip ", "inet ")):
            found += [chain] if "policy drop" in line or chain == FIREWALLD else []
    return found


def _sentence(bridge: str, listing: str, where: str, chain: str) -> str:
    name, remedy = next(
        ((name, remedy) for word, name, remedy in KNOWN if word in listing),
        ("a firewall", NFTABLES),
    )
    return (
        f"{name} ({where}) stops what {bridge} forwards: the container will not reach the "
        f"outside, or its neighbours. Allow it: {remedy.format(bridge=bridge, chain=chain)}"
    )


def _legacy_tables() -> list[str]:
    try:
        with open(LEGACY_TABLES, encoding="utf-8") as file:
            return file.read().split()
    except OSError:
        return []


def _legacy_rules(call: Call) -> str:
    try:
        return call(["iptables-legacy", "-S"])
    except HostError:  # it filters, but the program that could say how is not installed
        return ""
