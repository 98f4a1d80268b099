"""A containerd of the tests' own, with minirt as the runtime of its CRI plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import Daemon, Engine

if TYPE_CHECKING:
    from pathlib import Path

# CRI writes a negative oom_score_adj, which takes CAP_SYS_RESOURCE, unless it is restricted.
CONFIGURATION = """\
version = 2
root = "{where}/root"
state = "/run/containerd-tests"
[grpc]
  address = "{where}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{where}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{where}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "minirt"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.minirt]
    runtime_type = "io.containerd.runc.v2"
    pod_annotations = ["minirt.dev/*"]
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.minirt.options]
      BinaryName = "{launcher}"
      SystemdCgroup = false
"""
NETWORK = """\
{"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "cni-tests",
 "isGateway": true, "ipMasq": false, "ipam": {"type": "host-local",
 "ranges": [[{"subnet": "10.89.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
"""


class Containerd:
    """The daemon, and its client `ctr` in a namespace of containerd's."""

    def __init__(self, where: Path, launcher: str, pause: str) -> None:
        (where / "cni").mkdir(parents=True)
        (where / "cni/10-pods.conflist").write_text(NETWORK)
        text = CONFIGURATION.format(where=where, launcher=launcher, pause=pause)
        (where / "config.toml").write_text(text)
        self.socket = where / "containerd.sock"
        self.where = where
        argv = ["containerd", "--config", str(where / "config.toml")]
        self.daemon = Daemon(argv, where / "log", home=where)
        self.daemon.wait(lambda: self.ctr("default").call("version").returncode == 0)

    def ctr(self, namespace: str) -> Engine:
        words = ("--address", str(self.socket), "--namespace", namespace)
        return Engine("ctr", *words, home=self.where)
