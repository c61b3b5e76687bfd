import pickle
import re

import pytest

from chunkenv.bench.run.block_player import play_block
from chunkenv.bench.run.block_queue import StudyError
from chunkenv.bench.run.runner import run_study
from chunkenv.bench.store.fingerprint import study_code
from chunkenv.bench.store.study_store import Store
from chunkenv.bench.studies import methods
from chunkenv.bench.studies.own_methods import own_methods, try_methods
from chunkenv.bench.studies.rtc_study import rtc_study
from chunkenv.errors import ArgumentError
from tests.strategies.policies import Prefixed

pytestmark = pytest.mark.usefixtures("clean_imports")

FILE = """
import numpy as np
from chunkenv.strategies import Naive

class TheSame(Naive):
    weights = "prefix"

class OnlyOne:
    def __init__(self, policy):
        self.policy = policy

    def infer(self, observation, request):
        return self.policy.infer(observation, request)

class Still:
    def __init__(self, given):
        self.given = given

    def infer_batch(self, observations, request):
        assert observations.shape[1] % 7 == 0
        return np.zeros((len(request.tick), 8, 6), np.float32)

def make_still(level):
    assert level == "cartpole_thrust"
    return Still(level)

class Breaks(Still):
    def infer_batch(self, observations, request):
        return 1 / 0

class Wrong(Still):
    def infer_batch(self, observations, request):
        return np.zeros((len(request.tick), 8, 5), np.float32)

class Silent:
    def __init__(self, policy):
        pass

NUMBER = 7
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with my_methods.py; the package's policies are small ones."""
    kinds = []

    def flow_policy(task, kind, policies="smooth"):
        kinds.append(kind)
        return Prefixed(action_size=6)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(methods, "flow_policy", flow_policy)
    (tmp_path / "my_methods.py").write_text(FILE)
    return kinds


def study_of(own, methods=("naive",), **settings):
    return rtc_study(["cartpole_thrust"], methods, [(2, 3)], **{"episodes": 2, "own": own} | settings)


def play(study):
    return {block.cell.method: play_block(study, block) for block in study.blocks}


def test_own_methods_are_played_on_the_same_episodes_as_the_packages(here):
    strategies = ["my_methods.py:TheSame", "single=my_methods.py:OnlyOne"]
    own = own_methods(strategies, ["my_methods.py:make_still"])
    assert list(own) == ["the-same", "single", "make-still"]
    rows = play(pickle.loads(pickle.dumps(study_of(own))))
    assert list(rows) == ["naive", *own]
    assert rows["the-same"] == rows["naive"]
    assert [row["jerk"] for row in rows["single"]] == pytest.approx([row["jerk"] for row in rows["naive"]], rel=1e-4)
    assert rows["make-still"] != rows["naive"]
    assert [row["seed"] for row in rows["make-still"]] == [row["seed"] for row in rows["naive"]]
    assert sorted(here) == ["plain", "plain", "prefix"]  # a policy of one's own loads no weights


def test_workers_play_them_and_an_edited_file_does_not_find_its_rows(here, tmp_path):
    own = own_methods([], ["my_methods.py:make_still"])
    study = study_of(own, methods=())
    with Store(tmp_path / "episodes.sqlite") as store:
        assert len(list(run_study(study, store, 1))) == 2
        assert list(run_study(study, store, 1)) == []
        (tmp_path / "my_methods.py").write_text(FILE.replace("zeros", "ones"))
        with pytest.raises(ArgumentError, match="a study's file of fingerprint"):
            run_study(study, store, 1)


def test_the_fingerprint_is_that_of_the_files(here, tmp_path):
    assert study_code(study_of({})) == {}
    still, breaks = (study_of(own_methods([f"my_methods.py:{name}"])) for name in ("Still", "Breaks"))
    assert study_code(still) == study_code(breaks)
    (tmp_path / "near.py").write_text("ONE = 1\n")
    (tmp_path / "my_methods.py").write_text("import near\n" + FILE)
    before = study_code(still)
    (tmp_path / "near.py").write_text("ONE = 2\n")
    assert study_code(still)["study"] != before["study"]


BAD = {
    "rtc=my_methods.py:Still": "there is a method 'rtc' already; give yours another name",
    "my_methods.py": "'my_methods.py' is not FILE.py:NAME",
    "other.py:Still": "'other.py:Still' is not FILE.py:NAME",
    "my_methods.py:Stil": "my_methods.py has no function 'Stil'",
    "my_methods.py:NUMBER": "my_methods.py has no function 'NUMBER'",
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_method(here, text):
    with pytest.raises(ArgumentError, match=re.escape(BAD[text])):
        own_methods([text])


def test_two_of_one_name(here):
    with pytest.raises(ArgumentError, match="there is a method 'still' already"):
        own_methods(["my_methods.py:Still"], ["still=my_methods.py:make_still"])


def test_a_file_that_cannot_be_imported(here, tmp_path):
    (tmp_path / "my_methods.py").write_text("import nothing_of_the_kind\n")
    with pytest.raises(StudyError, match=r"my_methods.py failed: ModuleNotFoundError") as caught:
        own_methods(["my_methods.py:Still"])
    assert "import nothing_of_the_kind" in caught.value.traceback


def test_mistakes_are_found_by_an_episode_before_the_study(here):
    try_methods(own_methods(["my_methods.py:Still"]), "cartpole_thrust", "smooth")
    with pytest.raises(StudyError, match=r"my_methods.py failed: ZeroDivisionError") as caught:
        try_methods(own_methods(["my_methods.py:Breaks"]), "cartpole_thrust", "smooth")
    assert "return 1 / 0" in caught.value.traceback
    for name, sentence in {"Wrong": "Wrong.infer_batch returned chunks", "Silent": "has no method infer"}.items():
        with pytest.raises(ArgumentError, match=rf"my_methods.py, the method '{name.lower()}': .*{sentence}"):
            try_methods(own_methods([f"my_methods.py:{name}"]), "cartpole_thrust", "smooth")
