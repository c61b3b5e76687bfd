"""Loops of other libraries over chunks."""
