"""The engine as a model of the world is the engine."""

import numpy as np
import pytest

from chunkenv.errors import ActionError, ArgumentError
from chunkenv.kinetix import EngineModel, KinetixEnv


@pytest.mark.parametrize("level", ["mjc_walker", "catcher_v3"])
def test_it_is_what_the_environment_plays(level):
    rng, lengths = np.random.default_rng(0), np.array([0, 1, 5])
    prefix = rng.uniform(-1.5, 1.5, (3, 6, 6)).astype(np.float32)
    state_env, env = KinetixEnv(level, observation="state"), KinetixEnv(level, observation="compact")
    states, expected = [], []
    for row, length in enumerate(lengths.tolist()):
        state, _ = state_env.reset(seed=0)
        seen, _ = env.reset(seed=0)
        for _ in range(row):
            state, *_ = state_env.step(prefix[row, 0])
            seen, *_ = env.step(prefix[row, 0])
        for action in prefix[row, :length]:
            seen, *_ = env.step(action)
        states.append(state)
        expected.append(seen)
    before = np.stack(states)
    found = EngineModel(level).predict(before, prefix, lengths)
    np.testing.assert_array_equal(found, np.stack(expected))
    np.testing.assert_array_equal(before, np.stack(states))
    spoilt = np.where(np.arange(6)[:, None] < lengths[:, None, None], prefix, np.nan)
    np.testing.assert_array_equal(EngineModel(level).predict(before, spoilt, lengths), found)


def test_without_a_prefix_it_only_converts():
    model = EngineModel("catapult")
    state = model.simulator.initial_state()[None]
    found = model.predict(state, np.zeros((1, 0, 6), np.float32), np.array([0]))
    seen, _ = KinetixEnv("catapult", observation="compact").reset(seed=0)
    np.testing.assert_array_equal(found[0], seen)


def test_what_is_no_state_is_refused():
    model, none = EngineModel("catapult"), np.zeros((1, 8, 6), np.float32)
    with pytest.raises(
        ArgumentError, match="given float32 observations; make the environment with observation='state'"
    ):
        model.predict(np.zeros((1, 35), np.float32), none, np.array([0]))
    foreign = EngineModel("trampoline").simulator.initial_state()[None]
    with pytest.raises(ArgumentError, match="not a state of level 'catapult'"):
        model.predict(foreign, none, np.array([0]))
    with pytest.raises(ActionError, match="NaN or infinite"):
        model.predict(model.simulator.initial_state()[None], none * np.nan, np.array([2]))
