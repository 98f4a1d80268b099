"""What containers on one bridge share: subnet, addresses, ports, names, rules.

This package knows; the mechanisms act: it makes nothing on the host but its register, and
`remove_all` takes away what outlives a container.
"""

from __future__ import annotations

from minirt.networks.network import BRIDGE, Network, remove_all
from minirt.networks.ports import Port

__all__ = ["BRIDGE", "Network", "Port", "remove_all"]
