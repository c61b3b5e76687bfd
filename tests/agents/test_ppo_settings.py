import pytest

from chunkenv.agents.ppo_settings import DEFAULT, SETTINGS, Settings, settings_for
from chunkenv.errors import ArgumentError
from chunkenv.kinetix import LEVELS


def test_settings_belong_to_levels():
    assert set(SETTINGS) <= set(LEVELS)
    assert settings_for("somewhere else") == DEFAULT
    assert settings_for("cartpole_thrust") == SETTINGS["cartpole_thrust"]


def test_a_training_takes_no_more_steps_than_it_was_given():
    settings = Settings(steps=1000, envs=10, rollout=16, minibatches=4, evaluation_steps=400)
    assert (settings.batch, settings.updates, settings.evaluation_updates) == (160, 6, 2)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"envs": 0}, "envs=0 is too small"),
        ({"steps": 100}, "steps=100 are less than one rollout; give at least 16384"),
        ({"minibatches": 7}, "minibatches=7 do not divide the 16384 ticks of a rollout"),
        ({"discount": 1.5}, "discount=1.5 is not a finite number from 0 to 1"),
        ({"persistence": -0.1}, "persistence=-0.1 is not a finite number from 0 to 1"),
        ({"reward": "dense"}, "reward='dense' is unknown; choose one of 'sparse', 'distance', 'penalty'"),
        ({"hidden": (64, 0)}, "each of hidden=0 is too small"),
        ({"hidden": [64]}, r"hidden=\[64\] is not a tuple of sizes"),
        ({"entropy": float("nan")}, "entropy=nan is not a finite number"),
        ({"initial_std": 0}, "initial_std=0 is not a finite number"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(change, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        Settings(**change)
