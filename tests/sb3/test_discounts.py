import pytest

from chunkenv.errors import ArgumentError
from chunkenv.sb3.discounts import discounts_of


def test_an_info_without_discount_is_named():
    with pytest.raises(ArgumentError, match="environment 1 has no 'discount'"):
        discounts_of([{"discount": 1.0}, {}])
