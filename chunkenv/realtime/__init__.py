"""The real clock: a control loop that keeps its period while a policy thinks, with the account of the simulated one."""

__all__ = ()
