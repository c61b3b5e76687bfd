"""Oracles of the manipulation tasks: they see the whole state and solve whole tasks."""
