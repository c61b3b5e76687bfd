"""Assignment 5: the reference has all points, the template none, and each typical mistake loses what its tests take."""

import runpy
from math import sqrt

import pytest

from chunkenv.course import PUBLIC_MODELS, count_solved, find_assignment
from tests.course.in_process import Answerer, lost_points, reference, score, template, with_mistake

REFERENCE = reference("5")
PLAYED = ("5.3", "5.4", "5.5", "5.6", "5.7")
INFER = "    def infer(self, observation: np.ndarray, request):\n"
METHOD = REFERENCE[REFERENCE.index(INFER) : REFERENCE.index("\n\nif __name__")]
ROLL = """        state, chunk = tuple(observation.tolist()), []
        for row in range(ROWS):
            push = float(prefix[row][0]) if row < len(prefix) else choose_push(state)
            chunk.append([push])
            state = next_state(state, push)
"""


def with_infer(body: str) -> str:
    """The reference with another method."""
    return REFERENCE.replace(METHOD, INFER + body)


def mistake(right: str, wrong: str) -> str:
    return with_mistake("5", right, wrong)


def planned(prefix: str, returned: str = "chunk") -> str:
    """A policy that plays certain rows in its head, and chooses those after them."""
    return with_infer(f"        prefix = {prefix}\n{ROLL}        return {returned}\n")


STATE = "x, speed, angle, turning = state\n    wanted"
CHEAP = {
    "NaN": (with_infer("        return [[float('nan')]] * ROWS\n"), 0),
    "a row in place of a column": (with_infer("        return [0.0] * ROWS\n"), 0),
    "half a chunk": (mistake("        return chunk\n", "        return chunk[:8]\n"), 0),
    "a chunk in a list": (mistake("        return chunk\n", "        return [chunk]\n"), 0),
    "texts": (mistake("chunk.append([new])", "chunk.append([str(new)])"), 0),
    "another name": (mistake("class OpenPolicy", "class Policy"), 0),
    "an argument too few": (mistake("observation: np.ndarray, request", "request"), 0),
    "no push": (with_infer("        return [[0.0]] * ROWS\n"), 15),
    "pushed to the wrong side": (mistake("min(max(wanted,", "min(max(-wanted,"), 15),
}
"""Source and score."""
DEAR = {
    "held": (with_infer("        return [[choose_push(tuple(observation.tolist()))]] * ROWS\n"), 15),
    "the prefix ignored": (planned("[]"), 15),
    "all that is left is kept": (planned("request.left_over"), 15),
    "angles in degrees": (mistake(STATE, STATE.replace("wanted", "angle *= 57.3\n    wanted")), 15),
    "no speed of the angle": (mistake(" + 10 * turning", ""), 15),
    "ticks of 50 ms": (REFERENCE.replace("0.02 *", "0.05 *"), 15),
    "pushes that are too strong": (mistake("min(max(wanted, -STRONGEST), STRONGEST)", "wanted"), 95),
    "delays of all episodes": (mistake("self.delays.clear()", "pass"), 90),
    "global randomness": (mistake("chunk.append([new])", "chunk.append([new * (1 - 1e-3 * np.random.rand())])"), 90),
}
"""The same for those that are played for long."""


def test_the_template_has_no_points():
    assert score("5", template("5")) == 0


def test_the_chunks_of_the_reference_can_be_played_and_are_the_same_again():
    assert lost_points("5", REFERENCE, without=PLAYED) == {}


@pytest.mark.parametrize("name", CHEAP)
def test_a_typical_mistake_has_its_score(name):
    source, points = CHEAP[name]
    assert score("5", source) == points


@pytest.mark.slow
@pytest.mark.parametrize("name", DEAR)
def test_a_mistake_that_is_played_has_its_score(name):
    source, points = DEAR[name]
    assert score("5", source) == points


@pytest.fixture(scope="module")
def tests_module():
    return runpy.run_path(str(find_assignment("5").folder / "tests.py"))


def test_hidden_latency_models_are_of_other_kinds(tests_module):
    kinds = [type(model) for model in (*PUBLIC_MODELS.values(), *tests_module["HIDDEN_MODELS"].values())]
    assert len(set(kinds)) == 5


@pytest.mark.slow
def test_full_points_begin_three_standard_errors_below_the_reference(tests_module):
    models, episodes = {**PUBLIC_MODELS, **tests_module["HIDDEN_MODELS"]}, tests_module["EPISODES"]
    counts = count_solved(Answerer(REFERENCE).policy("OpenPolicy"), models, episodes, tests_module["SEED"])
    for name, (solved, of) in counts.items():
        rate = solved / of
        assert rate - 3 * sqrt(rate * (1 - rate) / of) >= tests_module["HALF_AND_FULL"][name][1], name


def test_both_end_in_the_same_measurements():
    last = [text.partition('if __name__ == "__main__":')[2] for text in (REFERENCE, template("5"))]
    assert last[0] == last[1] != ""
