"""OTLP over HTTP to a collector, by a process that outlives the command.

With no collector the exporter waits and retries for ten seconds; a container must not. So the
command only starts `python -m minirt.telemetry.send` with the trace in a file in memory and goes
on; that process has two seconds.
"""

from __future__ import annotations

import os
import sys

from minirt.errors import ConfigError
from minirt.linux.files import memfd_create

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
# What a container's later calls are to know of its collector: nothing that is a secret.
REMEMBERED = (
    *ENDPOINTS, *PROTOCOLS,
    "OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
)  # fmt: skip
LAST_PORT = 65535
# The launcher of minirt-oci finds this package, and others, where no -m would look.
SENDER = "import sys; sys.path[:] = sys.argv[1:]; from minirt.telemetry.send import main; main()"
# All that the sender needs; the rest of the environment may hold secrets and is not its business.
PASSED = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
)  # fmt: skip


def wanted(environ: Mapping[str, str]) -> bool:
    """Does the environment name a collector that is reached by OTLP over HTTP?"""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return False
    protocol = next((environ[name] for name in PROTOCOLS if environ.get(name)), "http")
    return protocol.startswith("http") and any(environ.get(name) for name in ENDPOINTS)


def check_address(environ: Mapping[str, str]) -> None:
    """ConfigError when the collector's address is malformed: nobody would hear the sender say so.

    It is not repeated in the text, for there may be a secret in it.
    """
    name = next(name for name in ENDPOINTS if environ.get(name))
    if not _is_address(environ[name]):
        raise ConfigError("is no address such as http://HOST:4318", pointer=name)


def _is_address(text: str) -> bool:
    """Whether it is an http URL with a host. By hand: urllib.parse takes long to import."""
    scheme, _, rest = text.strip().partition("://")
    for end in "/?#":
        rest = rest.partition(end)[0]
    rest = rest.rpartition("@")[2]
    host, colon, port = rest.rpartition(":")
    if not colon or "]" in port:  # no port; the colon is that of an IPv6 address
        host, port = rest, ""
    named = host and " " not in host and host.startswith("[") == host.endswith("]")
    valid = not port or (port.isdecimal() and int(port) <= LAST_PORT)
    return scheme.lower() in ("http", "https") and bool(named) and valid


def send_detached(line: str, environ: Mapping[str, str]) -> int:
    """Start the process that sends one line of OTLP JSON; its pid. About a millisecond.

    It is in a session of its own and holds no descriptor of the caller's, so that neither a
    closing terminal ends it nor a reader of the caller's output waits for it.
    """
    payload = memfd_create("trace")
    try:
        os.write(payload, line.encode())
        os.lseek(payload, 0, os.SEEK_SET)
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-IS", "-c", SENDER, *sys.path],
            {k: v for k, v in environ.items() if k in PASSED or k.startswith("OTEL_")},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, payload, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, 1, 2),
                *((os.POSIX_SPAWN_CLOSE, fd) for fd in _open_descriptors() if fd > 2),
            ],
            setsid=True,
        )
    finally:
        os.close(payload)


def _open_descriptors() -> list[int]:
    return [int(name) for name in os.listdir("/proc/self/fd")]
