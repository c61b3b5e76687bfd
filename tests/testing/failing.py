"""How the tests of the contracts show that a check can fail, and for the right reason."""

import re

import pytest


def checks_of(contract):
    return {name for name in dir(contract) if name.startswith("test_")}


def expect_failure(contract, check, words, **overrides):
    """The check fails for the right reason, with a sentence that says what was expected."""
    with pytest.raises(AssertionError, match=re.escape(words)) as failure:
        getattr(contract_with(contract, **overrides), check)()
    assert "expected" in str(failure.value)


def contract_with(contract, **overrides):
    return type("Broken", (contract,), {name: staticmethod(make) for name, make in overrides.items()})()


def cases(table):
    return [pytest.param(check, *case, id=f"{check}-{case[0]}") for check in table for case in table[check]]
