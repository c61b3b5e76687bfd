"""A crude driver, which touches, grips, lifts and presses things: for tests that need contacts, not success."""

import numpy as np

STEP = np.array([0.05, 0.05, 0.05, 0.3, 1.0])  # what an action of 1 means


class Driver:
    """Goes to a thing chosen at random, grips or presses it, goes up, and again; with noise.

    Args:
        seed: of what is chosen, and of the noise.
    """

    def __init__(self, seed):
        self._generator = np.random.default_rng(seed)
        self._tick = 0

    def act(self, facts):
        phase = self._tick % 40
        if phase == 0:
            self._choose(facts)
        self._tick += 1
        buttons = self._what == "button"
        height = (
            (0.12, 0.12, 0.0, 0.0, 0.15)[phase // 8] if not buttons else (0.08, 0.03, -0.04, -0.04, 0.1)[phase // 8]
        )
        place = facts["button_tops"][self._which] if buttons else self._place(facts)
        target = place + np.array([0, 0, height])
        wanted = np.zeros(5)
        wanted[:3] = np.clip((target - facts["effector_position"]) / STEP[:3], -1, 1)
        wanted[4] = 1 if buttons or phase >= 20 else -1
        return np.clip(wanted + self._generator.normal(0, 0.1, 5), -1, 1).astype(np.float32)

    def _choose(self, facts):
        things = [(kind, i) for kind in ("cube", "button") for i in range(len(facts.get(f"{kind}_targets", ())))]
        things += [(name, 0) for name in ("drawer", "window") if f"{name}_handle" in facts]
        self._what, self._which = things[self._generator.integers(len(things))]

    def _place(self, facts):
        return facts["cube_positions"][self._which] if self._what == "cube" else facts[f"{self._what}_handle"]
