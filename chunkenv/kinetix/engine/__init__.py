"""The Kinetix engine: a float32 rigid-body simulator compiled by numba."""
