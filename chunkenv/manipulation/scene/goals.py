"""Goals as vectors: where the objects are wanted, in the form that ogbench calls its oracle representation."""

from __future__ import annotations

import numpy as np

from chunkenv.manipulation.engine.units import CENTER, CUBE_SCALE, SLIDE_SCALES, TOLERANCE
from chunkenv.manipulation.families import Family
from chunkenv.manipulation.scene.worlds import SceneWorld, World

ARM_FEATURES, CUBE_FEATURES, BUTTON_FEATURES = 19, 9, 4


def desired_objects(world: World) -> np.ndarray:
    """What the objects of a world should be, float64[objects]: 3 numbers a cube, 1 a button, 1 a slide."""
    parts = [np.empty(0)]
    if world.family.cubes:
        parts.append(((world.data.mocap_pos[world._cube_target_mocap_ids] - CENTER) * CUBE_SCALE).ravel())
    if world.family.buttons:
        parts.append(world._target_button_states)
    if isinstance(world, SceneWorld):
        parts.append(np.array([world._target_drawer_pos, world._target_window_pos]) * SLIDE_SCALES)
    return np.concatenate(parts)


def objects_of(family: Family, features: np.ndarray) -> np.ndarray:
    """What the objects are, of features or of many: [..., features] -> [..., objects]."""
    buttons_at = ARM_FEATURES + CUBE_FEATURES * family.cubes
    slides_at = buttons_at + BUTTON_FEATURES * family.buttons
    cubes = features[..., ARM_FEATURES:buttons_at].reshape(*features.shape[:-1], family.cubes, CUBE_FEATURES)
    buttons = features[..., buttons_at + 1 : slides_at : BUTTON_FEATURES]  # one-hot: off, on
    slides = features[..., slides_at::2]
    return np.concatenate([cubes[..., :3].reshape(*features.shape[:-1], -1), buttons, slides], axis=-1)


def agreement(family: Family, achieved: np.ndarray, desired: np.ndarray) -> np.ndarray:
    """Which objects are as desired, of two goals or of many: [..., objects] twice -> bool[..., goals]."""
    gap = np.abs(np.asarray(achieved, np.float64) - desired)
    cubes_end, buttons_end = 3 * family.cubes, 3 * family.cubes + family.buttons
    cubes = gap[..., :cubes_end].reshape(*gap.shape[:-1], family.cubes, 3)
    near = np.linalg.norm(cubes, axis=-1) <= TOLERANCE * CUBE_SCALE
    slid = gap[..., buttons_end:] <= TOLERANCE * np.array(SLIDE_SCALES[: family.slides])
    return np.concatenate([near, gap[..., cubes_end:buttons_end] < 0.5, slid], axis=-1)
