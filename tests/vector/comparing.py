"""What the tests of vector environments share: comparisons to the bit, and pairs that must agree."""

import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import iterate

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


def play_singles(many, singles, steps, seed=0):
    """Play a `ChunkedVectorExecution` and each of its members alone, with the same random actions and charges.

    Fails where a member differs from the single environment, to the bit: observations, rewards, flags, requests, and
    the whole info, also of every tick. Returns the ends seen.
    """
    members = _Members(many, singles, np.random.default_rng(seed))
    many.action_space.seed(seed)
    batch, _ = many.reset(seed=seed)
    for index, single in enumerate(singles):
        same(_at(many.observation_space, batch, index), _batched_once(single.reset(seed=seed + index)[0]))
    for _ in range(steps):
        members.step()
    return members.ends


class _Members:
    """The same environments, as a batch and one by one."""

    def __init__(self, many, singles, rng):
        self.many, self.singles, self.rng = many, singles, rng
        self.mode = many.metadata["autoreset_mode"]
        self.ended, self.ends = np.zeros(len(singles), bool), 0

    def step(self):
        actions = self.many.action_space.sample()
        self.ask(actions)
        result, begun = self.many.step(actions), self.ended.copy()
        each = list(iterate(self.many.action_space, actions))
        for index, single in enumerate(self.singles):
            if begun[index]:
                self.ended[index] = False
                self.begin(single, result, index)
            else:
                self.play(single, each[index], result, index)
        if self.mode == AutoresetMode.DISABLED and self.ended.any():
            over, self.ended = self.ended, np.zeros_like(self.ended)
            batch, _ = self.many.reset(options={"reset_mask": over})
            for index in np.flatnonzero(over):
                self.begin(self.singles[index], (batch,), index)

    def ask(self, actions):
        """The requests, those for the delays that the actions choose, and what the inferences took."""
        request = self.many.request
        chosen = request.delays and np.asarray(request.delays)[actions["delay"]]
        after = None if chosen is None else self.many.request_after(chosen)
        seconds = self.rng.choice([0.0, 0.02, 0.05, 0.12, 0.3], len(self.singles))
        if self.many.latency_is_measured:
            self.many.charge(seconds)
        for index in np.flatnonzero(~self.ended):
            single = self.singles[index]
            same_request(request, single.request, index)
            if chosen is not None:
                same_request(after, single.request_after(int(chosen[index])), index)
            if self.many.latency_is_measured:
                single.charge(float(seconds[index]))

    def play(self, single, action, result, index):
        observation, reward, terminated, truncated, info = single.step(action)
        batch, rewards, terminations, truncations, infos = result
        assert (rewards[index], terminations[index], truncations[index]) == (reward, terminated, truncated)
        assert self.many.undiscounted_reward[index] == single.undiscounted_reward
        over = terminated or truncated
        self.ends += over
        if over and self.mode == AutoresetMode.SAME_STEP:
            same(_batched_once(infos["final_obs"][index]), _batched_once(observation))
            same(_read_told(infos["final_info"], index), _plainly(info), "final_info")
            self.begin(single, result, index)
            return
        same(_at(self.many.observation_space, batch, index), _batched_once(observation))
        same(_read_told(infos, index), _plainly(info), "info")
        self.ended[index] = over

    def begin(self, single, result, index):
        same(_at(self.many.observation_space, result[0], index), _batched_once(single.reset()[0]))


def same_request(batch, single, index):
    """Fail unless one of N requests is that of the single environment; all of it is compared."""
    for field in ("tick", "prefix_length", "delay_estimate"):
        assert getattr(batch, field)[index] == getattr(single, field), field
    for field in ("execution_horizon", "rng", "horizons", "delays"):
        assert getattr(batch, field) == getattr(single, field), field
    for field in ("prefix", "left_over"):
        length = int(getattr(batch, f"{field}_length")[index])
        _same_rows(getattr(batch, field), index, length, getattr(single, field))
    if batch.pending is None:
        assert single.pending == ()
        return
    count = len(single.pending)
    assert batch.pending.mask[index].tolist() == [place < count for place in range(batch.pending.mask.shape[1])]
    assert batch.pending.ages[index].tolist()[:count] == [each.age for each in single.pending]
    assert not batch.pending.ages[index, count:].any()
    for place, each in enumerate(single.pending):
        _same_rows(batch.pending.chunks, (index, place), None, each.chunk)


def _same_rows(batch, index, length, rows):
    if isinstance(batch, dict):
        for key in batch:
            _same_rows(batch[key], index, length, rows[key])
    elif isinstance(batch, tuple):
        for part, one in zip(batch, rows, strict=True):
            _same_rows(part, index, length, one)
    else:
        same(batch[index][:length], rows)
        assert length is None or not batch[index][length:].any()


def _at(space, batch, index):
    return _batched_once(list(iterate(space, batch))[index])


def _batched_once(value):
    """An observation, whose numbers are arrays."""
    if isinstance(value, dict):
        return {key: _batched_once(part) for key, part in value.items()}
    return tuple(map(_batched_once, value)) if isinstance(value, tuple) else np.asarray(value)


def _read_told(infos, index):
    """What the infos say of one environment."""
    return _plainly({key: infos[key][index] for key in infos if f"_{key}" in infos and infos[f"_{key}"][index]})


def _plainly(info):
    """An info with numbers as Python has them."""
    return {key: value.item() if isinstance(value, np.generic) else value for key, value in info.items()}
