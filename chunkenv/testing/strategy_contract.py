"""What an execution strategy promises, as checks to inherit."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from chunkenv.strategies.costs import Cost
from chunkenv.testing.expect import expect, skip
from chunkenv.testing.policy_contract import PolicyContract, inferences


class StrategyContract(PolicyContract):
    """Checks of a strategy: it is a policy, so all of `PolicyContract`; beside that it is batched, reset, and costs.

        class TestMyStrategy(StrategyContract):
            def make_policy(self):
                return MyStrategy(MyPolicy())

            def make_env(self):
                return ChunkedExecution(gym.make("Pendulum-v1"), prediction_horizon=8, execution_horizon=4, latency=2)

    `make_policy` returns the strategy around a policy that it can work with. The policy must be good itself: check it
    with `PolicyContract` first.
    """

    def test_it_answers_batches(self) -> None:
        """A study asks for many episodes at once."""
        strategy = self.make_policy()
        found = callable(getattr(strategy, "infer_batch", None))
        expect(found, f"{type(strategy).__name__} has no infer_batch(observations, request); expected one.")

    def test_it_can_be_reset(self) -> None:
        """`reset()` needs no arguments, and may come at any time."""
        strategy: Any = self.make_policy()
        found = callable(getattr(strategy, "reset", None))
        expect(found, f"{type(strategy).__name__} has no reset(); expected one, which begins an episode.")
        for _ in range(2):
            strategy.reset()

    def test_a_reset_reaches_the_policy(self) -> None:
        """The policy below may remember something, too."""
        strategy: Any = self.make_policy()
        policy = getattr(strategy, "policy", None)
        if policy is None:
            skip("it has no attribute policy.")
        calls: list[bool] = []
        policy.reset = lambda: calls.append(True)
        strategy.reset()
        expect(calls, f"{type(strategy).__name__}.reset() did not call its policy's reset(); expected one call.")

    def test_it_says_what_it_costs(self) -> None:
        """`cost` is a `chunkenv.strategies.Cost`, before the first chunk and after each: it may differ."""
        strategy = self.make_policy()
        expect_cost(getattr(strategy, "cost", None))
        with closing(self.make_env()) as env:
            for _ in inferences(strategy, env, decisions=3):
                expect_cost(getattr(strategy, "cost", None))


def expect_cost(cost: Any) -> None:
    """Fail unless it is a `Cost` with at least one evaluation, and no negative numbers."""
    expect(isinstance(cost, Cost), f"cost is {cost!r}; expected a chunkenv.strategies.Cost.")
    counts = [cost.evaluations, cost.vjps, 0 if cost.flops is None else cost.flops]
    whole = all(type(count) is int and count >= 0 for count in counts) and cost.evaluations >= 1
    expect(whole, f"cost is {cost}; expected whole numbers of at least 0, and at least one evaluation.")
