"""What agents learned, as policies that answer requests for chunks."""
