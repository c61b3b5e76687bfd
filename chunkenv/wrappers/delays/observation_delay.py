"""Observations that reach the agent late, with their rewards and the end of the episode."""

from __future__ import annotations

import copy
import math
from typing import Any

import gymnasium as gym

from chunkenv.errors import EnvironmentFault, reset_needed
from chunkenv.latency import Latency, read_delays
from chunkenv.utils.checks import expect_env
from chunkenv.utils.seeding import Stream
from chunkenv.utils.spaces import Checked, padding
from chunkenv.utils.types import Action, AnyEnv, Info, Observation, StepResult
from chunkenv.wrappers.delays.action_history import ActionHistory, history_length
from chunkenv.wrappers.delays.link import Link, Message
from chunkenv.wrappers.depth import depth_of


class ObservationDelay(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """Shows each observation some ticks after it was made; the agent sees the newest that has arrived.

    The reset observation is there at once and is held until another arrives. An observation that overtakes older ones
    replaces them. So what the agent sees never gets older faster than time passes, and never goes back in time.

    *Rewards* travel with the observation that they led to. One that arrives brings those of all ticks up to its own
    that were not paid yet, summed: none is lost, none counted twice. A step in which nothing new arrives pays 0.0.

    *The end* travels with the last observation. A world that has ended is not stepped any more; the agent, which cannot
    know yet, goes on: its actions are checked and ignored, what is still under way arrives, and with the last
    observation come `terminated` and `truncated` as the world gave them, and its `info`. So an episode takes as many
    steps more than the world as its last observation is late.

    *A TimeLimit inside* (what `gym.make` adds) counts ticks of the world, and its truncation arrives late like any
    other end: the usual choice. One outside counts steps of the agent, the waiting included; what is under way when it
    strikes (rewards, or the end of the world) never arrives.

    `info` is that of the observation shown, and has

        observation_delay   ticks that the observation was under way
        observation_age     ticks since it was made (it is held until a newer one arrives)

    Args:
        env: any Gymnasium environment with actions of Box, Discrete, MultiDiscrete, MultiBinary, Dict and Tuple.
        latency: an int is a constant delay in ticks; a `chunkenv.latency` model, or its spec as a dict, gives seconds.
        control_dt: seconds per tick; what the environment says, if None (`chunkenv.latency.control_dt_of`). Only
            latency in seconds needs it.
        observe: a number n puts the last n actions ('recent_actions', oldest first, filled up with zeros) and
            'observation_age' into a Dict observation. The last 'observation_age' of these actions were sent after the
            observation was made. True: as many as the delay, if that is constant; the observation is then Markov.

    Raises:
        ArgumentError: for an invalid argument, with what would be right.

    >>> env = ObservationDelay(gym.make("CartPole-v1"), latency=2)
    >>> first, info = env.reset(seed=0)
    >>> steps = [env.step(1) for _ in range(4)]
    >>> [bool((step[0] == first).all()) for step in steps], [step[1] for step in steps]
    ([True, True, False, False], [0.0, 0.0, 1.0, 1.0])
    >>> [step[4]["observation_age"] for step in steps]
    [1, 2, 2, 2]
    """

    def __init__(
        self,
        env: AnyEnv,
        latency: Latency,
        *,
        control_dt: float | None = None,
        observe: bool | int = False,
    ) -> None:
        expect_env(env, "ObservationDelay")
        self._delays = read_delays(env, latency, control_dt, stacklevel=2)
        self._delays.expect_whole("ObservationDelay")
        self._read_action = Checked(env.action_space, "action")
        length = history_length(observe, self._delays.constant)
        gym.utils.RecordConstructorArgs.__init__(
            self,
            latency=self._delays.plain,
            control_dt=None if control_dt is None else float(control_dt),
            observe=observe if isinstance(observe, bool) else length,
        )
        gym.Wrapper.__init__(self, env)
        self._history = None
        if length:
            both = env.observation_space, env.action_space
            filling = padding(env.action_space)
            self._history = ActionHistory(*both, length, filling, "recent_actions", "observation_age")
            self.observation_space = self._history.space
        self._stream = Stream("observation_delay", depth_of(ObservationDelay, env))
        self._link = Link()
        self._running = False

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Observation, Info]:
        """Start an episode with nothing under way; a seed also starts the delays' own random stream."""
        self._running = False
        observation, info = self.env.reset(seed=seed, options=options)
        self._delays.reset(self._stream.begin(seed))
        self._link.clear()
        if self._history:
            self._history.clear()
        self._tick, self._world_ended = 0, False
        self._unpaid: list[tuple[int, float]] = []
        self._shown = Message(sent=0, delay=0, content=copy.deepcopy((observation, False, False, info)))
        self._running = True
        observation, _, _, info = self._show()
        return observation, info

    def step(self, action: Action) -> StepResult:
        """Play one tick, or wait one if the world has ended, and show the newest observation that has arrived.

        Raises:
            ResetNeededError: before the first reset, and after the end of an episode.
            ActionError: for a wrong shape or dtype, NaN, infinity, or out of a discrete range; nothing has moved.
            ArgumentError: if a latency model of yours draws something that is no latency; nothing has moved.
            EnvironmentFault: if the wrapped environment returns a reward that is no finite number.
        """
        if not self._running:
            raise reset_needed("step")
        action = self._read_action(action)
        if not self._world_ended:
            self._move_world(action)
        self._tick += 1
        if self._history:
            self._history.append(action)
        arrived = self._link.receive(self._tick)
        self._shown = arrived or self._shown
        reward = self._pay(up_to=arrived.sent) if arrived else 0.0
        observation, terminated, truncated, info = self._show()
        self._running = not (terminated or truncated)
        return observation, reward, terminated, truncated, info

    def _move_world(self, action: Action) -> None:
        """Play a tick of the world, and send what comes of it."""
        delay = self._delays.next_whole()
        self._running = False  # an environment that raises leaves an episode that cannot go on
        observation, reward, terminated, truncated, info = self.env.step(copy.deepcopy(action))
        made = self._tick + 1
        self._unpaid.append((made, _read_reward(reward, self.env, made)))
        self._link.send(copy.deepcopy((observation, terminated, truncated, info)), made, delay)
        self._world_ended = bool(terminated or truncated)

    def _pay(self, up_to: int) -> float:
        """The rewards of all ticks up to one that were not paid yet."""
        due = [reward for tick, reward in self._unpaid if tick <= up_to]
        self._unpaid = self._unpaid[len(due) :]
        return sum(due[1:], start=due[0])

    def _show(self) -> tuple[Observation, bool, bool, Info]:
        """Copies of the observation shown, of its flags and its info."""
        observation, terminated, truncated, info = copy.deepcopy(self._shown.content)
        age = self._tick - self._shown.sent
        if self._history:
            observation = self._history.observation(observation, age)
        return (
            observation,
            terminated,
            truncated,
            {**info, "observation_delay": self._shown.delay, "observation_age": age},
        )


def _read_reward(reward: Any, env: AnyEnv, tick: int) -> float:
    """A reward that can be added to others."""
    try:
        number = float(reward)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise EnvironmentFault(
            f"{env} returned the reward {reward!r} at tick {tick}; expected a finite number: look for an action or a "
            "state that it cannot handle, then call reset()."
        )
    return number
