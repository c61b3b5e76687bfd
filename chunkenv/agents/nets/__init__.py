"""Networks as plain arrays, and the flows over chunks that are made of them."""
