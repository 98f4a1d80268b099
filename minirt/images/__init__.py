"""Images: an OCI image layout in the cache, and its layers unpacked as lower directories.

store    find an image that is there (on the way of every start)
build    make the embedded image, verify it, unpack layers (only when something is missing)
"""
