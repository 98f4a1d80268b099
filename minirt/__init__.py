"""minirt: a Linux container runtime that shows how it works, one kernel mechanism at a time."""

__version__ = "0.1.0"
