"""Actions that reach the environment late, for agents that choose one action at a time."""

from __future__ import annotations

import copy

import gymnasium as gym

from chunkenv.errors import ArgumentError, reset_needed
from chunkenv.latency import Latency, read_delays
from chunkenv.utils.checks import expect_env
from chunkenv.utils.seeding import Stream
from chunkenv.utils.spaces import Checked, padding, zeros
from chunkenv.utils.types import Action, AnyEnv, AnySpace, Info, Observation, StepResult
from chunkenv.wrappers.delays.action_history import ActionHistory, history_length
from chunkenv.wrappers.delays.link import Link, Message
from chunkenv.wrappers.depth import depth_of
from chunkenv.wrappers.underrun import plain


class ActionDelay(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """Executes each action some ticks after it was sent; the newest that has arrived acts in every tick.

    An action that overtakes older ones replaces them; an older one that arrives after a newer one is dropped. Before
    the first arrives, zero acts, or `first_action`. What is under way when an episode ends is dropped. `info` has

        action_delay   ticks that the action executed in this tick was under way; -1 before the first arrived
        action_age     ticks since it was sent (it is held until a newer one arrives); -1 before the first arrived

    Several of them add up, with independent delays; `info` is then that of the outermost.

    Args:
        env: any Gymnasium environment with actions of Box, Discrete, MultiDiscrete, MultiBinary, Dict and Tuple.
        latency: an int is a constant delay in ticks; a `chunkenv.latency` model, or its spec as a dict, gives seconds.
        control_dt: seconds per tick; what the environment says, if None (`chunkenv.latency.control_dt_of`). Only
            latency in seconds needs it.
        observe: a number n puts the last n actions sent ('sent_actions', oldest first, filled up with what acts before
            the first) and 'action_age' into a Dict observation. The last 'action_age' of them are newer than the one
            that acted. True: as many as the delay, if that is constant; the observation is then Markov.
        first_action: what acts before anything arrived; zero if None. Discrete actions need it, unless the delay is 0.

    Raises:
        ArgumentError: for an invalid argument, with what would be right.

    >>> env = ActionDelay(gym.make("Pendulum-v1"), latency=2, observe=True)
    >>> observation, info = env.reset(seed=0)
    >>> for torque in (0.5, 1.0, 1.5):
    ...     observation, reward, terminated, truncated, info = env.step([torque])
    >>> observation["sent_actions"], info["action_delay"], info["action_age"]
    (array([1. , 1.5], dtype=float32), 2, 2)
    """

    def __init__(
        self,
        env: AnyEnv,
        latency: Latency,
        *,
        control_dt: float | None = None,
        observe: bool | int = False,
        first_action: Action | None = None,
    ) -> None:
        expect_env(env, "ActionDelay")
        self._delays = read_delays(env, latency, control_dt, stacklevel=2)
        self._delays.expect_whole("ActionDelay")
        self._read_action = Checked(env.action_space, "action")
        length = history_length(observe, self._delays.constant)
        self._first = _first_action(first_action, env.action_space, needed=self._delays.constant != 0)
        gym.utils.RecordConstructorArgs.__init__(
            self,
            latency=self._delays.plain,
            control_dt=None if control_dt is None else float(control_dt),
            observe=observe if isinstance(observe, bool) else length,
            first_action=plain(first_action, env.action_space),
        )
        gym.Wrapper.__init__(self, env)
        self._history = None
        if length:
            both = env.observation_space, env.action_space
            filling = padding(env.action_space) if self._first is None else self._first
            self._history = ActionHistory(*both, length, filling, "sent_actions", "action_age")
            self.observation_space = self._history.space
        self._stream = Stream("action_delay", depth_of(ActionDelay, env))
        self._link = Link()
        self._acting: Message | None = None
        self._running = False

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Observation, Info]:
        """Start an episode with nothing under way; a seed also starts the delays' own random stream."""
        self._running = False
        observation, info = self.env.reset(seed=seed, options=options)
        self._delays.reset(self._stream.begin(seed))
        self._link.clear()
        if self._history:
            self._history.clear()
        self._tick, self._acting = 0, None
        self._running = True
        return self._show(observation, age=-1), info

    def step(self, action: Action) -> StepResult:
        """Send `action`, and play one tick with the newest action that has arrived.

        Raises:
            ResetNeededError: before the first reset, and after the end of an episode.
            ActionError: for a wrong shape or dtype, NaN, infinity, or out of a discrete range; nothing has moved.
            ArgumentError: if a latency model of yours draws something that is no latency; nothing has moved.
        """
        if not self._running:
            raise reset_needed("step")
        sent = self._read_action(action)
        self._link.send(sent, self._tick, self._delays.next_whole())
        self._acting = self._link.receive(self._tick) or self._acting
        if self._history:
            self._history.append(sent)
        self._running = False  # an environment that raises leaves an episode that cannot go on
        acting = self._acting.content if self._acting else self._first
        observation, reward, terminated, truncated, info = self.env.step(copy.deepcopy(acting))
        self._running = not (terminated or truncated)
        delay, age = (self._acting.delay, self._tick - self._acting.sent) if self._acting else (-1, -1)
        self._tick += 1
        info = {**info, "action_delay": delay, "action_age": age}
        return self._show(observation, age), reward, terminated, truncated, info

    def _show(self, observation: Observation, age: int) -> Observation:
        return self._history.observation(observation, age) if self._history else observation


def _first_action(first_action: Action | None, action_space: AnySpace, needed: bool) -> Action | None:
    """What acts before anything arrived; None where nothing is ever late."""
    if first_action is not None:
        return Checked(action_space, "first_action")(first_action)
    zero = zeros(action_space)
    if zero is None and needed:
        raise ArgumentError(
            f"first_action=None leaves nothing to act before the first action arrives, as {action_space} has no zero; "
            "give first_action."
        )
    return zero
