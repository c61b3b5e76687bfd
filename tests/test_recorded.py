"""What the code of the day makes is what was recorded: tests/fixtures/record_results.py.

To the bit on a machine like the one that recorded, with the same versions of the libraries that count. Elsewhere the
last bits differ: numbers may differ a little, and what amplifies such differences (a training, a long episode) is not
compared.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.fixtures.record_results import FOLDER, KINDS, run
from tests.fixtures.recording import trees

EXACT = trees.machine() == trees.read(FOLDER / "machine.json")
amplifies_last_bits = pytest.mark.skipif(not EXACT, reason="recorded on another kind of machine, or other libraries")

pytestmark = pytest.mark.no_cover
CHAOTIC = {"studies", "kinetix_data", "manipulation_data", "agents"}
"""Kinds that amplify last bits when they are made anew."""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """By kind: the recorded results, those of the recorded files today, and those of files made today if comparable."""
    known = {}

    def of(kind):
        for module in KINDS[kind]:
            pytest.importorskip(module)
        if kind not in known:
            known[kind] = (trees.read(FOLDER / f"{kind}.json"), *replayed(kind, tmp_path_factory.mktemp(kind)))
        return known[kind]

    return of


def replayed(kind, out):
    which = ["old", "new"] if EXACT or kind not in CHAOTIC else ["old"]
    run(kind, str(out), *which)
    return [trees.read(out / f"{each}.json") if each in which else None for each in ("old", "new")]


def expect_same(recorded, found, place="") -> None:
    """Equal, and of the same types; floats may differ a little on another machine."""
    assert type(recorded) is type(found), place
    if isinstance(recorded, dict):
        assert list(recorded) == list(found), place
        for key in recorded:
            expect_same(recorded[key], found[key], f"{place}/{key}")
    elif isinstance(recorded, list):
        assert len(recorded) == len(found), place
        for index, (one, other) in enumerate(zip(recorded, found, strict=True)):
            expect_same(one, other, f"{place}/{index}")
    elif isinstance(recorded, float) and not EXACT:
        np.testing.assert_allclose(found, recorded, rtol=1e-3, atol=1e-4, err_msg=place)
    elif isinstance(recorded, float):
        np.testing.assert_equal(found, recorded, err_msg=place)
    else:
        assert recorded == found, place


@pytest.mark.parametrize("kind", ["classic", "kinetix_envs", "pictures", "vectors"])
def test_recorded_specs_and_pickles_of_environments_go_on_as_they_did(kind, results):
    recorded, old, _ = results(kind)
    expect_same(recorded, old, kind)


@pytest.mark.parametrize("kind", ["classic", "kinetix_envs", "pictures", "vectors"])
def test_environments_made_anew_do_what_they_did(kind, results):
    recorded, _, new = results(kind)
    expect_same(recorded, new, kind)


@amplifies_last_bits
def test_studies_have_the_same_rows(results):
    recorded, _, new = results("studies")
    for study in recorded:
        before, after = (sorted(rows[study], key=_cell_of) for rows in (recorded, new))
        expect_same(before, [_columns_of(*rows) for rows in zip(before, after, strict=True)], study)


def _cell_of(row):
    """What tells a row from others; in which order cells are played has changed since the recording."""
    names = ("task", "method", "delay", "slowdown", "execution_horizon", "episode")
    return [row.get(name, 0) for name in names]


def _columns_of(recorded, found):
    """A row without the columns that came after the recording; evaluations, a float in rows now, were counted."""
    row = {name: found[name] for name in recorded}
    if "denoiser_evaluations" in row:
        assert float(row["denoiser_evaluations"]).is_integer()
        row["denoiser_evaluations"] = int(row["denoiser_evaluations"])
    return row


@pytest.mark.parametrize("kind", ["kinetix_data", "manipulation_data"])
def test_recorded_datasets_are_read_as_they_were(kind, results):
    recorded, old, _ = results(kind)
    expect_same(recorded, old, kind)


@amplifies_last_bits
@pytest.mark.parametrize("kind", ["kinetix_data", "manipulation_data"])
def test_data_collected_anew_are_the_same(kind, results):
    recorded, _, new = results(kind)
    expect_same(recorded, new, kind)


def test_recorded_checkpoints_act_as_they_did(results):
    recorded, old, _ = results("agents")
    expect_same(recorded, old, "agents")


@amplifies_last_bits
def test_agents_trained_anew_have_the_same_parameters(results):
    recorded, _, new = results("agents")
    assert new["expert"]["parameters"].pop("std")  # experts keep it since the recording
    expect_same(recorded, new, "agents")


def test_the_weights_of_the_package_give_the_same_chunks(results):
    recorded, _, new = results("shipped_weights")
    expect_same(recorded, new, "shipped_weights")
