"""Other engines for the same levels: the reference itself in JAX, and Box2D."""

from chunkenv.kinetix.backends.selection import BACKENDS, open_simulator

__all__ = ["BACKENDS", "open_simulator"]
