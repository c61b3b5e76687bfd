"""Kinetix."""
