"""What is refused, and how it is said."""

import pytest

from chunkenv.errors import ArgumentError
from chunkenv.strategies.denoiser import MEANINGS, SAMPLING, check_needs
from tests.strategies.policies import Gaussian


@pytest.mark.parametrize("name", MEANINGS)
def test_each_need_is_explained(name):
    policy = Gaussian()
    check_needs(policy, "Mine", (name,), "add it")
    setattr(policy, name, None)
    with pytest.raises(ArgumentError) as error:
        check_needs(policy, "Mine", (name,), "add it")
    assert str(error.value).startswith(f"Mine needs a policy with {name}")
    assert str(error.value).endswith(f"Gaussian has no {name}: add it.")


def test_what_sampling_needs_is_explained():
    assert set(SAMPLING) <= set(MEANINGS)
