"""Names: the containers of a network find each other by host name.

There is no name server: /etc/hosts of every running container is rewritten when one comes or
goes. It is the same file for all, and stays the same inode, for it is bind-mounted inside.
"""

from __future__ import annotations

from minirt.linux.command import quoted
from minirt.mechanism import Mechanism
from minirt.networks.files import hosts, rewrite
from minirt.networks.register import addresses
from minirt.networks.subnets import subnet_by_hand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context
    from minirt.networks.network import Network
    from minirt.networks.register import Register


# --8<-- [start:names]
class Names(Mechanism):
    """This container in the hosts file of all, and all in its own."""

    name = "names"
    by_hand_on_host = True

    def __init__(self, network: Network, hostname: str) -> None:
        self.network = network
        self.hostname = hostname

    def attach(self, ctx: Context) -> None:
        with self.network.register() as register:
            endpoint = register.endpoint(ctx.key)
            endpoint.names = (self.hostname, ctx.id)
            endpoint.hosts = f"{ctx.directory}/hosts"
            ctx.record("names", endpoint.hosts)
            tell_all(ctx, register)

    # --8<-- [end:names]

    def teardown(self, ctx: Context) -> None:
        if "names" not in ctx.created:
            return
        with self.network.register() as register:
            endpoint = register.endpoints.get(ctx.key)
            if endpoint:
                endpoint.names, endpoint.hosts = (), ""
            tell_all(ctx, register)

    def describe(self) -> str:
        return f"names: {self.hostname or 'the container'} in /etc/hosts of all on the bridge"

    def by_hand(self) -> list[str]:
        return [f'echo {subnet_by_hand().host(2)} {quoted(self.hostname)} >> "$dir/hosts"']


def tell_all(ctx: Context, register: Register) -> None:
    """Write the hosts file of every container on the network."""
    endpoints = register.endpoints.values()
    text = hosts(addresses(endpoints))
    for path in [endpoint.hosts for endpoint in endpoints if endpoint.hosts]:
        try:
            rewrite(path, text)
        except OSError as error:
            ctx.warn(f"cannot update {path}: {error.strerror}")
