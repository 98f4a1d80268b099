"""What the mechanisms of the file tree share.

mount.py    one mount: what it is made of, and how it is attached
nodes.py    the devices and links that every /dev has
cgroups.py  /sys/fs/cgroup, the mounts of type "cgroup"
copy_up.py  a tmpfs that starts with what it covers
"""
