"""Random sub-goals, for data that shows what can be done rather than how to do a task.

They are drawn as for the play data of ogbench (Park et al., arXiv 2410.20092), whose `set_new_target` needs an
environment of its own: any cube on which nothing lies goes to another one's top or anywhere, any button is pressed,
drawer and window are opened or shut, more rarely where they are locked.
"""

from __future__ import annotations

import numpy as np

from chunkenv.manipulation.families import FAMILY
from chunkenv.manipulation.oracles.cubes import EDGE, ROOM, Arrangement, plan_grasp
from chunkenv.manipulation.oracles.locks import LOCK, OPEN, WIDE, into_drawer, is_in_drawer
from chunkenv.manipulation.oracles.subgoal import Facts, SubGoal

STACKED = 0.5
"""How often a cube goes on top of another one, where there is one."""
INSIDE = 0.3
"""How often a cube goes into the drawer, where that is open."""
LOCKED_WEIGHT = 0.25
"""How often what is locked is pulled at, against what is not."""
HIGHEST = 0.12
"""No cube is stacked on one that is higher than this, in m: the gripper could not lift it over."""
AREAS = {"cube": ((0.3, -0.3), (0.55, 0.3)), "scene": ((0.3, -0.07), (0.45, 0.18))}
"""Where cubes are put on the table: the lowest and the highest x and y, in m."""
HALFWAY = {"drawer": -0.08, "window": 0.1}
FAR_END = {"drawer": OPEN, "window": 0.2}
DRAWS = 20
"""How often a place on the table is drawn, at most, for one where no cube lies."""


def random_subgoal(family: str, facts: Facts, rng: np.random.Generator) -> SubGoal:
    """Something to do that can be done now, or tried.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        facts: what `ManipulationEnv.facts()` says.
        rng: what everything is drawn from.
    """
    scene = FAMILY[family].scene
    if scene == "cube":
        return _random_cube(facts, rng, AREAS[scene])
    return _random_button(facts, rng) if scene == "puzzle" else _random_in_scene(facts, rng)


def _random_in_scene(facts: Facts, rng: np.random.Generator) -> SubGoal:
    locked = [LOCKED_WEIGHT if facts["button_states"][lock] == 0 else 1.0 for lock in LOCK.values()]
    weights = np.array([float(not is_in_drawer(facts)), 1.0, *locked])
    kind = rng.choice(["cube", "button", *LOCK], p=weights / weights.sum())
    if kind == "button":
        return _random_button(facts, rng)
    if kind in LOCK:
        is_near = abs(float(facts[f"{kind}_position"])) < abs(HALFWAY[kind])
        return SubGoal(str(kind), 0, (FAR_END[kind] if is_near else 0.0,))
    if facts["drawer_position"] < WIDE and rng.uniform() < INSIDE:
        return into_drawer(facts)
    return _random_cube(facts, rng, AREAS["scene"])


def _random_button(facts: Facts, rng: np.random.Generator) -> SubGoal:
    button = int(rng.integers(len(facts["button_states"])))
    return SubGoal("button", button, (float(1 - facts["button_states"][button]),))


def _random_cube(facts: Facts, rng: np.random.Generator, area: tuple[tuple[float, float], ...]) -> SubGoal:
    positions = facts["cube_positions"]
    table = Arrangement(positions, facts["cube_targets"])
    free = [cube for cube in range(len(positions)) if table.is_free(cube)]
    cube = int(rng.choice(free))
    below = [other for other in free if other != cube and positions[other][2] < HIGHEST]
    if below and rng.uniform() < STACKED:
        target = positions[rng.choice(below)] + (0, 0, EDGE)
    else:
        target = _random_place(np.delete(positions, cube, axis=0)[:, :2], rng, area)
    subgoal = plan_grasp(facts, cube, tuple(target.tolist()))
    return subgoal._replace(release=float(rng.uniform(0, 2 * np.pi)))


def _random_place(taken: np.ndarray, rng: np.random.Generator, area: tuple[tuple[float, float], ...]) -> np.ndarray:
    places = rng.uniform(*area, size=(DRAWS, 2))
    space = np.linalg.norm(places[:, None] - taken, axis=2).min(axis=1, initial=np.inf)
    return np.array([*places[np.argmax(space > ROOM)], EDGE / 2])
