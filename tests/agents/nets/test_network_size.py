import pytest

pytest.importorskip("jax")

from chunkenv.agents.nets.mixer import Architecture, ChunkSizes, initial_weights
from chunkenv.agents.nets.network_size import architecture_of_size, count_parameters
from chunkenv.errors import ArgumentError

SIZES = ChunkSizes(observation=49, horizon=8, action=6)


@pytest.mark.parametrize("kind", ["mlp", "mixer"])
def test_parameters_are_the_numbers_in_the_weights(kind):
    architecture = Architecture(kind=kind, width=16, hidden=24, blocks=2)
    weights = initial_weights(architecture, SIZES, seed=0)
    assert count_parameters(architecture, SIZES) == sum(each.size for each in weights.values())


@pytest.mark.no_cover
@pytest.mark.parametrize("parameters", [100_000, 1_000_000, pytest.param(30_000_000, marks=pytest.mark.slow)])
def test_a_network_has_nearly_so_many_parameters_and_grows_both_ways(parameters):
    found = architecture_of_size(Architecture(), SIZES, parameters)
    assert count_parameters(found, SIZES) == pytest.approx(parameters, rel=0.2)
    assert found.hidden == 2 * found.width
    if parameters > 500_000:
        assert found.width > 192
        assert found.blocks > 2


def test_the_packages_own_size_is_its_own_architecture():
    assert architecture_of_size(Architecture(), SIZES, count_parameters(Architecture(), SIZES)) == Architecture()


def test_no_parameters_are_refused():
    with pytest.raises(ArgumentError, match="parameters=0 is too small"):
        architecture_of_size(Architecture(), SIZES, 0)
