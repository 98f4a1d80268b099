"""NAT: containers reach the outside with the host's address, and the outside their ports.

The subnet exists on this host only, so the kernel rewrites addresses on the way (masquerade,
dnat) and the connection tracker rewrites the answers back. The rules are one nftables table.
"""

from __future__ import annotations

from minirt.errors import HostError
from minirt.linux import command
from minirt.linux.netdev import index, write_setting
from minirt.linux.netlink import Netlink
from minirt.mechanism import Mechanism
from minirt.networks import firewalls, ruleset
from minirt.networks.network import BY_HAND
from minirt.networks.ports import Port, check_free
from minirt.networks.register import CHANGING, Endpoint
from minirt.networks.subnets import subnet_by_hand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from minirt.context import Context
    from minirt.networks.network import Network
    from minirt.networks.register import Register


# --8<-- [start:nat]
class Nat(Mechanism):
    """Masquerade for the subnet; each published port of the host led to its container."""

    name = "nat"
    by_hand_on_host = True

    def __init__(self, network: Network, publish: Sequence[str] = ()) -> None:
        self.network = network
        self.ports = tuple(Port(text) for text in publish)

    def prepare(self, ctx: Context) -> None:
        command.find("nft")
        if self.ports:
            with self.network.register() as register:
                check_free(self.ports, register.ports())

    def attach(self, ctx: Context) -> None:
        bridge = self.network.bridge
        chains = ctx.call(["nft", "list", "chains"])
        with self.network.register() as register:
            if self.ports:
                check_free(self.ports, register.ports())
                register.endpoint(ctx.key).ports = tuple(port.text for port in self.ports)
                allow_detours(bridge, str(ctx.created["veth"]))
            self.apply(ctx, register, chains)
        for warning in firewalls.warnings(bridge, chains, ctx.call):
            ctx.warn(warning)

    def apply(self, ctx: Context, register: Register, chains: str) -> None:
        """Replace the table, if it is not there or is to have other rules."""
        rules = ruleset.published(register.endpoints.values())
        closed = register.forwarding == "0"  # it was off, so nobody relies on it
        if rules == register.rules and ruleset.complete(
            chains, with_ports=bool(rules), closed=closed
        ):
            return
        bridge = self.network.bridge
        only = (bridge, BY_HAND) if closed else ()
        script = ruleset.script(bridge, register.subnet, rules, only=only)
        register.rules = CHANGING  # if we are killed here, the next one must not rely on them
        register.save()
        try:
            ctx.call(["nft", "-f", "-"], script)
        except HostError as error:
            raise ruleset.explain(error, script) from None
        register.rules = rules

    # --8<-- [end:nat]

    def teardown(self, ctx: Context) -> None:
        if not self.ports:
            return
        with self.network.register() as register:
            endpoint = register.endpoints.get(ctx.key)
            if endpoint:
                endpoint.ports = ()
            if register.rules != ruleset.published(register.endpoints.values()):
                self.apply(ctx, register, "")

    def describe(self) -> str:
        ports = "".join(f"; host port {p} leads to port {p.container}" for p in self.ports)
        return f"NAT: the outside sees the host's address{ports}"

    def by_hand(self) -> list[str]:
        subnet = subnet_by_hand()
        endpoint = Endpoint(subnet.host(2))
        endpoint.ports = tuple(port.text for port in self.ports)
        rules = ruleset.published([endpoint])
        detours = [
            f"sysctl -q -w net.ipv4.conf.{BY_HAND}.route_localnet=1",
            "ip link set mrbyhand type bridge_slave hairpin on",
        ]
        return [
            *(detours if self.ports else []),
            f"nft -f - <<'END'\n{ruleset.script(BY_HAND, str(subnet), rules, BY_HAND)}END",
        ]

    def undo_by_hand(self) -> list[str]:
        return [f"nft delete table ip {BY_HAND}"]


def allow_detours(bridge: str, cable: str) -> None:
    """Let packets for published ports go ways that are closed otherwise.

    From the host's 127.0.0.1 to the bridge (ip-sysctl, route_localnet); and from a container to
    the bridge and back to itself (hairpin), when it asks for a port of its own at the host.
    """
    write_setting(f"ipv4/conf/{bridge}/route_localnet", "1")
    with Netlink() as host:
        what = f"cannot set hairpin mode for {cable}"
        host.request("brport", "set", what, index=index(cable), mode=1)
