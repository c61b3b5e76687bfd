"""Other engines for the same levels: the reference itself in JAX, and Box2D."""
