import typer

from chunkenv.bench.studies.methods import METHODS
from chunkenv.bench.studies.training_commands import TRAINED_BY
from chunkenv.cli.train import app


def test_every_weight_of_a_method_has_a_command():
    kinds = {kind for way in METHODS.values() for kind in (way.weights, *way.also)}
    assert kinds <= set(TRAINED_BY)


def test_the_commands_have_these_options():
    known = typer.main.get_command(app).commands
    for command in TRAINED_BY.values():
        _, _, name, *words = command.split()
        options = {option for parameter in known[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, command
