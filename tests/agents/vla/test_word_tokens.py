import itertools

import numpy as np
import pytest

from chunkenv.agents.vla import WordTokens
from chunkenv.errors import ArgumentError
from chunkenv.manipulation.families import FAMILY
from chunkenv.manipulation.words import predicate_names, say_goal, vocabulary
from chunkenv.manipulation.words.word_goals import IN_DRAWER, Wanted
from chunkenv.manipulation.words.worded_scenes import draw_worded_scene

GRAMMAR = WordTokens(vocabulary(), length=120)


def worded(family, rng):
    """A goal that an episode of the family may have."""
    scene = draw_worded_scene(FAMILY[family], "train", rng)
    if "goal_button_states" in scene:
        pairs = zip(scene["init_button_states"], scene["goal_button_states"], strict=True)
        return tuple(Wanted("button", i, (int(after),)) for i, (before, after) in enumerate(pairs) if before != after)
    starts, goals = (
        scene[name] if name in scene else scene[name[:-5]]["block_xyzs"] for name in ("init_xyzs", "goal_xyzs")
    )
    places = [tuple(round(1000 * number) for number in place) for place in goals]
    moved = [place != tuple(round(1000 * n) for n in start) for place, start in zip(places, starts, strict=True)]
    goal = tuple(Wanted("cube", i, place) for i, place in enumerate(places) if moved[i])
    return goal or (Wanted("drawer", 0, (0,)), Wanted("window", 0, (200,)))


@pytest.mark.parametrize(("family", "wording"), [*itertools.product(FAMILY, range(6))])
def test_every_sentence_of_the_grammar_comes_back_to_the_letter(family, wording):
    rng = np.random.default_rng(wording)
    for _ in range(5):
        sentence = say_goal(family, worded(family, rng), wording)
        assert GRAMMAR.decode(GRAMMAR.encode(sentence)) == sentence


def test_places_without_a_name_and_captions_come_back():
    odd = [Wanted("cube", 0, (123, -45, 37)), Wanted("cube", 1, (100, 205, 60))]
    sentences = [say_goal("cube-double", tuple(odd)), say_goal("scene", (Wanted("cube", 0, IN_DRAWER),), 5)]
    sentences += [f"{name[:1].upper()}{name[1:]}?" for family in FAMILY for name in predicate_names(family)]
    for sentence in sentences:
        assert GRAMMAR.decode(GRAMMAR.encode(sentence)) == sentence


def test_capitals_do_not_count_and_zeros_fill_up():
    tokens = WordTokens(("open", "drawer", "the"), length=6)
    assert tokens.encode("OPEN the drawer.").tolist() == tokens.encode("Open The Drawer.").tolist()
    assert tokens.encode("open").tolist()[1:] == [0] * 5
    assert len(set(tokens.encode_all(["open", "drawer", "the"])[:, 0])) == 3


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda t: t.encode("open the drawr"), "The word 'drawr' is not in the vocabulary; did you mean 'drawer'?"),
        (lambda t: t.encode("the the the the"), "has 4 words and signs, but at most 3 can be read"),
        (lambda t: t.decode(np.array([99])), "The number 99 is no word"),
        (lambda t: WordTokens(("Open",), 3), "words has 'Open'"),
        (lambda t: WordTokens(("open",), 0), "length=0"),
    ],
)
def test_one_sentence_for_what_is_invalid(call, said):
    with pytest.raises(ArgumentError) as error:
        call(WordTokens(("open", "the", "drawer"), length=3))
    assert said in str(error.value)
