import json

import pytest

from chunkenv.bench.studies.methods import METHODS
from chunkenv.cli.bench.study_options import methods_of
from chunkenv.errors import ArgumentError


@pytest.fixture
def family(tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"catapult-plain": {}}))
    return str(tmp_path)


def test_the_methods_that_were_named_or_else_the_usual_ones(family):
    assert methods_of(None, family, ["catapult"], ("rtc", "naive")) == ("rtc", "naive")
    assert methods_of("bid, rtc", family, ["catapult"], ("naive",)) == ("bid", "rtc")
    assert methods_of("", family, ["catapult"], ("naive",)) == ()


def test_all_are_those_with_weights_and_the_others_are_named(family, capsys):
    there = methods_of("all", family, ["catapult"], ())
    assert {"naive", "rtc", "bid"} <= set(there) < set(METHODS)
    said = capsys.readouterr().out
    assert said.startswith(f"Left out, because policies={family!r} lacks their weights: ")
    assert "training-time-rtc" in said
    assert "; remac (chunkenv train remac);" in said
    assert not [method for method in there if f" {method} (" in said]


def test_a_method_that_was_named_and_lacks_its_weights_is_an_error(family):
    sentence = r"'training-time-rtc' needs the weights catapult-prefix, .* train flow --prefix-conditioned --intended"
    with pytest.raises(ArgumentError, match=sentence):
        methods_of("naive,training-time-rtc", family, ["catapult"], ())
