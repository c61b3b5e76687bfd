"""Policies in other processes: speak to servers of policies, and be one."""

__all__ = ()
