"""The nftables table `minirt` as a script for `nft -f`: one transaction replaces it whole.

Replacing it is how a rule is removed: nothing has to be found by handle, and what a killed
runtime left is gone with the next change. Connections live on, because their translation is
the connection tracker's, not the rule's. No sets and no maps: not every kernel has them.
"""

from __future__ import annotations

from minirt.errors import HostError
from minirt.networks.ports import Port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from minirt.networks.register import Endpoint

TABLE = "minirt"
# guard      127.0.0.1 of the host is reachable on the bridge (route_localnet), for published
#            ports; no container may use that way, or send as if it came from there.
# outgoing   packets from the subnet leave with the host's address; so do connections that
#            come from the host's 127.0.0.1, or back to the subnet through a published port:
#            else the answer would not pass the host again, and not be translated back.
# forwarded  from outside only what belongs to a connection or was sent to a published port.
BASE = """\
 chain guard {{
  type filter hook prerouting priority raw; policy accept;
  iifname "{bridge}" ip daddr 127.0.0.0/8 drop
  iifname "{bridge}" ip saddr 127.0.0.0/8 drop
 }}
 chain outgoing {{
  type nat hook postrouting priority srcnat; policy accept;
  ip saddr {subnet} oifname != "{bridge}" masquerade
  ip saddr 127.0.0.0/8 oifname "{bridge}" masquerade
  ip saddr {subnet} oifname "{bridge}" ct status dnat masquerade
 }}
 chain forwarded {{
  type filter hook forward priority filter; policy accept;
  iifname "{bridge}" accept
  oifname "{bridge}" ct state established,related accept
  oifname "{bridge}" ct status dnat accept
  oifname "{bridge}" drop
 }}
"""
# Only where minirt has switched forwarding on: the host is to be a router for its bridges, not
# for everybody who names it as a gateway.
CLOSED = """\
 chain closed {{
  type filter hook forward priority filter; policy accept;
  {others} drop
 }}
"""
# Only with published ports: `fib` is one more kernel module.
PUBLISHED = """\
 chain published {{
  {rules}
 }}
 chain incoming {{
  type nat hook prerouting priority dstnat; policy accept;
  fib daddr type local jump published
 }}
 chain local {{
  type nat hook output priority -100; policy accept;
  fib daddr type local jump published
 }}
"""
MODULES = {
    "type nat": "nft_chain_nat", "masquerade": "nft_masq", "dnat to": "nft_nat",
    "fib ": "nft_fib_ipv4", "ct ": "nft_ct", "table ": "nf_tables",
}  # fmt: skip


def published(endpoints: Iterable[Endpoint]) -> tuple[str, ...]:
    """The rules that send published ports to their containers."""
    return tuple(
        f"{port.protocol} dport {port.host} dnat to {endpoint.address}:{port.container}"
        for endpoint in endpoints
        for port in map(Port, endpoint.ports)
    )


def script(
    bridge: str,
    subnet: str,
    rules: Iterable[str],
    table: str = TABLE,
    *,
    only: Iterable[str] = (),
) -> str:
    """What `nft -f -` reads; "add, delete, add" replaces the table whether or not it exists.

    only  bridges that the host forwards for, and for nobody else; none: it depends on others
    """
    text = BASE.format(bridge=bridge, subnet=subnet)
    others = [f'iifname != "{name}" oifname != "{name}"' for name in only]
    if others:
        text += CLOSED.format(others=" ".join(others))
    lines = "\n  ".join(rules)
    if lines:
        text += PUBLISHED.format(rules=lines)
    return f"table ip {table}\ndelete table ip {table}\ntable ip {table} {{\n{text}}}\n"


def complete(chains: str, *, with_ports: bool, closed: bool) -> bool:
    """Are the table's chains among those that `nft list chains` printed?"""
    _, found, rest = chains.partition(f"table ip {TABLE} {{")
    ours = rest.partition("\n}")[0]
    wanted = ["guard", "outgoing", "forwarded", *(["incoming", "local"] if with_ports else [])]
    complete = all(f"chain {name} {{" in ours for name in wanted)
    return bool(found) and complete and ("chain closed {" in ours) == closed


def explain(error: HostError, text: str) -> HostError:
    """What nft says about line N of `text`, with the kernel module that the line needs."""
    if "not permitted" in error.what:
        error.hint = "run as root: nftables needs CAP_NET_ADMIN; or use --network none"
        return error
    place = error.what.partition("/dev/stdin:")[2].partition(":")[0]
    lines = text.splitlines()
    if not place.isdecimal() or not 1 <= int(place) <= len(lines):
        return error
    line = lines[int(place) - 1].strip()
    module = next((name for word, name in MODULES.items() if word in f"{line} "), "nf_tables")
    return HostError(
        f"{error.what} (in: {line})",
        hint=f"the kernel may lack a module: modprobe {module}; or use --network none",
    )
