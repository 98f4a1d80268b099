"""What containers on one bridge share: subnet, addresses, ports, names, rules.

This package knows; the mechanisms act: it makes nothing on the host but its register, and
`network.remove_all` takes away what outlives a container.
"""
