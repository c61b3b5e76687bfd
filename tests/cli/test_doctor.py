from tests.cli.calling import invoke, run


def test_the_doctor_finds_everything_here():
    result = invoke("doctor")
    assert result.exit_code == 0
    for name in ("gymnasium", "numba", "typer", "matplotlib", "pyarrow", "pygame", "stable-baselines3"):
        assert name in result.output
    missing = [line for line in result.output.splitlines() if "missing" in line][1:]  # the first is the heading
    assert all("kinetix-env" in line for line in missing)  # which the extra "all" leaves out


def test_the_doctor_says_what_is_missing(without):
    result = run("doctor", PYTHONPATH=without("numba"), COLUMNS="120")
    assert result.returncode == 0
    assert "numba missing" in result.stdout
    assert 'pip install "chunkenv[kinetix]"' in result.stdout
