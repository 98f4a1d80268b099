"""A micro-VM that runs the command of a container, from the same image: what step 7 compares.

guest.py        boot: one command in one VM; what happened when, as marks and spans
kernel.py       the distribution's kernel, in the cache (bzimage.py, compression.py)
initramfs.py    what that kernel starts from (cpio.py, modules.py, data/guest-init.sh)
rootimage.py    the image as the VM's disk (layers.py)
accelerator.py  KVM, or emulation and why
qemu.py         the QEMU process (clock.py)
session.py      what it says while it runs
measure.py      memory and disk, of containers too
table.py        the container beside the VM
"""
