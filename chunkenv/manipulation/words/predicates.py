"""What holds in a state, as sentences that are true or false: captions that cost nothing."""

from __future__ import annotations

import itertools

import numpy as np

from chunkenv.manipulation.engine.units import CENTER, CUBE_SCALE, SLIDE_SCALES, TOLERANCE
from chunkenv.manipulation.families import FAMILY, Family
from chunkenv.manipulation.scene.goals import objects_of
from chunkenv.manipulation.words.grammar import name_of, say_place
from chunkenv.manipulation.words.word_goals import EDGE, LYING, PLACES, SLIDES, Wanted

ON_TOP, HALF_HIGHER = 0.02, EDGE / 2000
"""A cube is on top of another one within this distance beside it, and at least so much higher, in m."""


def predicate_names(family: str) -> tuple[str, ...]:
    """The sentences of a family, in the order of `read_predicates`.

    >>> predicate_names("scene")[15:]  # doctest: +NORMALIZE_WHITESPACE
    ('the button of the drawer is on', 'the button of the window is on', 'the drawer is open', 'the drawer is closed',
     'the window is open', 'the window is closed')
    """
    kind = FAMILY[family]
    cubes = [name_of(kind, Wanted("cube", number, ())) for number in range(kind.cubes)]
    buttons = [name_of(kind, Wanted("button", number, ())) for number in range(kind.buttons)]
    slides = list(SLIDES)[: kind.slides]
    return (
        *(f"{cube} is {say_place((x, y, LYING))}" for cube in cubes for x, y in PLACES),
        *(f"{upper} is on top of {lower}" for upper, lower in itertools.permutations(cubes, 2)),
        *(f"{button} is on" for button in buttons),
        *(f"the {slide} is {state}" for slide in slides for state in ("open", "closed")),
    )


def read_predicates(family: str, features: np.ndarray) -> np.ndarray:
    """Which sentences hold: of features, or of many, [..., n]: bool[..., P]; see `predicate_names`.

    A cube is in a named place, and drawer and window are open or closed, within the 0.04 m of success.

    >>> import gymnasium as gym, chunkenv
    >>> features, _ = gym.make("chunkenv/manip-cube-single-task1-v0").reset(seed=0)
    >>> holds = read_predicates("cube-single", features)
    >>> [name for name, true in zip(predicate_names("cube-single"), holds) if true]
    ['the red cube is in the middle to the left']
    """
    kind, features = FAMILY[family], np.asarray(features, np.float64)
    objects = objects_of(kind, features)
    ends = 3 * kind.cubes, 3 * kind.cubes + kind.buttons
    cubes = objects[..., : ends[0]].reshape(*features.shape[:-1], kind.cubes, 3) / CUBE_SCALE + CENTER
    buttons, slides = objects[..., ends[0] : ends[1]] > 0.5, objects[..., ends[1] :]
    return np.concatenate([_placed(cubes), _stacked(cubes), buttons, _slid(kind, slides)], axis=-1)


def _placed(cubes: np.ndarray) -> np.ndarray:
    places = np.array([(x, y, LYING) for x, y in PLACES]) / 1000
    near = np.linalg.norm(cubes[..., None, :] - places, axis=-1) <= TOLERANCE
    return near.reshape(*cubes.shape[:-2], -1)


def _stacked(cubes: np.ndarray) -> np.ndarray:
    pairs = np.array(list(itertools.permutations(range(cubes.shape[-2]), 2)), int).reshape(-1, 2)
    gap = cubes[..., pairs[:, 0], :] - cubes[..., pairs[:, 1], :]
    beside = np.linalg.norm(gap[..., :2], axis=-1) <= ON_TOP
    return beside & (gap[..., 2] >= HALF_HIGHER) & (gap[..., 2] <= 3 * HALF_HIGHER)


def _slid(family: Family, slides: np.ndarray) -> np.ndarray:
    at = slides / np.array(SLIDE_SCALES[: family.slides])
    ends = np.array([(opened / 1000, 0.0) for opened in SLIDES.values()][: family.slides]).reshape(-1, 2)
    return (np.abs(at[..., None] - ends) <= TOLERANCE).reshape(*slides.shape[:-1], -1)
