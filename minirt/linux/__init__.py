"""The kernel as functions: each is named as its system call. The only place with ctypes."""
