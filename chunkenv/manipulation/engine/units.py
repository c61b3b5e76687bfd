"""Tolerances, scales and limits of ogbench 1.2 (Park et al., arXiv 2410.20092), for compiled code and numpy alike."""

from __future__ import annotations

N_ACTIONS = 5
TOLERANCE = 0.04
"""How near to its place a cube's centre, a drawer or a window counts as being there, in m."""
CLOSED = 0.8
"""The gripper's joint when it is closed, in rad: ogbench's unit of the opening."""
FULL_CONTACT = 50.0
"""ogbench's unit of the force on the gripper's pad, in N and N m."""
ASTRAY_MARGIN = 0.2
"""How far beyond the workspace a cube has left the table, in m."""
CENTER, CUBE_SCALE, SLIDE_SCALES = (0.425, 0.0, 0.0), 10.0, (18.0, 15.0)
"""Features of places are metres from the center, scaled; those of drawer and window are scaled metres."""
LARGEST = 1000.0
"""Features are clipped to this: none comes near it while the physics is sound."""
