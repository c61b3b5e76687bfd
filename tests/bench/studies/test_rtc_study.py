import pytest

from chunkenv.bench.run.block_player import play_block
from chunkenv.bench.studies import methods, modelled_methods
from chunkenv.bench.studies import rtc_study as rtc
from chunkenv.bench.study import Cell
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import episode_seed
from tests.agents.correction_heads import random_head
from tests.agents.policies.test_learned_model import random_model
from tests.strategies.policies import Soft

BASIC = {"seed", "ticks", "return", "success", "underruns", "decisions"}


def test_the_papers_24_pairs_and_the_two_sweeps():
    assert len(rtc.ALL) == 24
    assert set(rtc.SWEEPS) == {(0, 1), (1, 1), (2, 2), (3, 3), (4, 4)} | {(1, s) for s in range(1, 8)}
    assert set(rtc.SWEEPS) <= set(rtc.ALL)
    study = rtc.rtc_study()
    assert len(study.cells) == 12 * 7 * 11
    assert {cell.prediction_horizon for cell in study.cells} == {8}
    assert set(rtc.BY_DELAY) < set(rtc.QUICK) < set(rtc.SWEEPS)
    assert {horizon for delay, horizon in rtc.QUICK if delay == 1} == {1, 7}
    assert set(rtc.FULL_METHODS) < set(rtc.PAPERS_METHODS) <= set(methods.METHODS)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(tasks=["catapul"]), "catapult"),
        (dict(methods=["rct"]), "rtc"),
        (dict(schedules=[(3, 6)]), "leaves ticks without a row"),
        (dict(schedules=[(3, 2)]), "leaves ticks without a row"),
        (dict(episodes=0), "episodes=0"),
    ],
)
def test_settings_that_cannot_be_meant(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        rtc.rtc_study(**arguments)


def test_slow_methods_and_frequent_inference_cost_more():
    cost = rtc.rtc_study(own={"slower": methods.METHODS["bid"]._replace(cost=13.0)}).cost
    slower, bid, often, seldom = (
        cost(Cell("catapult", *setting, 8))
        for setting in (("slower", 0, 1), ("bid", 0, 1), ("rtc", 0, 1), ("rtc", 0, 8))
    )
    assert slower > bid > often > seldom


def test_rows_of_another_family_are_of_another_study(tmp_path, monkeypatch):
    def settings(policies):
        return rtc.rtc_study(["catapult"], policies=policies).settings

    here, there = tmp_path / "here", tmp_path / "there"
    for folder, text in ((here, "{}"), (there, "{}")):
        folder.mkdir()
        (folder / "manifest.json").write_text(text)
    assert settings("smooth")["policies"] == "smooth"
    assert settings("smooth") != settings("published")
    assert settings(str(here)) == settings(str(there)) != settings("smooth")
    (there / "manifest.json").write_text('{"catapult-plain": {}}')
    assert settings(str(here)) != settings(str(there))
    monkeypatch.chdir(tmp_path)
    assert rtc.rtc_study(["catapult"], policies="here").play.args[0] == str(here)
    with pytest.raises(ArgumentError, match="nor a folder with a manifest"):
        settings("nowhere")


class Small(Soft):
    """A policy of a level."""

    def __init__(self, level):
        super().__init__(action_size=6)
        self.level, self.family = level, "smooth"


@pytest.mark.parametrize("method", list(methods.METHODS))
def test_a_block_is_played_and_paired(method, monkeypatch):
    """With a small policy in place of the package's: rows of a short block are those of a longer one."""
    monkeypatch.setattr(methods, "flow_policy", lambda task, kind, policies="smooth": Small(task))
    monkeypatch.setattr(methods, "correction_head", lambda task, label, policies="smooth": random_head(task, label))
    monkeypatch.setattr(modelled_methods, "learned_model", lambda level, policies: random_model(level, 14, 6))
    study = rtc.rtc_study(["cartpole_thrust"], [method], [(2, 3)], episodes=3)
    (block,) = study.blocks
    rows = play_block(study, block)
    assert [row["seed"] for row in rows] == [episode_seed(0, number) for number in range(3)]
    assert rows[0].keys() > BASIC | {"mean_staleness", "boundary_jump", "chunk_change", "jerk", "denoiser_evaluations"}
    assert study.play(block.cell, (1,), 0) == [rows[1]]
    assert (rows[0]["underruns"] > 0) == (method == "synchronous")
    free = rows[0]["decisions"] - 1  # the first chunk costs nothing
    assert rows[0]["charged_latency"] == pytest.approx(2 / 30 * free / rows[0]["decisions"])
