import math

import numpy as np
import pytest
from fake_study import cells, fake_study

from chunkenv.bench.analysis.intervals import wilson
from chunkenv.bench.analysis.solve_rates import Setting, pooled_rates, rows_of, solve_difference, solve_rate
from chunkenv.bench.report.delay_tables import pooled_table, task_table


def made_up(solved, tasks=("left", "right"), delay=1):
    """Rows for {method: [[solved by task and episode]]}."""
    return [
        {"task": task, "method": method, "delay": delay, "execution_horizon": 2, "episode": episode, "success": success}
        for method, by_task in solved.items()
        for task, successes in zip(tasks, by_task, strict=True)
        for episode, success in enumerate(successes)
    ]


BOLD, SHY = Setting("bold", 1, 2), Setting("shy", 1, 2)
ROWS = made_up({"bold": [[True, True, False], [True, True, True]], "shy": [[False, True, False], [False, False, True]]})


def test_rates_pool_the_tasks():
    assert pooled_rates(ROWS) == {BOLD: wilson(5, 6), SHY: wilson(2, 6)}


def test_delays_and_horizons_are_told_apart():
    rows = ROWS + [row | {"execution_horizon": 3} for row in ROWS] + made_up({"bold": [[False], [False]]}, delay=0)
    assert len(pooled_rates(rows)) == 5
    assert pooled_rates(rows)["bold", 0, 2] == wilson(0, 2)


def test_the_difference_is_of_the_same_episodes():
    difference = solve_difference(ROWS, BOLD, SHY)
    assert difference.estimate == pytest.approx(0.5)
    assert difference.low <= 0.5 <= difference.high
    assert solve_difference(ROWS[::-1], BOLD, SHY) == difference


def test_pairing_narrows_the_interval():
    rng = np.random.default_rng(0)
    hard = rng.random((2, 50)) < 0.5
    same = made_up({"bold": hard.tolist(), "shy": hard.tolist()})
    assert solve_difference(same, BOLD, SHY) == pytest.approx((0, -0.037, 0.037), abs=1e-3)


def test_episodes_without_a_partner_do_not_count():
    rows = made_up({"bold": [[True, True], [True, True]], "shy": [[True], [True]]})
    assert solve_difference(rows, BOLD, SHY).estimate == 0


def test_what_is_not_known_does_not_count():
    """Case 4: True in 2 of 8 and None in 6."""
    rows = made_up({"bold": [[True, True, *[None] * 6]], "shy": [[True, False, True, *[None] * 5]]}, tasks=["left"])
    assert pooled_rates(rows) == {BOLD: wilson(2, 2), SHY: wilson(2, 3)}
    assert solve_difference(rows, BOLD, SHY).estimate == 0.5
    assert math.isnan(solve_difference(made_up({"bold": [[None]], "shy": [[True]]}, ["left"]), BOLD, SHY).estimate)
    assert math.isnan(solve_rate([None, None]).estimate)
    table = task_table(rows)
    assert list(table.columns[1].cells) == ["2 of 2 known / 2 of 3 known"]
    assert list(pooled_table([row | {"success": None} for row in rows]).columns[1].cells) == ["not known"]


def test_a_rate_weighs_the_tasks_as_differences_do():
    rows = made_up({"bold": [[True] * 6, [False] * 2], "shy": [[False] * 6, [False] * 2]})
    assert pooled_rates(rows)[BOLD].estimate == solve_difference(rows, BOLD, SHY).estimate == 0.5


def test_a_cell_has_wilsons_interval():
    assert solve_rate([row["success"] for row in ROWS[:3]]) == wilson(2, 3)


def test_only_rows_of_the_study_count_in_its_order():
    study = fake_study(episodes=2, cells=cells()[::-1])
    more = fake_study(episodes=3, cells=cells(delays=(0, 1, 2)))
    rows = [vars(unit.cell) | {"episode": unit.episode} for unit in more.units]
    found = rows_of(study, rows)
    assert len(found) == len(study.units)
    assert found[0]["task"] == cells()[-1].task
    assert [row["episode"] for row in found[:2]] == [0, 1]
