import pytest

from chunkenv.training import imitation


@pytest.fixture(scope="module", autouse=True)
def _flows_learn_in_small_rounds():
    """A hundred updates of a whole policy take seconds, and most commands here are about anything but the policy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(imitation, "ROUND", 4)
        yield
