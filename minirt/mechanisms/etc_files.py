"""/etc/hosts, /etc/hostname, /etc/resolv.conf: what the C library reads about names.

No image can know them, so they are written to the state directory and bind-mounted inside.
"""

from __future__ import annotations

from minirt.linux.command import quoted
from minirt.mechanism import Mechanism
from minirt.networks import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class EtcFiles(Mechanism):
    """The three files, as they work on the container's network: mode bridge, none or host."""

    name = "etc_files"
    by_hand_on_host = True

    def __init__(self, hostname: str, mode: str) -> None:
        self.hostname = hostname
        self.mode = mode

    def prepare(self, ctx: Context) -> None:
        hosts, resolv_conf = self.texts(ctx)
        files.write(f"{ctx.directory}/hostname", f"{self.hostname}\n")
        files.write(f"{ctx.directory}/hosts", hosts)
        files.write(f"{ctx.directory}/resolv.conf", resolv_conf)

    def texts(self, ctx: Context) -> tuple[str, str]:
        if self.mode == "host":
            return files.of_host()
        # On the bridge the address is not known yet; the names mechanism will write it.
        own = files.hosts([("127.0.1.1", (self.hostname,))])
        if self.mode == "none":
            return own, ""
        text, warning = files.resolv_conf()
        if warning:
            ctx.warn(warning)
        return own, text

    def describe(self) -> str:
        return f"/etc/hosts, /etc/hostname and /etc/resolv.conf for network {self.mode}"

    def by_hand(self) -> list[str]:
        return [
            f'echo {quoted(self.hostname)} > "$dir/hostname"',
            'echo "127.0.0.1 localhost" >> "$dir/hosts"',
            'grep -v "^nameserver 127" /etc/resolv.conf > "$dir/resolv.conf"',
        ]
