"""The network, and the files about its names."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.mechanism import Mechanism
    from minirt.spec import Spec


def loopback(spec: Spec) -> Mechanism | None:
    if "net" not in spec.namespaces:
        return None
    from minirt.mechanisms.loopback import Loopback

    return Loopback()


def net_devices(spec: Spec) -> Mechanism | None:
    if not spec.net_devices:
        return None
    from minirt.mechanisms.net_devices import NetDevices

    return NetDevices(spec.net_devices)


def bridge(spec: Spec) -> Mechanism | None:
    if spec.network.mode != "bridge":
        return None
    from minirt.mechanisms.bridge import Bridge
    from minirt.networks.network import Network

    return Bridge(Network())


def veth(spec: Spec) -> Mechanism | None:
    if spec.network.mode != "bridge":
        return None
    from minirt.mechanisms.veth import Veth
    from minirt.networks.network import Network

    return Veth(Network())


def nat(spec: Spec) -> Mechanism | None:
    if spec.network.mode != "bridge":
        return None
    from minirt.mechanisms.nat import Nat
    from minirt.networks.network import Network
    from minirt.networks.ports import Port

    for index, text in enumerate(spec.network.publish):
        Port(text, f"/minirt/network/publish/{index}")  # its pointer is usually the option
    return Nat(Network(), spec.network.publish)


def names(spec: Spec) -> Mechanism | None:
    if spec.network.mode != "bridge":
        return None
    from minirt.mechanisms.names import Names
    from minirt.networks.network import Network

    return Names(Network(), spec.hostname)


def etc_files(spec: Spec) -> Mechanism | None:
    if not spec.network.mode:
        return None
    from minirt.mechanisms.etc_files import EtcFiles

    return EtcFiles(spec.hostname, spec.network.mode)
