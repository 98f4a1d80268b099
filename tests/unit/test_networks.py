"""What the bridge network knows: subnets, ports, rules, files, other firewalls."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from minirt.errors import ConfigError, HostError
from minirt.linux.netdev import check_name
from minirt.mechanisms.etc_files import EtcFiles
from minirt.mechanisms.veth import mac
from minirt.networks import files, firewalls, ruleset, subnets
from minirt.networks.network import Network
from minirt.networks.ports import Port
from minirt.networks.register import Endpoint
from minirt.networks.subnets import Subnet, choose, free_host

if TYPE_CHECKING:
    from pathlib import Path


def test_a_subnet_is_written_as_it_is_read() -> None:
    assert str(Subnet("10.77.5.9/22")) == "10.77.4.0/22"
    assert Subnet("10.77.0.0/22").gateway == "10.77.0.1"
    assert Subnet("10.0.0.1").size == 1


@pytest.mark.parametrize(
    ("other", "overlaps"),
    [("10.77.3.0/24", True), ("10.0.0.0/8", True), ("10.77.4.0/24", False), ("0.0.0.0/0", True)],
)
def test_overlap_is_seen_whichever_is_larger(other: str, overlaps: bool) -> None:  # noqa: FBT001
    assert Subnet("10.77.0.0/22").overlaps(Subnet(other)) is overlaps
    assert Subnet(other).overlaps(Subnet("10.77.0.0/22")) is overlaps


def test_the_chosen_subnet_overlaps_nothing_that_is_taken() -> None:
    taken = ["10.77.0.0/22", "10.77.8.0/21", "192.0.2.53"]
    assert str(choose(taken)) == "10.77.4.0/22"
    assert str(choose([*taken, "10.77.4.1"])) == "10.77.16.0/22"


def test_no_subnet_left_is_an_error_with_a_remedy() -> None:
    with pytest.raises(HostError) as error:
        choose(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"])
    assert "--network none" in error.value.hint


def test_addresses_go_round_the_subnet_and_skip_what_is_used() -> None:
    subnet = Subnet("10.77.0.0/29")  # hosts 2 to 6
    assert free_host(subnet, [], "") == "10.77.0.2"
    assert free_host(subnet, [], "10.77.0.2") == "10.77.0.3"
    assert free_host(subnet, ["10.77.0.3"], "10.77.0.2") == "10.77.0.4"
    assert free_host(subnet, ["10.77.0.2"], "10.77.0.6") == "10.77.0.3"


def test_every_address_but_three_can_be_given_out() -> None:
    subnet, used = Subnet(f"10.77.0.0/{subnets.PREFIX}"), [""]
    while len(used) <= subnet.size - 3:
        used.append(free_host(subnet, filter(None, used), used[-1]))
    assert len(set(used)) == 1 + 1021
    with pytest.raises(HostError, match=r"all 1021 addresses of 10\.77\.0\.0/22 are taken"):
        free_host(subnet, filter(None, used), used[-1])


@pytest.mark.parametrize(
    ("text", "shown", "inside"),
    [("8080:80", "8080/tcp", 80), ("53:5353/udp", "53/udp", 5353), ("1:65535/tcp", "1/tcp", 65535)],
)
def test_a_published_port_is_read(text: str, shown: str, inside: int) -> None:
    assert str(Port(text)) == shown
    assert Port(text).container == inside


@pytest.mark.parametrize(
    "text",
    ["", "80", "80:", ":80", "0:80", "80:65536", "80:80/", "80:80/sctp", "a:b", "1.2:3", "8 0:80",
     "-1:80", "127.0.0.1:80:80", "²:80", f"{'9' * 5000}:80"],
)  # fmt: skip
def test_a_published_port_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        Port(text)
    assert error.value.pointer == "--publish"
    assert text in error.value.what


@pytest.mark.parametrize("name", ["minirt0", "x" * 15])
def test_fifteen_characters_are_a_device_name(name: str) -> None:
    assert Network(name).bridge == name


@pytest.mark.parametrize("name", ["", "x" * 16, "é" * 8, "a b", "a/b", ".", "a:1", "a\n"])
def test_what_the_kernel_would_refuse_is_no_device_name(name: str) -> None:
    with pytest.raises(ConfigError):
        check_name(name)


def test_the_hardware_address_follows_from_the_ip_address() -> None:
    assert mac("10.77.0.2") == "02:6d:0a:4d:00:02"


def endpoint(address: str, *ports: str) -> Endpoint:
    made = Endpoint(address)
    made.ports = ports
    return made


def test_one_script_replaces_the_whole_table() -> None:
    rules = ruleset.published([endpoint("10.77.0.2", "8080:80", "53:53/udp")])
    script = ruleset.script("minirt0", "10.77.0.0/22", rules)
    assert script.startswith("table ip minirt\ndelete table ip minirt\ntable ip minirt {\n")
    assert "  tcp dport 8080 dnat to 10.77.0.2:80\n" in script
    assert "  udp dport 53 dnat to 10.77.0.2:53\n" in script
    assert script.count("{") == script.count("}")


def test_without_published_ports_the_script_needs_no_fib() -> None:
    assert "fib" not in ruleset.script("minirt0", "10.77.0.0/22", [])


def test_a_table_that_lost_a_chain_is_not_complete() -> None:
    chains = "".join(f"\tchain {name} {{\n\t}}\n" for name in ("guard", "outgoing", "forwarded"))
    listing = f"table ip other {{\n}}\ntable ip minirt {{\n{chains}}}\n"
    assert ruleset.complete(listing, with_ports=False, closed=False)
    assert not ruleset.complete(listing, with_ports=True, closed=False)
    assert not ruleset.complete(listing, with_ports=False, closed=True)
    less = listing.replace("guard", "gone")
    assert not ruleset.complete(less, with_ports=False, closed=False)
    others = f"table ip other {{\n{chains}}}\n"
    assert not ruleset.complete(others, with_ports=False, closed=False)


@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("type nat hook postrouting priority srcnat; policy accept;", "nft_chain_nat"),
        ('ip saddr 10.77.0.0/22 oifname != "minirt0" masquerade', "nft_masq"),
        ("tcp dport 8080 dnat to 10.77.0.2:80", "nft_nat"),
        ("fib daddr type local jump published", "nft_fib_ipv4"),
        ('oifname "minirt0" ct state established,related accept', "nft_ct"),
    ],
)
def test_the_module_that_a_refused_line_needs_is_named(line: str, module: str) -> None:
    rules = ruleset.published([endpoint("10.77.0.2", "8080:80")])
    script = ruleset.script("minirt0", "10.77.0.0/22", rules)
    number = [text.strip() for text in script.splitlines()].index(line) + 1
    said = f"nft failed: /dev/stdin:{number}:2-7: Error: Could not process rule: No such file"
    error = ruleset.explain(HostError(said), script)
    assert f"modprobe {module};" in error.hint
    assert line in error.what


def test_nft_without_the_right_is_explained() -> None:
    said = "nft failed: netlink: Error: cache initialization failed: Operation not permitted"
    assert "CAP_NET_ADMIN" in ruleset.explain(HostError(said), "").hint


def test_a_hosts_file_has_localhost_and_each_neighbour_once() -> None:
    text = files.hosts([("10.77.0.2", ("web", "web", "")), ("10.77.0.3", ())])
    assert text.splitlines()[0] == "127.0.0.1\tlocalhost"
    assert text.splitlines()[2:] == ["10.77.0.2\tweb"]


@pytest.mark.parametrize("name", ["a b", "a\nb", "a\tb", "a#b", "ä"])
def test_what_is_no_host_name_is_not_written_to_a_hosts_file(name: str) -> None:
    assert files.hosts([("10.77.0.2", (name,))]) == files.LOCALHOST


@pytest.mark.parametrize("name", ["web", "a; touch here", "$(touch here)", "it's"])
def test_by_hand_a_host_name_is_one_word_of_the_shell(tmp_path: Path, name: str) -> None:
    shell = ["sh", "-ec", EtcFiles(name, "none").by_hand()[0]]
    subprocess.run(shell, cwd=tmp_path, env={"dir": str(tmp_path)}, check=True)
    assert (tmp_path / "hostname").read_text() == f"{name}\n"
    assert os.listdir(tmp_path) == ["hostname"]


def test_every_user_inside_can_read_the_files_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    files.write(str(tmp_path / "hosts"), "text")
    os.umask(before)
    assert (tmp_path / "hosts").stat().st_mode & 0o777 == 0o644


def test_a_file_is_rewritten_in_place(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("a longer text\n")
    inode = path.stat().st_ino
    files.rewrite(str(path), "short\n")
    assert path.read_text() == "short\n"
    assert path.stat().st_ino == inode


def resolv_conf(root: Path, path: str, text: str) -> None:
    target = root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def test_the_hosts_resolv_conf_is_taken_as_it_is(tmp_path: Path) -> None:
    text = "search example.org\nnameserver 192.0.2.53\noptions edns0\n"
    resolv_conf(tmp_path, files.RESOLV_CONF, text)
    assert files.resolv_conf(str(tmp_path)) == (text, "")
    assert files.nameservers(str(tmp_path)) == ["192.0.2.53"]


@pytest.mark.parametrize("upstream", files.UPSTREAMS)
def test_behind_a_local_resolver_its_own_servers_are_taken(tmp_path: Path, upstream: str) -> None:
    resolv_conf(tmp_path, files.RESOLV_CONF, "nameserver 127.0.0.53\noptions edns0\n")
    resolv_conf(tmp_path, upstream, "nameserver 192.0.2.53\nnameserver fe80::1%eth0\n")
    assert files.resolv_conf(str(tmp_path)) == ("nameserver 192.0.2.53\n", "")


@pytest.mark.parametrize("text", ["", "nameserver 127.0.0.1\n", "nameserver ::1\n", "nameserver\n"])
def test_without_a_reachable_name_server_there_is_a_warning_and_no_public_one(
    tmp_path: Path, text: str
) -> None:
    resolv_conf(tmp_path, files.RESOLV_CONF, text)
    found, warning = files.resolv_conf(str(tmp_path))
    assert "nameserver" not in found
    assert "--network host" in warning
    assert files.nameservers(str(tmp_path)) == []


CHAINS = """\
table ip filter {
\tchain INPUT {
\t\ttype filter hook input priority filter; policy drop;
\t}
\tchain FORWARD {
\t\ttype filter hook forward priority filter; policy drop;
\t}
}
table ip6 filter {
\tchain FORWARD {
\t\ttype filter hook forward priority filter; policy drop;
\t}
}
table inet other {
\tchain forward {
\t\ttype filter hook forward priority filter; policy accept;
\t}
}
"""


def test_only_what_drops_forwarded_ipv4_packets_counts() -> None:
    assert firewalls.stopping(CHAINS) == ["ip filter FORWARD"]


def test_firewalld_stops_without_a_policy_of_drop() -> None:
    chains = CHAINS.replace("table inet other", "table inet firewalld")
    chains = chains.replace("chain forward", "chain filter_FORWARD")
    assert firewalls.stopping(chains)[1:] == ["inet firewalld filter_FORWARD"]


def test_the_older_iptables_is_asked_where_its_filter_table_is_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "names").write_text("nat\nfilter\n")
    monkeypatch.setattr(firewalls, "LEGACY_TABLES", str(tmp_path / "names"))
    rules = "-P FORWARD DROP\n-N DOCKER-USER\n"
    (warning,) = firewalls.warnings("minirt0", "", lambda *_: rules)
    assert warning.startswith("Docker (iptables-legacy)")
    assert "iptables-legacy -I DOCKER-USER -i minirt0 -j ACCEPT" in warning
    allowed = f"{rules}-A DOCKER-USER -i minirt0 -j ACCEPT\n"
    assert list(firewalls.warnings("minirt0", "", lambda *_: allowed)) == []


def test_without_the_program_of_the_older_iptables_there_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> str:
        raise HostError("iptables-legacy is not installed")

    (tmp_path / "names").write_text("filter\n")
    monkeypatch.setattr(firewalls, "LEGACY_TABLES", str(tmp_path / "names"))
    assert list(firewalls.warnings("minirt0", "", missing)) == []


def test_a_firewall_of_no_known_kind_is_named_by_its_table() -> None:
    listing = "table inet mine {\n\tchain fw {\n\t\ttype filter hook forward priority 0;\n\t}\n}\n"
    chains = listing.replace("priority 0;", "priority 0; policy drop;")
    (warning,) = firewalls.warnings("minirt0", chains, lambda *_: listing)
    assert "table inet mine" in warning
    assert "nft insert rule inet mine fw iifname minirt0 accept" in warning
