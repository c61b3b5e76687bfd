import numpy as np
import pytest

from chunkenv.agents.pretrained import KINDS, manifest
from chunkenv.agents.pretrained.heads import add_head, load_head
from chunkenv.errors import ArgumentError
from tests.agents.correction_heads import random_head


@pytest.fixture
def folder(tmp_path):
    for label in ("expert", "policy"):
        add_head(random_head(label=label), {"solve_rate": 0.5}, tmp_path)
    return tmp_path


@pytest.mark.parametrize("label", ["expert", "policy"])
def test_what_was_added_is_loaded(folder, label):
    head, original = load_head("catapult", label, folder), random_head(label=label)
    assert (head.level, head.label) == ("catapult", label)
    assert manifest(folder)[f"catapult-a2c2-{label}"]["solve_rate"] == 0.5
    np.testing.assert_allclose(head.layers[0]["kernel"], original.layers[0]["kernel"], atol=0.01)


def test_a_head_is_no_kind_of_flow_policy():
    assert not [kind for kind in KINDS if kind.startswith("a2c2")]


@pytest.mark.parametrize(
    ("level", "label", "sentence"),
    [
        (
            "catcher_v3",
            "expert",
            r"no weights catcher_v3-a2c2-expert .* chunkenv train a2c2 catcher_v3 .*--expert PATH",
        ),
        ("catcher_v3", "policy", r"no weights catcher_v3-a2c2-policy in .* train them: .*--label policy"),
        ("catapult", "exprt", "'expert'"),
        ("catapullt", "expert", "did you mean 'catapult'"),
    ],
)
def test_what_is_not_there_is_named(folder, level, label, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        load_head(level, label, folder)
