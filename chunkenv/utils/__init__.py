"""Small helpers of all rooms: checks, files, spaces, seeds, processes, compiled code, pictures; none is public."""

__all__ = []
