"""What is said to a user who may not use /dev/kvm."""

from __future__ import annotations

import grp
import os
import pwd
from typing import TYPE_CHECKING

import pytest

from minirt.vm import accelerator

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("offset", "remedied"), [(0, True), (1, False)])
def test_the_group_of_kvm_is_the_remedy_where_the_device_is_its(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offset: int, *, remedied: bool
) -> None:
    device = tmp_path / "kvm"
    device.touch()
    group = grp.struct_group(("kvm", "x", device.stat().st_gid + offset, []))
    monkeypatch.setattr(accelerator, "DEVICE", str(device))
    monkeypatch.setattr(grp, "getgrnam", lambda _name: group)
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    chosen = accelerator.choose("kernel", "initramfs")
    assert (chosen.name, device.name in chosen.reason) == ("tcg", True)
    user = pwd.getpwuid(os.geteuid()).pw_name
    assert (f"sudo usermod -aG kvm {user}" in chosen.reason) is remedied
