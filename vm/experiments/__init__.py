"""What a virtual machine teaches that a container cannot: one experiment a module."""
