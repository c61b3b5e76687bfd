"""Timelines as pictures: which chunk acts when, what is in flight, what is late."""
