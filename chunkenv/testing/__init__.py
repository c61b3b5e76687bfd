"""What users test their own parts with: contracts to inherit, and an environment that counts.

A contract is a class full of checks. Inherit it in a test file of your own, override the method that makes your part,
and pytest runs them all; a check that fails says in a sentence what was expected and what was found:

    from chunkenv.testing import ChunkContract, LatencyContract

    class TestMyTask(ChunkContract):
        def make_env(self):
            return ChunkedExecution(MyTask(), prediction_horizon=8, execution_horizon=4, latency=2, info="full")

    class TestMyNetwork(LatencyContract):
        def make_model(self):
            return MyNetwork(base=0.02)

A check that has nothing to look at (an episode that never ends, a model that does not know its mean) is skipped. To
leave one out, override it: `test_it_pickles = None`. Nothing here needs pytest.
"""

from chunkenv.testing.chunk_contract import ChunkContract
from chunkenv.testing.counting import CountingEnv
from chunkenv.testing.latency_contract import LatencyContract
from chunkenv.testing.policy_contract import PolicyContract
from chunkenv.testing.strategy_contract import StrategyContract

__all__ = ["ChunkContract", "CountingEnv", "LatencyContract", "PolicyContract", "StrategyContract"]
