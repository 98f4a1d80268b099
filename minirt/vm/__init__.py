"""VMs that run the commands of a container, from the same image.

guest.py        a VM that runs commands until its block ends; what happened when, as spans
job.py          one of these commands: its output and the arrival of each line (request.py)
once.py         one command in one VM: what step 7 compares
prepare.py      all parts of a machine, from the cache
machine.py      which machines QEMU imitates: microvm, q35
kernel.py       the distribution's kernel, in the cache (bzimage.py, compression.py)
initramfs.py    what that kernel starts from (cpio.py, modules.py, data/guest-init.sh)
rootimage.py    the image as the VM's disk (layers.py)
tap.py          its port of the containers' bridge
accelerator.py  KVM, or emulation and why
qemu.py         the QEMU process (clock.py)
session.py      what it says while it runs
measure.py      memory and disk, of containers too
table.py        the container beside the VM
"""
