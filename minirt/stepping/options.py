"""The options of the steps, each with the step that brings it."""

from __future__ import annotations

from minirt.stepping.parser import Option

OPTIONS = (
    Option("--hostname", "NAME", "the host name inside"),
    Option("--plan", "", "print what would be done, in order; do nothing"),
    Option("--by-hand", "", "print the shell commands that do the same; do nothing"),
    Option("--trace", "FILE", "append the trace to FILE (OTLP JSON lines)"),
    Option("--no-trace", "", "show and write no trace"),
    Option("--kernel", "", "add what the kernel itself saw to the trace (root)"),
    Option("--quiet", "", "no banner, no waterfall: only the command's own output"),
    Option("--help", "", "print this"),
    Option("--rootfs", "DIR", "the read-only root: a directory", since=3),
    Option("--image", "NAME", "the read-only root: an image (default: busybox)", since=3),
    Option("--volume", "SRC:DST[:ro]", "show a host directory or file inside", since=3, many=True),
    Option("--tmpfs", "DST[:OPTIONS]", "an empty directory in memory", since=3, many=True),
    Option("--env", "KEY=VALUE", "set an environment variable", since=3, many=True),
    Option("--network", "MODE", "bridge (default), none or host", since=4),
    Option(
        "--publish",
        "HOST:CONTAINER",
        "reach a port inside at HOST, also HOST:CONTAINER/udp",
        since=4,
        many=True,
    ),
    Option("--cpus", "N", "at most N processors' time, such as 0.5", since=5),
    Option("--memory", "SIZE", "at most SIZE bytes of memory, such as 64m", since=5),
    Option("--pids", "N", "at most N processes and threads", since=5),
    Option("--io-bps", "RATE", "at most RATE bytes a second, such as 8m", since=5),
    Option("--cap-add", "NAME", "keep a capability, such as net_admin", since=6, many=True),
    Option("--cap-drop", "NAME", "drop a capability, or ALL", since=6, many=True),
    Option("--seccomp", "PROFILE", "default or unconfined", since=6),
    Option("--userns", "", "root inside is an ordinary user outside", since=6),
)
