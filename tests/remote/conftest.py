collect_ignore = ["openpi"]
"""Scripts for another Python."""
