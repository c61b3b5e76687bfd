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


def test_a_folder_without_rows_is_refused(tmp_path):
    result = CliRunner().invoke(app, ["leaderboard", str(tmp_path)])
    assert result.exit_code != 0
    assert "give the folder that a study wrote" in str(result.exception)
