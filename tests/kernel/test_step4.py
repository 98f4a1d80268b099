"""Step 4: the network namespace; what travels through it is in test_network_steps.py."""

from __future__ import annotations

from pathlib import Path

from steps import Running, lines, namespace, output, refused

NONE = ("--network", "none")


def test_the_network_namespace_is_new_and_host_keeps_the_hosts() -> None:
    with Running(4, *NONE) as container:
        assert container.namespace("net") != namespace("self", "net")
        for kind in ("user", "cgroup", "time"):
            assert container.namespace(kind) == namespace("self", kind)
    assert output(4, "--network", "host", "--", "readlink", "/proc/self/ns/net").strip() == (
        namespace("self", "net")
    )


def test_sys_shows_the_containers_own_devices() -> None:
    assert output(4, *NONE, "--", "ls", "/sys/class/net") == "lo\n"


def test_the_files_about_names_are_the_containers_and_writable() -> None:
    script = "cat /etc/hostname; grep -c web1 /etc/hosts; echo x >>/etc/hosts && echo written"
    shown = lines(4, *NONE, "--hostname", "web1", "--", "sh", "-c", script)
    assert shown == ["web1", "1", "written"]


def test_the_longest_host_name_works_and_no_device_is_named_after_it() -> None:
    name = "a" * 64
    assert output(4, *NONE, "--hostname", name, "--", "hostname") == f"{name}\n"


def test_a_network_of_the_host_brings_its_names() -> None:
    shown = output(4, "--network", "host", "--", "cat", "/etc/resolv.conf")
    assert shown == Path("/etc/resolv.conf").read_text()


def test_nothing_can_be_published_without_the_bridge() -> None:
    said = refused(4, *NONE, "--publish", "8080:80", "--", "true")
    assert "--publish" in said
    assert "--network bridge" in said
