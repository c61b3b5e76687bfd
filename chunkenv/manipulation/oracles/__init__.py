"""Oracles of the manipulation tasks: they see the whole state and solve whole tasks.

The parts: `oracle.Oracle` acts tick by tick, `policy.OraclePolicy` in chunks, `styles.actor` collects data.
"""
