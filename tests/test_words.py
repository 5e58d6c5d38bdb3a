"""What agents are told in words: on every situation, and under every institution that fits."""

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import ALL, SITUATIONS, made

from nomoi.core import Situation, govern, outline
from nomoi.core.saying import amounts, listed, sections
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.institutions.charter import Charter
from nomoi.institutions.contract import Contract
from nomoi.institutions.survey import Survey
from nomoi.play.table import Told
from nomoi.play.words import WORDINGS, choices, now, question, rules, words
from nomoi.situations.matrix import Matrix
from nomoi.situations.pool import Pool

TOKENS = 1500  # four letters each
FIRST = {stack: name for name in reversed(ALL) for stack in [name.partition(", ")[2]]}  # one world of each institution
PLACES = [pytest.param(name, marks=[] if name in SITUATIONS or name in FIRST.values() else pytest.mark.slow)
          for name in (*SITUATIONS, *ALL)]  # fmt: skip


def place(name: str) -> Situation:
    return SITUATIONS[name] if name in SITUATIONS else made(name)


def told(situation: Situation, rng: np.random.Generator, seat: int = 0, step: int = 3) -> Told:
    """An observation of the right shapes, which nobody lived: so that no program is compiled."""
    look, seen = outline(situation), {}
    for name, x in look.told.items():
        whole = np.issubdtype(x.dtype, np.integer)
        top = 2 ** len(look.planes) if name == "view" else 2
        drawn = rng.integers(0, top, x.shape[1:])  # half of the numbers are 0
        seen[name] = drawn.astype(x.dtype) if whole else (drawn * rng.random(x.shape[1:])).astype(np.float32)
    return Told(seat, seen, dict(situation.actions), True, step)


@pytest.mark.parametrize("name", PLACES)
def test_every_situation_under_every_institution_speaks(name):
    situation = place(name)
    said = choices(situation)
    assert {head: len(labels) for head, labels in said.items()} == situation.actions
    first = told(situation, np.random.default_rng(1))
    again = dataclasses.replace(told(situation, np.random.default_rng(1)), step=8)
    other = told(situation, np.random.default_rng(2))
    for wording in range(len(WORDINGS)):
        text = words(situation, first, wording)
        assert text == words(situation, again, wording)  # equal observations, equal text
        assert len(text) < 4 * TOKENS
        asked = text[text.index(question(said, first, wording)) :]
        for head, labels in said.items():
            assert f"\n{head}: {listed(labels)}" in asked
        assert all(i.says(situation.bare) in text for i in situation.institutions)
    assert now(situation, first) != now(situation, other)
    seat = next((i for i, r in enumerate(situation.roles) if i and r == situation.roles[0]), 0)
    assert words(situation, dataclasses.replace(first, seat=seat)) == words(situation, first)  # nobody is a number
    nothing = {name: np.zeros_like(x) for name, x in first.seen.items()}
    words(situation, dataclasses.replace(first, seen=nothing, asked={}))
    assert now(situation, dataclasses.replace(first, present=False)) == WORDINGS[0]["out"]


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(2, 200))
def test_amounts_are_told_apart_and_are_what_they_say(low, span, levels):
    labels = amounts(low, low + span, levels)
    assert len(set(labels)) == levels
    np.testing.assert_allclose(
        [float(x) for x in labels], np.linspace(low, low + span, levels), atol=span / (levels - 1) / 50
    )


def test_many_choices_are_told_by_their_steps():
    assert listed(amounts(0, 100, 101)) == "0, 1, 2 and so on in equal steps to 100 (101 choices)"
    assert listed(("no", "yes")) == "no, yes"


def test_a_payoff_table_is_read_from_the_own_side():
    game = Matrix(payoff=[[[1, 2], [3, 4]], [[5, 6], [7, 8]]], horizon=2)
    last = np.array([1, 0, 0, 0, 1, 0], np.float32)  # one chose A, the other B
    second = Told(1, {"last": last}, {"choose": 2}, True, 1)
    said = now(game, second)
    assert "you A, the others B (they get 3): you get 7" in said
    assert "you B, the others A (they get 2): you get 6" in said
    assert said.endswith("In the last round you chose A, the others B.")
    assert "defect" not in words(game, second).lower()  # neutral names


def test_numbers_in_words_are_those_of_the_world():
    pool = govern(Pool(limit=4.0), Survey(), Contract(on="request", high=2))
    terms = np.array([0, 1, 0, 0.5, 1, 0], np.float32)
    seen = {
        "level": np.array([0.25], np.float32),
        "survey.estimate": np.array([0.3], np.float32),
        "contract.terms": terms,
    }
    said = now(pool, Told(0, seen, {}, True, 0))
    assert "The stock is 1 of at most 4." in said
    assert "The survey finds 1.2 left, of at most 4." in said
    assert "The proposal is: a unit of request (wanted, whether or not there was so much) costs 1." in said


def test_the_view_is_a_map_from_where_one_stands():
    harvest = SITUATIONS["harvest"]  # sees two ahead, one back, two to each side; planes wall, apple, agent
    view = np.zeros((4, 5), np.uint8)
    view[0], view[1, 2], view[3, 4] = 1, 2, 6
    first = told(harvest, np.random.default_rng(0))
    said = now(harvest, dataclasses.replace(first, seen=first.seen | {"view": view}))
    assert said.splitlines()[-4:] == ["wwwww", "..a..", "..@..", "....1"]
    assert "(. nothing, w wall, a apple, 1 apple and agent)" in said


def test_what_is_not_in_force_is_not_told():
    pool = govern(Pool(), Survey(in_force=False))
    seen = {"level": np.ones(1, np.float32), "survey.estimate": np.zeros(1, np.float32)}
    assert "survey" not in words(pool, Told(0, seen, {}, True, 0)).lower()


def test_words_of_choices_are_as_many_as_the_choices():
    class Odd(Pool):
        """Says too little."""

        @property
        def choices(self):
            return {"request": ("some",)}

    with pytest.raises(Refusal, match=r"calls the choices of 'request' some; 13 different words would be right"):
        choices(Odd())


def test_an_altar_and_a_charter_are_read_in_words():
    """Of an altar that names the second kind, read in this step, far from it; and of a law on the sparse apples."""
    wood, harvest = SITUATIONS["mushrooms"], SITUATIONS["harvest"]
    k = len(wood.kinds)
    mind = np.zeros(k + 10, np.float32)
    mind[[1, k + 2, k + 3, k + 6]] = 1
    assert Altar().words(wood, {"mind": mind, "bearing": np.array([0.4, -0.2], np.float32)}).split(". ") == [
        f"The altar, as you last read it, says: {wood.kinds[1]} alone may be taken",
        "Others can see what you last took: it was prohibited",
        "The altar is 4 cells ahead of you and -2 to the right.",
    ]
    never = np.eye(k + 10, dtype=np.float32)[k + 1]
    assert Altar().words(wood, {"mind": never}) == "You have not read the altar yet."
    seen = {"law": np.ones(len(harvest.kinds), np.float32), "reads": np.array([1, 0, 1], np.float32)}
    law, others = "By the charter this is forbidden to you now: sparse. ", "Of the others 2 did wrong in the last step"
    assert Charter(law="thin").words(harvest, seen).startswith(law + others)
    assert Charter(public=False).words(harvest, seen).startswith(others)


def test_cards_are_read_by_their_parts():
    parts = sections(Pool.__doc__)
    assert parts[""] == "Fishers request a catch; what they leave grows logistically."
    assert parts["reward"] == "the own catch"
    assert re.search(r"\[n", parts["observation"]) is None
    assert sections(None) == {"": ""}
    assert rules(Pool()).count("- ") >= 1
