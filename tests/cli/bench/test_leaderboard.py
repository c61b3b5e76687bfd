import pytest
from typer.testing import CliRunner

from chunkenv.cli.bench import app
from tests.bench.analysis.test_standings import played, standing_study


def test_a_leaderboard_is_written_beside_the_rows_or_elsewhere(tmp_path):
    played(tmp_path, standing_study()).close()
    result = CliRunner().invoke(app, ["leaderboard", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert result.output.split() == [str(tmp_path / f"leaderboard.{kind}") for kind in ("html", "md")]
    assert CliRunner().invoke(app, ["leaderboard", str(tmp_path), "--out", str(tmp_path / "there")]).exit_code == 0
    assert (tmp_path / "there" / "leaderboard.md").read_text() == (tmp_path / "leaderboard.md").read_text()


@pytest.mark.parametrize("suffix", [".md", ".html"])
def test_one_page_has_the_name_that_was_given(tmp_path, suffix):
    played(tmp_path, standing_study()).close()
    page = tmp_path / "docs" / f"methods{suffix}"
    result = CliRunner().invoke(app, ["leaderboard", str(tmp_path), "--out", str(page)])
    assert result.exit_code == 0, result.output
    assert [file.name for file in page.parent.iterdir()] == [page.name]
    CliRunner().invoke(app, ["leaderboard", str(tmp_path)])
    assert page.read_text() == (tmp_path / f"leaderboard{suffix}").read_text()


def test_a_folder_without_rows_is_refused(tmp_path):
    result = CliRunner().invoke(app, ["leaderboard", str(tmp_path)])
    assert result.exit_code != 0
    assert "give the folder that a study wrote" in str(result.exception)
