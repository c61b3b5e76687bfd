import typer

from chunkenv.cli.data import app
from chunkenv.cli.data.dataset_options import DATASETS
from chunkenv.data.dataset_files import DataError
from tests.cli.data.calling import invoke


def test_a_folder_without_a_dataset_is_one_sentence(tmp_path):
    for command in ("info", "check"):
        assert isinstance(invoke(command, tmp_path).exception, DataError)


def test_it_is_a_command_of_its_own():
    assert isinstance(app, typer.Typer)
    assert DATASETS.as_posix() == "results/data"
