"""OCI's linux.resources as files of a cgroup, in either version: pure translation.

translate.py  which controllers are needed, and what to write to their files
cpu.py, memory.py, block.py, others.py  one or a few members of linux.resources each
devices.py    the rules of linux.resources.devices, as both versions need them
change.py     resources that change while the container runs
"""

from minirt.limits.cpu import weight
from minirt.limits.translate import POINTER, checked_path, limited, pointer, settings, shown

__all__ = ["POINTER", "checked_path", "limited", "pointer", "settings", "shown", "weight"]
