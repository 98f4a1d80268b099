"""What single parts of minirt cost, by pytest-benchmark: `make bench-micro`.

Other processes only ever add to a time, so the column to read is `min`. Not a part of `make test`.
"""
