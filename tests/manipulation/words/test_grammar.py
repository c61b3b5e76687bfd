import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.errors import ArgumentError
from chunkenv.manipulation.families import FAMILY
from chunkenv.manipulation.words.grammar import MOST_LETTERS, WORDINGS, parse_instruction, say_goal
from chunkenv.manipulation.words.word_goals import IN_DRAWER, LYING, PLACES, SLIDES, Wanted, is_held_out
from chunkenv.manipulation.words.worded_scenes import draw_worded_scene
from chunkenv.registration import FAMILIES

SIX = sorted(number for split in WORDINGS.values() for number in split)


def all_wanted(family):
    kind = FAMILY[family]
    places = [(*place, LYING) for place in PLACES] + ([IN_DRAWER] if kind.slides else [])
    yield from (Wanted("cube", cube, place) for cube in range(kind.cubes) for place in places)
    yield from (Wanted("button", button, (state,)) for button in range(kind.buttons) for state in (0, 1))
    if kind.slides:
        yield from (Wanted(name, 0, (at,)) for name, opened in SLIDES.items() for at in (0, opened))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_single_goal_is_read_back_in_every_wording(family):
    said = set()
    for wanted in all_wanted(family):
        for wording in SIX:
            sentence = say_goal(family, (wanted,), wording)
            assert parse_instruction(family, sentence) == (wanted,)
            said.add(sentence)
    assert len(said) == 6 * len(list(all_wanted(family)))


millimetres = st.tuples(st.integers(0, 700), st.integers(-500, 500), st.integers(1, 250))


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.integers(0, 7), millimetres, min_size=1), st.sampled_from(SIX))
def test_goals_of_many_cubes_anywhere_are_read_back(places, wording):
    goal = tuple(Wanted("cube", cube, place) for cube, place in sorted(places.items()))
    sentence = say_goal("cube-octuple", goal, wording)
    assert parse_instruction("cube-octuple", sentence) == goal
    assert len(sentence) <= MOST_LETTERS


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 1), min_size=24, max_size=24), st.sampled_from(SIX))
def test_whole_boards_are_read_back(states, wording):
    goal = tuple(Wanted("button", button, (state,)) for button, state in enumerate(states))
    sentence = say_goal("puzzle-4x6", goal, wording)
    assert parse_instruction("puzzle-4x6", sentence) == goal
    assert len(sentence) <= MOST_LETTERS


def test_clauses_come_in_any_order_and_case():
    said = "PUT the red cube in the drawer, open the window and turn the button of the drawer on"
    assert [one.kind for one in parse_instruction("scene", said)] == ["cube", "button", "window"]
    assert parse_instruction("scene", "Open the window, and close the drawer.")[0] == Wanted("drawer", 0, (0,))


@pytest.mark.parametrize(
    ("family", "said", "sentence"),
    [
        (
            "cube-double",
            "Put the bleu cube near the robot to the left.",
            "did you mean 'Put the blue cube near",
        ),
        (
            "cube-single",
            "Put the blue cube near the robot to the left.",
            "did you mean 'Put the red cube near",
        ),
        ("scene", "Open the window and open the fridge.", "did you mean 'Open the window and open the drawer.'"),
        ("scene", "Open the drawer and close the drawer.", "wants two things of the drawer; say one of them"),
        ("cube-single", 3, "instruction=3 is no text; give a sentence, such as 'Put the red cube"),
        ("cube-single", "", "is outside the grammar of cube-single"),
        ("puzzle-3x3", "Turn the button in row 4 column 1 on.", "did you mean 'Turn the button in row"),
        ("cubes", "Open the window.", "family='cubes' is unknown"),
    ],
    ids=["spelling", "colour", "thing", "contradiction", "number", "empty", "row", "family"],
)
def test_what_is_no_instruction_is_answered_by_a_sentence(family, said, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        parse_instruction(family, said)


def test_words_of_the_held_out_wordings_are_new():
    def words(split):
        sentences = (say_goal("scene", (one,), wording) for one in all_wanted("scene") for wording in WORDINGS[split])
        return {" ".join(sentence.lower().split()[:2]) + sentence[-12:] for sentence in sentences}

    assert not words("train") & words("held-out")


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "cube-single"])
@pytest.mark.parametrize("split", ["train", "held-out"])
def test_drawn_goals_keep_to_their_split(family, split, monkeypatch):
    import chunkenv.manipulation.words.worded_scenes as worded_scenes

    goals = []
    monkeypatch.setattr(worded_scenes, "as_task", lambda _family, _start, goal: goals.append(goal))
    rng = np.random.default_rng(0)
    for _ in range(40):
        draw_worded_scene(FAMILY[family], split, rng)
    held_out = [any(is_held_out(FAMILY[family], one) for one in goal) for goal in goals]
    assert held_out == [split == "held-out"] * 40
    assert len({say_goal(family, goal) for goal in goals}) > 10


def test_every_colour_and_every_place_is_among_the_held_out_and_the_others():
    for held_out in (True, False):
        found = [one for one in all_wanted("cube-quadruple") if is_held_out(FAMILY["cube-quadruple"], one) is held_out]
        assert {one.number for one in found} == {0, 1, 2, 3}
        assert len({one.value for one in found}) >= 12
