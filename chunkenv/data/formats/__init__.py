"""Datasets of others, read and written: Minari, and ogbench's published files."""
