import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from chunkenv.errors import PolicyFault
from chunkenv.remote import RemotePolicy
from tests.cli.calling import invoke, run
from tests.remote.servers import REQUEST

POLICY = """
import numpy as np

class Pump:
    def infer(self, observation, request):
        return np.full((8, 1), observation[2])

def make_policy():
    return Pump()

def other():
    return Pump()

def broken():
    return 5
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "served_policy", raising=False)
    path = tmp_path / "served_policy.py"
    path.write_text(POLICY)
    return path


def serve(*words, **environment):
    command = [sys.executable, "-c", "from chunkenv.cli import main; main()", "serve", *map(str, words), "--port", "0"]
    environment = os.environ | {"COLUMNS": "100", "TERM": "dumb"} | environment
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    return process, process.stdout.readline()


@pytest.mark.parametrize(
    ("name", "number", "code"), [("", signal.SIGINT, 130), (":other", signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_policy_of_a_file_is_served_until_it_is_interrupted(file, name, number, code):
    process, line = serve(f"{file}{name}")
    with process:
        uri = re.fullmatch(r"Pump is served at (ws://127.0.0.1:\d+) in the dialect openpi. Ctrl-C ends it.\n", line)[1]
        with RemotePolicy(uri) as policy:
            assert policy.infer(np.array([0.0, 0.0, 0.5]), REQUEST).tolist() == [[0.5]] * 8
            started = time.monotonic()
            process.send_signal(number)
            output, errors = process.communicate(timeout=20)
    assert time.monotonic() - started < 5
    assert (process.returncode, output, errors) == (code, "Interrupted: 1 message answered.\n", "")


def test_a_key_comes_from_the_environment(file):
    process, line = serve(file, "--api-key-env", "THE_KEY", "--dialect", "roboarena", THE_KEY="secret")
    with process:
        uri = re.search(r"ws://127.0.0.1:\d+", line)[0]
        assert "in the dialect roboarena" in line
        with pytest.raises(PolicyFault, match="HTTP status 401"):
            RemotePolicy(uri).connect()
        with RemotePolicy(uri, api_key="secret", dialect="roboarena") as policy:
            assert policy.infer(np.array([0.0, 0.0, 0.5]), REQUEST).shape == (8, 1)
        process.kill()


def test_a_server_for_everybody_says_so(file):
    process, line = serve(file, "--host", "0.0.0.0")
    with process:
        assert line == "Everybody who reaches 0.0.0.0 may use it; --api-key-env asks for a key.\n"
        process.kill()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["none.py"], "'none.py:make_policy' is not FILE.py:NAME"),
        (["{file}:missing"], "served_policy.py has no function 'missing'"),
        (["{file}:broken"], "policy=5 has no method infer"),
        (["{file}", "--dialect", "openpie"], "did you mean 'openpi'?"),
        (["{file}", "--port", "99999"], "port=99999 is too large"),
        (["{file}", "--port", "many"], "'many' is not a whole"),
        (["{file}", "--host", "203.0.113.7"], "cannot be listened at"),
        (["{file}", "--api-key-env", "NO_SUCH_KEY"], "the environment variable 'NO_SUCH_KEY' holds no key"),
    ],
)
def test_mistakes_are_one_sentence(file, words, says):
    result = invoke("serve", *(word.format(file=file) for word in words))
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("module", ["websockets", "msgpack"])
def test_a_missing_extra_is_one_sentence(file, without, module):
    result = run("serve", file, PYTHONPATH=without(module))
    assert result.returncode == 2
    assert result.stderr == f'error: {module} is not installed: run `pip install "chunkenv[remote]"`.\n'
