"""What a user meets who inherits a contract."""

import subprocess
import sys
import textwrap

import pytest

from chunkenv.testing import ChunkContract, LatencyContract, PolicyContract
from tests.testing.failing import checks_of, contract_with


@pytest.mark.parametrize("contract", [ChunkContract, LatencyContract, PolicyContract])
def test_what_to_override_is_said(contract):
    for check in checks_of(contract):
        with pytest.raises(NotImplementedError, match=r"Broken must override make_\w+\(\) to return a"):
            getattr(contract_with(contract), check)()


def test_plain_pytest_runs_an_inherited_contract(tmp_path):
    (tmp_path / "test_mine.py").write_text(textwrap.dedent(USERS_FILE))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    count = len(checks_of(LatencyContract))
    assert f"1 failed, {2 * count - 2} passed in" in result.stdout, result.stdout
    assert "mean() is 0.05; expected 0.02" in result.stdout


USERS_FILE = """
    from chunkenv.latency import Constant
    from chunkenv.testing import LatencyContract

    class Wrong(Constant):
        def mean(self):
            return 0.05

    class TestRight(LatencyContract):
        def make_model(self):
            return Constant(0.02)

    class TestWrong(LatencyContract):
        def make_model(self):
            return Wrong(0.02)

        test_quantiles_rise = None
"""


def test_importing_the_contracts_needs_no_test_dependency():
    code = "import sys, chunkenv.testing; print({'pytest', 'hypothesis', 'scipy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
