"""The planner's settings: data that refuses what cannot be meant."""

import pytest

from chunkenv.agents.planner_settings import DEFAULT, SETTINGS, PlannerSettings, settings_for
from chunkenv.errors import ArgumentError
from chunkenv.kinetix import LEVELS


def test_every_level_has_settings_of_its_own_and_no_other_name_does():
    assert set(SETTINGS) == set(LEVELS)


def test_a_level_without_settings_gets_the_default():
    assert settings_for("a_level_of_tomorrow") is DEFAULT
    assert settings_for("trampoline") is SETTINGS["trampoline"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("samples", 5, "samples=5 is too small; give an int of at least 6"),
        ("samples", 2.5, "samples=2.5 is not a whole number"),
        ("rounds", 0, "rounds=0 is too small"),
        ("rounds", True, "rounds=True is not a whole number"),
        ("horizon", -1, "horizon=-1 is too small"),
        ("horizon", "48", "horizon='48' is not a whole number"),
        ("holds", (), "holds=() is not a tuple of ticks"),
        ("holds", 4, "holds=4 is not a tuple of ticks"),
        ("holds", (4, 0), "each of holds=0 is too small"),
        ("finalists", 0, "finalists=0 is too small"),
        ("noise_draws", 0, "noise_draws=0 is too small"),
        ("aim", "aproach", "did you mean 'approach'"),
        ("aim", None, "aim=None is unknown"),
        ("spread", -0.1, "spread=-0.1 is not a finite number of at least 0"),
        ("spread", float("nan"), "spread=nan is not a finite number"),
        ("action_noise", float("inf"), "action_noise=inf is not a finite number"),
        ("action_noise", "0.1", "action_noise='0.1' is not a finite number"),
    ],
)
def test_bad_settings_are_refused_in_one_sentence(field, value, words):
    with pytest.raises(ArgumentError) as caught:
        PlannerSettings(**{field: value})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
