import json
import subprocess
import sys

import pytest

from chunkenv.bench.studies import methods
from chunkenv.errors import ArgumentError


@pytest.fixture
def family(tmp_path):
    """Plain policies of two levels, and a head of one: only the names matter here."""
    names = ("catapult-plain", "trampoline-plain", "catapult-head")
    (tmp_path / "manifest.json").write_text(json.dumps({name: {} for name in names}))
    return str(tmp_path)


def test_a_method_is_there_if_the_family_has_all_its_weights(family, monkeypatch):
    ways = {
        "naive": methods.METHODS["naive"],
        "continued": methods.METHODS["training-time-rtc"],
        "corrected": methods.METHODS["naive"]._replace(also=("head",)),
        "own": methods.METHODS["naive"]._replace(weights=""),
    }
    monkeypatch.setattr(methods, "METHODS", ways)
    assert methods.available_methods(family, ["catapult"]) == ("naive", "corrected", "own")
    assert methods.available_methods(family, ["catapult", "trampoline"]) == ("naive", "own")
    assert methods.available_methods(family) == ("own",)
    assert methods.missing_weights("corrected", family, ["catapult", "trampoline"]) == ["trampoline-head"]


def test_a_correction_costs_its_time_in_every_tick():
    way = methods.METHODS["naive"]._replace(cost=4.0, correction=2.0)
    assert methods.tick_cost(way, 4) == pytest.approx(1 + 2 + methods.TICK)
    assert methods.tick_cost(way, 1) == pytest.approx(4 + 2 + methods.TICK)


def test_every_method_of_the_papers_study_has_its_weights_in_the_package():
    assert set(methods.available_methods()) >= {"naive", "bid", "rtc", "training-time-rtc"}


def test_what_is_no_family_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="nor a folder with a manifest"):
        methods.available_methods(str(tmp_path))


def test_what_a_family_has_is_known_without_jax():
    """Jax may swallow the Ctrl-C of the process that only hands out work."""
    script = "import sys; from chunkenv.cli.bench.study_options import methods_of; "
    script += "methods_of(None, 'smooth', ['catapult'], ['naive']); assert 'jax' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
