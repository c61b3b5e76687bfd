"""What the tests of vector environments share: comparisons to the bit, and pairs that must agree."""

import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from chunkenv import ChunkedExecution, ChunkedVectorExecution

MODES = list(AutoresetMode)


def same(one, other, path="result"):
    """Fail unless two results are equal to the bit, in types, shapes and masks; keys that nobody has don't count."""
    if isinstance(one, dict):
        one, other = _held(one), _held(other)
        assert one.keys() == other.keys(), path
        for key in one:
            same(one[key], other[key], f"{path}[{key!r}]")
    elif isinstance(one, tuple | list):
        assert len(one) == len(other), path
        for index, pair in enumerate(zip(one, other, strict=True)):
            same(*pair, f"{path}[{index}]")
    elif isinstance(one, np.ndarray):
        assert (one.dtype, one.shape) == (other.dtype, other.shape), path
        if one.dtype == object:
            same(list(one), list(other), path)
        else:
            assert one.tobytes() == other.tobytes(), f"{path}: {one} and {other}"
    else:
        assert type(one) is type(other), path
        assert one == other, path


def _held(infos):
    """Without the keys that no environment has, which gymnasium leaves out."""
    nobody = {key for key in infos if f"_{key}" in infos and not infos[f"_{key}"].any()}
    return {key: value for key, value in infos.items() if key not in nobody and key[1:] not in nobody}


def outside_and_inside(make_env, num_envs, mode, **chunks):
    """A vector of `ChunkedExecution`s, and a `ChunkedVectorExecution` of the same environments."""
    outside = SyncVectorEnv([lambda: ChunkedExecution(make_env(), **chunks)] * num_envs, autoreset_mode=mode)
    inside = ChunkedVectorExecution(SyncVectorEnv([make_env] * num_envs, autoreset_mode=mode), **chunks)
    return outside, inside


def play_both(one, other, steps, seed=0, scale=None):
    """Play two vector environments with the same random actions, and fail where they differ; returns the ends seen."""
    assert one.action_space == other.action_space
    assert one.observation_space == other.observation_space
    assert one.single_observation_space == other.single_observation_space
    one.action_space.seed(seed)
    same(one.reset(seed=seed), other.reset(seed=seed))
    ends = 0
    for _ in range(steps):
        actions = one.action_space.sample()
        if scale:
            actions = (actions * scale).astype(actions.dtype)
        result = one.step(actions)
        same(result, other.step(actions))
        over = result[2] | result[3]
        ends += int(over.sum())
        if one.metadata["autoreset_mode"] == AutoresetMode.DISABLED and over.any():
            options = {"reset_mask": over}
            same(one.reset(options=dict(options)), other.reset(options=options))
            assert list(options) == ["reset_mask"], "the caller's dict was changed"
    return ends
