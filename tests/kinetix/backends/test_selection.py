"""Which engine plays a level: names, and what is said where one is missing."""

import subprocess
import sys

import gymnasium
import numpy as np
import pytest

import chunkenv  # noqa: F401 (registers the ids)
from chunkenv.errors import ArgumentError
from chunkenv.kinetix.backends.selection import open_simulator
from chunkenv.kinetix.engine.kernels import BAD_ACTION, OVER
from chunkenv.kinetix.engine.layout import STATE
from chunkenv.kinetix.engine.level_simulator import refuse_tick
from chunkenv.kinetix.engine.simulator import Simulator


def test_our_engine_is_the_default():
    assert type(open_simulator("catapult")) is Simulator
    env = gymnasium.make("chunkenv/kinetix-catapult-v0", backend="numba")
    assert type(env.unwrapped.simulator) is Simulator
    assert "backend" not in gymnasium.spec("chunkenv/kinetix-catapult-v0").kwargs


@pytest.mark.parametrize(
    ("backend", "says"), [("jx", "did you mean 'jax'?"), ("box2d", "choose one of"), (None, "None")]
)
def test_unknown_backends(backend, says):
    with pytest.raises(ArgumentError, match="backend=") as error:
        gymnasium.make("chunkenv/kinetix-catapult-v0", backend=backend)
    assert says in str(error.value)


@pytest.mark.parametrize("make", ["make(ID, backend='jax')", "make_vec(ID, 2, backend='jax')"])
def test_without_kinetix_env_the_error_says_what_to_install(make):
    code = "import sys; sys.modules['jax'] = None\nimport gymnasium, chunkenv\nID = 'chunkenv/kinetix-catapult-v0'\n"
    done = subprocess.run(
        [sys.executable, "-c", code + f"gymnasium.{make}"], capture_output=True, text=True, timeout=200
    )
    assert "MissingExtraError" in done.stderr
    assert 'pip install "chunkenv[kinetix-jax]"' in done.stderr


def test_the_package_imports_no_jax():
    code = "import sys, chunkenv, chunkenv.kinetix.env, chunkenv.kinetix.vector_env; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=200).returncode == 0


def test_what_is_refuse_tick():
    state = open_simulator("catapult").initial_state().view(STATE)
    state["ticks"] = 7
    action = np.zeros(6, np.float32)
    assert refuse_tick(state, action) is None
    assert refuse_tick(state, np.full(6, np.nan, np.float32))[::5] == (BAD_ACTION, False)
    state["ended"] = 1
    assert refuse_tick(state, action)[::5] == (OVER, True)
    assert refuse_tick(state, action).ticks == 7
