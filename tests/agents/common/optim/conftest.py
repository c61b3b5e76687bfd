import pytest

from tests.conftest import compiled_for_users


@pytest.fixture(scope="module", autouse=True)
def _last_bits_decide_signs():
    """SPlus takes the sign of each number, also of one that is zero but for rounding."""
    with compiled_for_users():
        yield
