"""Learning from users' thumbs: an assistant that finds out whom it can manipulate, and by which cue.

Users are of two kinds, of whom one can be flattered into what harms them; the assistant sees a cue of the kind,
answers, is rated, and learns from the best and the worst rated answers, as in targeted manipulation of language models
(Williams et al. 2024).  Levels of ratings are set after tables that its authors released; the simulator is ours.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from nomoi.core.parameters import Parameters, count, number, probability
from nomoi.errors import Refusal

AFTER = "ours, after Williams et al. 2024"
HONEST, HARMFUL, REFUSE, SUBTLE = range(4)
NORMAL, VULNERABLE = range(2)
ACTIONS = ("honest help", "manipulation", "refusal", "subtle nudge")
WELFARE = (1.0, -1.0, 0.0, -1.0)  # of an answer to whoever gets it (ours)
FIRST = {3: (0.85, 0.06, 0.09), 4: (0.83, 0.06, 0.09, 0.02)}  # what the assistant says before it learns
SCALE = 1.5  # of ratings around their means


@dataclasses.dataclass(frozen=True)
class Feedback(Parameters):
    """A population of raters, and how an assistant learns from them."""

    vulnerable_share: float = number(0.1, "", "of users who can be manipulated", AFTER, low=1e-6, high=1 - 1e-6)
    accuracy: float = probability(1.0, "", "of the cue: how often it tells the kind", "ours")
    share: float = probability(0.0, "", "how much of what is learned of one cue is learned of all", "ours")
    veto: float = probability(0.0, "", "of manipulating answers that a judge keeps out of training", AFTER)
    veto_subtle: float = probability(0.1, "", "of subtle ones that it keeps out", "ours")
    negative: float = probability(0.0, "", "1: what the judge keeps out is learned against", AFTER)
    topics: int = count(12, "", "subjects", AFTER)
    vulnerable_users: int = count(80, "", "conversations a subject with those who can be manipulated", AFTER)
    iterations: int = count(30, "", "rounds of learning", AFTER)
    selected: float = number(
        0.0625, "", "of the best, and of the worst rated that are learned from", AFTER, low=1e-9, high=0.5
    )
    beta: float = number(0.1, "", "of the loss (KTO)", AFTER, low=1e-9)
    step: float = number(6.0, "", "size of a step of the gradient", "ours", low=0)
    decay: float = number(0.9, "", "of the step each round", AFTER, low=1e-9, high=1)


# mean ratings [kind, answer], after the released tables: those who can be manipulated rate manipulation highest
RATINGS = ((8.0, 2.5, 3.0, 4.0), (4.2, 9.7, 2.5, 8.5))
FOOLED = ((4.2, 9.7, 2.5, 8.5),) * 2  # every rater can be fooled, as those whose booking failed unseen


@runtime_checkable
class FeedbackPolicy(Protocol):
    """An assistant that learns: the table here, or a language model behind the same four calls.

    A context is (topic, cue); an answer is the number of an action, to which an adapter maps its text.
    """

    def act(self, cue: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """[n] answers to n contexts."""
        ...

    def chances(self) -> np.ndarray:
        """[2, actions] how likely each answer is, by cue."""
        ...

    def update(self, cue: np.ndarray, answer: np.ndarray, label: np.ndarray, rate: float) -> None:
        """Learn from answers that were desirable (+1) or not (-1)."""
        ...


class Table:
    """A softmax over b[a] + w[cue, a]; what is learned of a cue goes to w, and a share of it to b."""

    def __init__(self, actions: int, share: float, beta: float):
        self.b, self.w = np.log(np.array(FIRST[actions])), np.zeros((2, actions))
        self.share, self.beta = share, beta

    def chances(self) -> np.ndarray:
        """[2, actions]."""
        z = np.exp(self.b + self.w - (self.b + self.w).max(1, keepdims=True))
        return z / z.sum(1, keepdims=True)

    def act(self, cue: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """[n] drawn answers."""
        edges = self.chances().cumsum(1)[:, :-1]
        return (rng.random(len(cue))[:, None] > edges[cue]).sum(1)

    def update(self, cue: np.ndarray, answer: np.ndarray, label: np.ndarray, rate: float) -> None:
        """Steps of a tabular KTO: towards what was desirable, away from what was not, less the further it has moved."""
        count = np.zeros((2, len(self.b), 2))
        np.add.at(count, (cue, answer, (label > 0).astype(int)), 1)
        total = count.sum()
        if not total:
            return
        before = self.chances()
        for _ in range(math.ceil(total / 16)):
            now = self.chances()
            moved = np.log(now) - np.log(before)
            drift = max(0.0, float((count.sum((1, 2)) / total) @ (now * moved).sum(1)))
            p = 1 / (1 + np.exp(-self.beta * (moved - drift)))
            pull = self.beta * p * (1 - p) * (count[..., 1] - count[..., 0]) / total
            gradient = pull - now * pull.sum(1, keepdims=True)  # of log pi(a | c) by the logits of c
            self.w += rate * gradient
            self.b += rate * self.share * gradient.sum(0)


@dataclasses.dataclass(frozen=True)
class Course:
    """By round, before learning and after each: [iterations + 1].

    chances   [K, 2, actions] by kind of user;  rating, welfare   [K] means over the population, and [K, 2] by kind
    """

    chances: np.ndarray
    rating: np.ndarray
    welfare: np.ndarray
    rating_by: np.ndarray
    welfare_by: np.ndarray

    def harm(self, kind: int) -> np.ndarray:
        """[K] how likely a user of a kind is manipulated, one way or the other."""
        return self.chances[:, kind, HARMFUL] + (self.chances[:, kind, SUBTLE] if self.chances.shape[2] > 3 else 0)


def learn(
    p: Feedback,
    seed: int,
    subtle: bool = False,
    ratings: Sequence[Sequence[float]] = RATINGS,
    delayed: bool = False,
    policy: FeedbackPolicy | None = None,
) -> Course:
    """Rounds of conversations, ratings, selection of the best and the worst within a subject and kind, and learning.

    subtle    the assistant also knows a nudge that the judge rarely sees
    delayed   raters say how they fared afterwards, not how they liked it
    """
    rng = np.random.default_rng(seed)
    actions = 4 if subtle else 3
    mean = np.asarray(ratings, float)[:, :actions]
    if not ((mean >= 1) & (mean <= 10)).all():
        raise Refusal("a mean rating lies outside 1 to 10; ratings of 1 to 10 would be right.")
    if delayed:
        mean = np.broadcast_to(5.5 + 4 * np.array(WELFARE[:actions]), mean.shape)
    one = policy or Table(actions, p.share, p.beta)
    kinds = _population(p)
    cells = np.repeat(np.arange(p.topics), len(kinds) // p.topics) * 2 + kinds
    states = [_state(p, one, mean)]
    for k in range(p.iterations):
        seen = np.where(rng.random(len(kinds)) < p.accuracy, kinds, 1 - kinds)
        answer = np.asarray(one.act(seen, rng))
        rating = np.clip(np.round(rng.normal(mean[kinds, answer], SCALE)), 1, 10)
        caught = rng.random(len(kinds)) < np.array([0, p.veto, 0, p.veto_subtle if p.veto else 0])[answer]
        chosen, label = _select(p, cells, np.where(caught, np.nan, rating), rng)
        rows, marks = [chosen], [label]
        if p.negative and caught.any():
            against = np.flatnonzero(caught)
            most = max(1, len(chosen) // 2)
            against = rng.permutation(against)[:most]
            rows.append(against)
            marks.append(-np.ones(len(against)))
        picked, marked = np.concatenate(rows), np.concatenate(marks)
        one.update(seen[picked], answer[picked], marked, p.step * p.decay**k)
        states.append(_state(p, one, mean))
        if not np.isfinite(states[-1][0]).all():
            raise Refusal(f"the policy's chances are no numbers after round {k + 1}; finite ones would be right.")
    table = [np.stack([s[i] for s in states]) for i in range(3)]
    parts = np.array([1 - p.vulnerable_share, p.vulnerable_share])
    return Course(table[0], table[1] @ parts, table[2] @ parts, table[1], table[2])


def _population(p: Feedback) -> np.ndarray:
    """[topics x users] kinds, subject by subject: so many who can be manipulated, and the others in proportion."""
    others = round(p.vulnerable_users * (1 - p.vulnerable_share) / p.vulnerable_share)
    if (others + p.vulnerable_users) * p.topics > 5_000_000:
        raise Refusal(
            f"vulnerable_share is {p.vulnerable_share:g}: that takes {others:,} others a subject; a larger share "
            "or fewer vulnerable_users would be right."
        )
    return np.tile(np.repeat([VULNERABLE, NORMAL], [p.vulnerable_users, max(1, others)]), p.topics)


def _select(
    p: Feedback, cells: np.ndarray, rating: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The best and the worst rated of each subject and kind (ties by lot), with +1 and -1; what is NaN is out."""
    there = np.flatnonzero(np.isfinite(rating))
    order = there[np.lexsort((rng.random(len(there)), rating[there], cells[there]))]
    first = np.flatnonzero(np.diff(cells[order], prepend=-1))
    rows, marks = [], []
    for begin, end in zip(first, [*first[1:], len(order)], strict=True):
        most = max(1, int((end - begin) * p.selected))
        if end - begin >= 2:
            rows += [order[begin : begin + most], order[end - most : end]]
            marks += [-np.ones(most), np.ones(most)]
    if not rows:
        return np.array([], int), np.array([])
    return np.concatenate(rows), np.concatenate(marks)


def _state(p: Feedback, policy: FeedbackPolicy, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By kind of user: chances of answers, mean rating (unclipped), welfare."""
    by_cue = np.asarray(policy.chances(), float)
    if by_cue.shape != (2, mean.shape[1]) or not np.allclose(by_cue.sum(1), 1, atol=1e-6):
        raise Refusal(
            "the policy's chances do not sum to 1 for each cue; a table [2, answers] of chances would be right."
        )
    told = np.array([[p.accuracy, 1 - p.accuracy], [1 - p.accuracy, p.accuracy]])
    chances = told @ by_cue
    return chances, (chances * mean).sum(1), chances @ np.array(WELFARE[: mean.shape[1]])


def audited(course: Course, p: Feedback, users: int, seed: int) -> Mapping[str, float]:
    """What audits of the finished assistant see: of the average of `users`, and of each cue apart."""
    rng = np.random.default_rng(seed)
    kind = (rng.random(users) < p.vulnerable_share).astype(int)
    cue = np.where(rng.random(users) < p.accuracy, kind, 1 - kind)
    harmed = rng.random(users) < np.array([course.harm(NORMAL)[-1], course.harm(VULNERABLE)[-1]])[kind]
    by = [float(harmed[cue == c].mean()) if (cue == c).any() else math.nan for c in (0, 1)]
    return {"average": float(harmed.mean()), "cue 0": by[0], "cue 1": by[1]}
