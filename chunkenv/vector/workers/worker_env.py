"""A vector environment of processes that survives what its members do: die, raise, hang, return NaN."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from multiprocessing.context import BaseContext

import gymnasium as gym
import numpy as np
from gymnasium.error import ClosedEnvironmentError
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate

from chunkenv.errors import ArgumentError, EnvironmentFault, ResetNeededError, brief
from chunkenv.utils.autoreset import Start, read_mode, read_start
from chunkenv.utils.checks import one_of, real_number
from chunkenv.utils.spaces import Checked, has_nan
from chunkenv.utils.types import Action, AnyEnv, Info, Observation
from chunkenv.vector.workers.episode import WorkerEpisode
from chunkenv.vector.workers.handle import GRACE, Handle, gather
from chunkenv.vector.workers.worker import Answer, EnvFailure, EnvInfo, Transition

Answers = dict[int, Answer]
Result = tuple[Observation, np.ndarray, np.ndarray, np.ndarray, Info]


class WorkerFault(EnvironmentFault):
    """Environments of a `WorkerVectorEnv` that failed; the others are where their last step left them.

    Attributes:
        failed: which environments failed, bool[N]: the mask to reset them with.
        result: what the step led to: where an environment failed its episode is truncated, with its last observation,
            reward 0 and the reason in `info["fault"]`. None if it was no step.
    """

    def __init__(self, sentence: str, failed: np.ndarray, result: Result | None = None) -> None:
        super().__init__(sentence)
        self.failed = failed
        self.result = result


class WorkerVectorEnv(gym.vector.VectorEnv):
    """Environments in processes of their own, as Gymnasium's `AsyncVectorEnv`, for environments that may fail.

    Whatever a member does, no call hangs (with a timeout), no process stays behind, and the error names it and the
    tick:

        it raises, or its process dies    WorkerFault: which environment, in which decision, from which tick on, why
        it hangs                          the same, `timeout` seconds after the call
        it returns NaN                    the same, for a reward or an observation
        its constructor does any of it    EnvironmentFault
        the parent dies, or Ctrl-C        the workers end with it

    After a fault the others have made their step: `fault.result` has it, with the failed one's episode as truncated.
    A failed environment gets a new process with its next reset: `reset(options={"reset_mask": fault.failed})`, or with
    AutoresetMode.NEXT_STEP the next step. What is lost is the failed one's episode; its next one has a seed that
    depends on the last seed it was given, so that runs with the same faults are the same. After an interrupt
    (Ctrl-C during a step), the environments that were waited for are lost likewise.

    Members are typically `ChunkedExecution`s, each in a phase of its own; results are those of Gymnasium's
    `SyncVectorEnv` of the same. What a step returns is never written to again.

    Args:
        env_fns: functions that make the members, all with the same spaces.
        timeout: seconds that every reset, step and call may take; None for ever. Much more than the slowest step, or
            a busy machine looks like a fault.
        start_timeout: seconds that making the environments may take.
        autoreset_mode: when an environment whose episode has ended begins the next: an `AutoresetMode`.
        context: how processes are started: 'fork', 'spawn', 'forkserver', or the platform's own way (None). A script
            that spawns must do so under `if __name__ == "__main__":`.

    Raises:
        ArgumentError: for an invalid argument, or members with different spaces.
        EnvironmentFault: a member that cannot be made.

    >>> envs = WorkerVectorEnv([lambda: gym.make("CartPole-v1")] * 2, timeout=60)
    >>> observations, infos = envs.reset(seed=0)
    >>> observations, rewards, terminations, truncations, infos = envs.step(np.array([0, 1]))
    >>> observations.shape, rewards
    ((2, 4), array([1., 1.]))
    >>> envs.close()
    """

    def __init__(
        self,
        env_fns: Sequence[Callable[[], AnyEnv]],
        *,
        timeout: float | None = None,
        start_timeout: float | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        context: str | None = None,
    ) -> None:
        self._handles: dict[int, Handle] = {}
        self._make = _read_makers(env_fns)
        self._timeout = _read_timeout("timeout", timeout)
        self._start_timeout = _read_timeout("start_timeout", start_timeout)
        mode = read_mode(autoreset_mode)
        self._next_step, self._same_step = mode == AutoresetMode.NEXT_STEP, mode == AutoresetMode.SAME_STEP
        self._context = _read_context(context)
        self.num_envs = len(self._make)
        self._episodes = [WorkerEpisode() for _ in self._make]
        with self._end_on_interrupt(list(range(self.num_envs))):
            self._take_over(self._start(list(range(self.num_envs))), mode)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: Info | None = None
    ) -> tuple[Observation, Info]:
        """Start episodes, of all or, with `options={"reset_mask": bool[N]}`, of some; failed ones get a new process.

        Args:
            seed: None, a number s (environment i gets s + i), or one for each.
            options: handed on to the environments, but for the mask.

        Raises:
            ArgumentError: a seed or a mask that does not fit.
            ResetNeededError: an environment that the mask leaves out was never reset.
            WorkerFault: environments that failed.
        """
        self._expect_open()
        start = read_start(seed, options, self.num_envs)
        self._expect_begun(start.members)
        answers = self._reset(start)
        self._follow(answers)
        if faults := _faults(answers):
            raise self._fault(dict.fromkeys(faults, "in its reset"), faults)
        return self._observations(), self._infos(answers)

    def step(self, actions: Action) -> Result:
        """Play a step of every environment.

        Raises:
            ActionError: actions of the wrong shape or dtype, or NaN; nothing has moved then.
            ResetNeededError: an episode has not begun, or is over or failed and the autoreset mode leaves it so.
            WorkerFault: environments that failed; the others have made their step.
        """
        self._expect_open()
        resetting = self._resetting()
        rows = list(iterate(self.action_space, self._read_actions(actions)))
        when = {index: "in its reset" if resetting[index] else self._episodes[index].now for index in range(len(rows))}
        lost = np.array([index not in self._handles for index in range(len(rows))])
        steps = {index: ("step", row, self._same_step) for index, row in enumerate(rows)}
        resets = dict.fromkeys(np.flatnonzero(resetting).tolist(), ("reset", None, None))
        answers = self._ask({index: request for index, request in (steps | resets).items() if not lost[index]})
        if lost.any():
            answers |= self._reset(Start(lost, [None] * self.num_envs, None))
        return self._finish_step(answers, when)

    def render(self) -> tuple[Answer, ...]:
        """What the environments render."""
        return self.call("render")

    def call(self, name: str, *args: object, **kwargs: object) -> tuple[Answer, ...]:
        """The environments' attributes of that name, or what their methods of that name return.

        Raises:
            ResetNeededError: one of them failed and was not reset since.
            WorkerFault: environments that failed; one that only raised goes on.
        """
        return self._ask_all([("call", name, args, kwargs)] * self.num_envs, f"in {name!r}")

    def get_attr(self, name: str) -> tuple[Answer, ...]:
        """The environments' attributes of that name; see `call`."""
        return self.call(name)

    def set_attr(self, name: str, values: object) -> None:
        """Set an attribute of the environments: a list or a tuple has a value for each; see `call`."""
        each = list(values) if isinstance(values, list | tuple) else [values] * self.num_envs
        if len(each) != self.num_envs:
            raise ArgumentError(f"{len(each)} values for {self.num_envs} environments; give one for each, or one.")
        self._ask_all([("assign", name, value) for value in each], f"when {name!r} was set")

    def close_extras(self, **kwargs: object) -> None:
        """End all processes: those that do not close their environment within a moment are killed."""
        for handle in self._handles.values():
            handle.ask("close")
        self._end(list(self._handles), patience=GRACE)

    def __del__(self) -> None:
        if not self.closed:
            self._end(list(getattr(self, "_handles", ())))

    def _take_over(self, answers: Answers, mode: AutoresetMode) -> None:
        """Become the vector environment of what the workers have made."""
        if faults := _faults(answers):
            raise self._fault(dict.fromkeys(faults, "when it was made"), faults)
        first: EnvInfo = answers[0]
        for index, other in sorted(answers.items()):
            _expect_same(index, first, other)
        self.single_observation_space, self.single_action_space = first.observation_space, first.action_space
        self.observation_space = batch_space(first.observation_space, self.num_envs)
        self.action_space = batch_space(first.action_space, self.num_envs)
        self.metadata = first.metadata | {"autoreset_mode": mode}
        self.autoreset_mode = mode
        self.render_mode = first.render_mode
        self._read_actions = Checked(self.action_space, "actions")

    def _start(self, indices: list[int]) -> Answers:
        """New processes for some environments, and what they answer: `EnvInfo` or an `EnvFailure`."""
        with self._end_on_interrupt(indices):
            for index in indices:
                self._handles[index] = Handle(self._make[index], self._context)
            return self._answers(indices, self._start_timeout)

    @contextlib.contextmanager
    def _end_on_interrupt(self, indices: list[int]) -> Iterator[None]:
        """After Ctrl-C or an unexpected error it is unknown which of these environments have moved: they end."""
        try:
            yield
        except BaseException:
            self._end([index for index in indices if index in self._handles])
            raise

    def _reset(self, start: Start) -> Answers:
        """Reset some environments, in new processes where they failed."""
        members = np.flatnonzero(start.members).tolist()
        replaced = [index for index in members if index not in self._handles]
        answers = self._start(replaced)
        seeds = {index: self._episodes[index].seed_for(start.seeds[index], index in replaced) for index in members}
        alive = [index for index in members if index in self._handles]
        answers |= self._ask({index: ("reset", seeds[index], start.options) for index in alive})
        return answers

    def _follow(self, answers: Answers) -> None:
        for index, answer in answers.items():
            if isinstance(answer, Transition):
                self._episodes[index].follow(answer)

    def _ask(self, requests: Mapping[int, tuple[object, ...]]) -> Answers:
        """What the environments answer; those that failed have no process any more."""
        with self._end_on_interrupt(list(requests)):
            for index, request in requests.items():
                self._handles[index].ask(*request)
            return self._answers(list(requests), self._timeout)

    def _answers(self, indices: list[int], timeout: float | None) -> Answers:
        found = gather({index: self._handles[index] for index in indices}, timeout)
        answers = {index: self._expect_numbers(answer) for index, answer in found.items()}
        self._end([index for index in _faults(answers) if not answers[index].recoverable])
        return answers

    def _expect_numbers(self, answer: Answer) -> Answer:
        """The answer, or an `EnvFailure` if there is NaN in it."""
        if not isinstance(answer, Transition):
            return answer
        if np.isnan(answer.reward):
            return EnvFailure("it returned the reward nan")
        seen = [answer.observation] if answer.final is None else [answer.observation, answer.final[0]]
        if any(has_nan(self.single_observation_space, observation) for observation in seen):
            return EnvFailure("it returned an observation with nan")
        return answer

    def _finish_step(self, answers: Answers, when: dict[int, str]) -> Result:
        """The result of a step; raised with the fault, if there is one."""
        faults = _faults(answers)
        moved = answers | {index: self._cut_episode(index, failure) for index, failure in faults.items()}
        self._follow(moved)
        rows = [moved[index] for index in range(self.num_envs)]
        result = (
            self._observations(),
            np.array([row.reward for row in rows]),
            np.array([row.terminated for row in rows]),
            np.array([row.truncated for row in rows]),
            self._infos(moved),
        )
        if faults:
            raise self._fault(when, faults, result)
        return result

    def _cut_episode(self, index: int, failure: EnvFailure) -> Transition:
        """Where the episode of an environment that failed is cut."""
        return Transition(self._episodes[index].observation, truncated=True, info={"fault": failure.sentence})

    def _observations(self) -> Observation:
        room = create_empty_array(self.single_observation_space, self.num_envs, np.zeros)
        return concatenate(self.single_observation_space, [one.observation for one in self._episodes], room)

    def _infos(self, answers: Answers) -> Info:
        infos: Info = {}
        for index, moved in sorted(answers.items()):
            if moved.final is not None:
                infos = self._add_info(infos, dict(zip(("final_obs", "final_info"), moved.final, strict=True)), index)
            infos = self._add_info(infos, moved.info, index)
        return infos

    def _ask_all(self, requests: Sequence[tuple[object, ...]], when: str) -> tuple[Answer, ...]:
        self._expect_open()
        if lost := [index for index in range(self.num_envs) if index not in self._handles]:
            raise ResetNeededError(_describe_ended(lost))
        answers = self._ask(dict(enumerate(requests)))
        if faults := _faults(answers):
            raise self._fault(dict.fromkeys(faults, when), faults)
        return tuple(answers[index] for index in range(self.num_envs))

    def _resetting(self) -> np.ndarray:
        """Which environments a step resets, bool[N]."""
        self._expect_begun(np.zeros(self.num_envs, bool))
        over = np.array([one.over or index not in self._handles for index, one in enumerate(self._episodes)])
        if over.any() and not self._next_step:
            raise ResetNeededError(_describe_ended(np.flatnonzero(over).tolist()))
        return over

    def _expect_begun(self, but: np.ndarray) -> None:
        if any(one.observation is None and not but[index] for index, one in enumerate(self._episodes)):
            raise ResetNeededError("not every environment was reset yet: call reset() first.")

    def _expect_open(self) -> None:
        if self.closed:
            raise ClosedEnvironmentError("This vector environment was closed: make a new one.")

    def _fault(self, when: dict[int, str], faults: dict[int, EnvFailure], result: Result | None = None) -> WorkerFault:
        sentences = [f"environment {index} failed {when[index]}: {faults[index].sentence}" for index in sorted(faults)]
        failed = np.array([index not in self._handles for index in range(self.num_envs)])
        fault = WorkerFault("; ".join(sentences) + ".", failed, result)
        for failure in faults.values():
            if failure.traceback:
                fault.add_note(failure.traceback)
        return fault

    def _end(self, indices: list[int], patience: float = 0.0) -> None:
        """End the processes of some environments, all of them at the latest after `patience` seconds."""
        deadline = time.monotonic() + patience
        for index in indices:
            self._handles.pop(index).end(max(deadline - time.monotonic(), 0.0))


def _faults(answers: Answers) -> dict[int, EnvFailure]:
    return {index: answer for index, answer in answers.items() if isinstance(answer, EnvFailure)}


def _describe_ended(members: list[int]) -> str:
    return (
        f"the episodes of the environments {brief(members)} are over or failed; call "
        "reset(options={'reset_mask': mask}) with True for them first."
    )


def _expect_same(index: int, first: EnvInfo, other: EnvInfo) -> None:
    for name in ("observation_space", "action_space"):
        if getattr(first, name) != getattr(other, name):
            raise ArgumentError(
                f"environment {index} has the {name} {brief(getattr(other, name))}, but environment 0 has "
                f"{brief(getattr(first, name))}; make them all alike."
            )


def _read_makers(env_fns: object) -> list[Callable[[], AnyEnv]]:
    makers = list(env_fns) if isinstance(env_fns, Iterable) else []
    if not makers or not all(callable(make) and not isinstance(make, gym.Env) for make in makers):
        raise ArgumentError(
            f"env_fns={brief(env_fns)} is no list of functions that make an environment; give, for example, "
            "[lambda: gymnasium.make('CartPole-v1')] * 4."
        )
    return makers


def _read_timeout(name: str, seconds: float | None) -> float | None:
    if seconds is None:
        return None
    if (limit := real_number(name, seconds, at_least=0.0)) == 0.0:
        raise ArgumentError(f"{name}=0 leaves no time for an answer; give some seconds, or None for no limit.")
    return limit


def _read_context(name: str | None) -> BaseContext:
    known = tuple(multiprocessing.get_all_start_methods())
    return multiprocessing.get_context(None if name is None else one_of("context", name, known))
