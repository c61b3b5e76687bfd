"""Both ways against the real openpi-client, which pins an older numpy and so needs a virtual environment of its own:

python3 -m venv /tmp/openpi && /tmp/openpi/bin/pip install openpi-client typing_extensions
CHUNKENV_OPENPI_PYTHON=/tmp/openpi/bin/python python -m pytest tests/remote/test_openpi_client.py
"""

import contextlib
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces

from chunkenv.errors import PolicyFault
from chunkenv.remote import PolicyServer, RemotePolicy
from tests.remote.servers import REQUEST

PYTHON = os.environ.get("CHUNKENV_OPENPI_PYTHON", "")
SCRIPTS = Path(__file__).parent / "openpi"

pytestmark = pytest.mark.skipif(not PYTHON, reason="CHUNKENV_OPENPI_PYTHON names no Python with openpi-client")


class Constant:
    def infer(self, observation, request):
        assert np.isfinite(observation["state"]).all()
        assert observation["prompt"] == "fold"
        return np.full((8, 2), observation["state"][0], np.float32)


def test_its_client_asks_our_server():
    with PolicyServer(Constant(), port=0, api_key="secret", metadata={"robot": "arm"}) as server:
        command = [PYTHON, str(SCRIPTS / "client.py"), server.uri, "secret"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["metadata"] == {"robot": "arm", "chunkenv": 1}
    assert found["actions"] == [[[0.5, 0.5]] * 8, [[-0.25, -0.25]] * 8]
    assert found["dtype"] == "float32"
    assert found["timing"] == [["infer_ms"], ["infer_ms", "prev_total_ms"]]
    assert "AssertionError" in found["error"]


@contextlib.contextmanager
def its_server():
    process = subprocess.Popen([PYTHON, str(SCRIPTS / "server.py")], stdout=subprocess.PIPE, text=True)
    with process:
        try:
            yield f"ws://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def test_our_client_asks_a_server_with_its_packer():
    space = spaces.Box(-1, 1, (8, 2))
    observation = {"state": np.array([0.5, 2.0]), "prompt": "fold"}
    with its_server() as uri, RemotePolicy(f"{uri}/pi0", chunk_space=space) as policy:
        metadata = policy.connect()
        assert (metadata["name"], metadata["mean"], metadata["shape"].tolist()) == ("pi0", np.float32(0.5), [8, 2])
        chunk = policy.infer(observation, REQUEST)
        assert space.contains(chunk)
        assert chunk.tolist() == [[0.5, 0.5]] * 8
        with pytest.raises(PolicyFault, match="failed: KeyError: 'no such task'"):
            policy.infer(observation | {"prompt": "fail"}, REQUEST)
        assert policy.infer(observation, REQUEST).tolist() == chunk.tolist()
