"""Chunks that come from other libraries: read, or refused with the policy's name."""

import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from chunkenv import ActionDelay, ChunkedExecution, ChunkedVectorExecution, evaluate, evaluate_batch
from chunkenv.errors import ActionError
from tests.evaluate.test_single import Walk

torch = pytest.importorskip("torch")

READ = {
    "torch": lambda shape: torch.ones(shape),
    "torch's halves": lambda shape: torch.ones(shape).half(),
    "a list of tensors": lambda shape: list(torch.ones(shape)),
    "jax": lambda shape: jnp.ones(shape),
    "jax's bfloat16": lambda shape: jnp.ones(shape, jnp.bfloat16),
}
REFUSED = {
    "a gradient": lambda shape: torch.ones(shape, requires_grad=True),
    "torch's bfloat16": lambda shape: torch.ones(shape).bfloat16(),
    "another device": lambda shape: torch.ones(shape, device="meta"),
    "sparse": lambda shape: torch.ones(shape).to_sparse(),
    "a list of gradients": lambda shape: list(torch.ones(shape, requires_grad=True)),
    "a list of bfloat16": lambda shape: list(torch.ones(shape).bfloat16()),
}


class Policy:
    """A chunk of some library, for one environment or many."""

    def __init__(self, make):
        self.make = make

    def infer(self, observation, request):
        return self.make((4, 1))

    def infer_batch(self, observations, request):
        return self.make((len(request.tick), 4, 1))


def make_env():
    return ChunkedExecution(Walk(), 4, 2, latency=1)


def make_envs(slots):
    inner = SyncVectorEnv([Walk] * slots, autoreset_mode=AutoresetMode.DISABLED)
    return ChunkedVectorExecution(inner, 4, 2, latency=1)


@pytest.mark.parametrize("name", READ)
def test_arrays_of_other_libraries_are_read(name):
    rows = evaluate(make_env, Policy(READ[name]), 2, seed=0)
    assert rows == evaluate(make_env, Policy(lambda shape: np.ones(shape, np.float32)), 2, seed=0)
    assert rows == evaluate_batch(make_envs, Policy(READ[name]), 2, seed=0, slots=2)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_names_the_policy(name):
    sentence = "returned {} that cannot be executed: .*cannot be read .*tensor.detach..\\.float..\\.cpu..\\.numpy"
    with pytest.raises(ActionError, match=r"Policy.infer " + sentence.format("a chunk")):
        evaluate(make_env, Policy(REFUSED[name]), 1, seed=0)
    with pytest.raises(ActionError, match=r"Policy.infer_batch " + sentence.format("chunks")):
        evaluate_batch(make_envs, Policy(REFUSED[name]), 2, seed=0, slots=2)


@pytest.mark.parametrize("name", REFUSED)
def test_single_actions_are_refused_as_well(name):
    env = ActionDelay(Walk(), 1)
    env.reset(seed=0)
    with pytest.raises(ActionError, match=r"the action .* cannot be read"):
        env.step(REFUSED[name]((1,)))
