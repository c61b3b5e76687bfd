"""Ctrl-C ends a loop at once, whatever the policy does, and leaves no process."""

import os
import signal
import subprocess
import sys
import time

import pytest

SCRIPT = """
import os, sys, time
import gymnasium as gym
from chunkenv.realtime import RealtimeExecution

class Policy:
    count = 0
    def infer(self, observation, request):
        self.count += 1
        if self.count == 3:
            print("asked", os.getpid(), flush=True)
            {act}
        return [0] * 8

if __name__ == "__main__":
    env = gym.make("CartPole-v1")
    RealtimeExecution(env, Policy(), 8, 4, control_dt=0.02, worker="{worker}", timeout=600).run(1000, 0)
"""
ACTS = {"hangs": "time.sleep(600)", "computes": "\n            while True: pass", "answers": "pass"}


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    "act", ["hangs", *(pytest.param(act, marks=pytest.mark.slow) for act in ("computes", "answers"))]
)
@pytest.mark.parametrize("worker", ["thread", "process"])
@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGINT, id="Ctrl-C"), pytest.param(signal.SIGKILL, id="killed", marks=pytest.mark.slow)],
)
def test_a_loop_ends_at_once(worker, act, number, tmp_path):
    script = tmp_path / "loop.py"
    script.write_text(SCRIPT.format(act=ACTS[act], worker=worker))
    loop = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        word, process = loop.stdout.readline().split()
        assert word == "asked"
        time.sleep(0.1)
        before = time.monotonic()
        if number == signal.SIGINT:
            os.killpg(loop.pid, number)  # as a terminal does
        else:
            loop.kill()
        _, error = loop.communicate(timeout=20)
        assert time.monotonic() - before < 5
    finally:
        loop.kill()
    assert loop.returncode == -number
    assert error.rstrip().endswith("KeyboardInterrupt") == (number == signal.SIGINT)
    deadline = time.monotonic() + 10
    while is_alive(int(process)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(int(process))
